package hold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

// ownerFD is the file descriptor of the owner's connection in a new holder.
const ownerFD = 3

// How long parts of a teardown may take before it goes on without them: what
// does not end by being asked is killed by its mark.
const (
	requestsLimit = 5 * time.Second
	closeLimit    = 60 * time.Second
	sweepLimit    = 30 * time.Second
)

// errClosed is the reason of an end that the owner asked for.
var errClosed = errors.New("it was closed by its owner")

// A holder is the process that holds one environment.
type holder struct {
	kinds  map[string]kind
	lease  *lease
	broken *broken

	ctx      context.Context         // ends when the environment is to be torn down, with the reason as its cause
	end      context.CancelCauseFunc // the first reason counts
	requests sync.WaitGroup

	mu      sync.Mutex
	conns   map[*conn]bool
	begun   bool // start was asked for
	place   place
	env     system.Env // nil until started
	welcome welcome
	socket  net.Listener
	last    func(error) // replies to the request that ended the environment, once all is torn down
}

// runHolder is the life of a holder; it returns the exit status.
func runHolder(kinds map[string]kind) int {
	owner, err := inheritedConn()
	if err != nil {
		fmt.Fprintln(os.Stderr, "assay holder:", err)
		return 4
	}
	h := &holder{kinds: kinds, lease: newLease(defaultLease), broken: newBroken(), conns: map[*conn]bool{}}
	h.ctx, h.end = context.WithCancelCause(context.Background())
	h.handleSignals()
	go h.serveOwner(owner)
	go h.watchLease()
	<-h.ctx.Done()
	told := h.tellGone()
	err = h.teardown()
	if h.last != nil {
		h.last(err)
	}
	// A client that does not read must not keep a holder alive.
	select {
	case <-told:
	case <-time.After(time.Second):
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "assay holder:", err)
		return 4
	}
	return 0
}

func inheritedConn() (net.Conn, error) {
	file := os.NewFile(ownerFD, "owner")
	defer file.Close() // FileConn has its own, which services do not inherit
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("the owner's connection: %w", err)
	}
	return conn, nil
}

// handleSignals leaves Ctrl-C and the terminal's hangup to the controller.
// They are received and dropped: a signal that is ignored stays ignored in every service started from here.
func (h *holder) handleSignals() {
	dropped := make(chan os.Signal, 1)
	signal.Notify(dropped, syscall.SIGINT, syscall.SIGHUP)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		h.end(errors.New("its holder was asked to end by SIGTERM"))
	}()
}

func (h *holder) serveOwner(c net.Conn) {
	h.serve(c, true)
	h.end(errors.New("its controller is gone"))
}

func (h *holder) watchLease() {
	if silent := h.lease.watch(h.ctx); silent > 0 {
		h.end(fmt.Errorf("its controller was silent for %v", silent.Round(100*time.Millisecond)))
	}
}

// tellGone tells every client why the environment ends, and returns a channel that is closed when all were told.
func (h *holder) tellGone() <-chan struct{} {
	reason := context.Cause(h.ctx).Error()
	h.mu.Lock()
	defer h.mu.Unlock()
	var telling sync.WaitGroup
	for c := range h.conns {
		if c.owner && h.last != nil {
			continue // gets a reply instead
		}
		telling.Go(func() { c.w.send(response{Gone: reason}) })
	}
	told := make(chan struct{})
	go func() {
		telling.Wait()
		close(told)
	}()
	return told
}

// start makes the environment's folder, builds the system and starts it.
func (h *holder) start(ctx context.Context, a startArgs, progress func(string)) (welcome, error) {
	h.mu.Lock()
	begun := h.begun
	h.begun = true
	h.mu.Unlock()
	if begun {
		return welcome{}, errors.New("it was started before")
	}
	k, ok := h.kinds[a.Kind]
	if !ok {
		return welcome{}, fmt.Errorf("there is no environment of kind %q", a.Kind)
	}
	if err := h.open(a, progress); err != nil {
		return welcome{}, err
	}
	if err := k.build(ctx, a.System, progress); err != nil {
		return welcome{}, err
	}
	env, err := k.start(ctx, a.System, h.place)
	if err != nil {
		return welcome{}, err
	}
	return h.started(a, env)
}

// open takes the environment's folder. From here on whoever finds the folder with a free lock may sweep.
func (h *holder) open(a startArgs, progress func(string)) error {
	log, err := openFresh(ledger.Dir(a.State, a.ID))
	if err != nil {
		return err
	}
	logs := cmp.Or(a.LogDir, filepath.Join(log.Dir(), "logs"))
	h.mu.Lock()
	h.place = place{ID: a.ID, State: a.State, LogDir: logs, Ledger: log, Progress: progress}
	h.mu.Unlock()
	if len(log.Pending()) > 0 {
		return fmt.Errorf("%s holds what an earlier environment left behind (assay recover says why it stays)", log.Dir())
	}
	if _, err := log.Intend("environment", environmentArgs{Kind: a.Kind, Holder: os.Getpid()}); err != nil {
		return err
	}
	// Whatever is started from here, compilers too, carries the mark. It is not in
	// the holder's own /proc/self/environ, which stays as it was at its start.
	name, value, _ := strings.Cut(plain.Mark(a.ID), "=")
	if err := os.Setenv(name, value); err != nil {
		return err
	}
	if err := redirectStderr(filepath.Join(log.Dir(), logName)); err != nil {
		return err
	}
	progress(fmt.Sprintf("process %d holds environment %s", os.Getpid(), a.ID))
	return h.info(a).write()
}

// info says what runs here, without a socket, which is opened last.
func (h *holder) info(a startArgs) Info {
	return Info{
		ID: a.ID, Kind: a.Kind, System: a.System.Name, Dir: h.place.Ledger.Dir(), LogDir: h.place.LogDir,
		PID: os.Getpid(), Started: time.Now().UTC(), Version: version,
	}
}

// openFresh opens the log of a new environment. A recovery elsewhere may look at the new folder just now.
func openFresh(dir string) (*ledger.Log, error) {
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		log, err := ledger.Open(dir)
		if !errors.Is(err, ledger.ErrHeld) || time.Now().After(deadline) {
			return log, err
		}
	}
}

// logName is the file in the environment's folder that gets what the holder says last.
const logName = "holder.log"

func redirectStderr(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Dup2(int(file.Fd()), int(os.Stderr.Fd()))
}

// started opens the socket for further clients.
func (h *holder) started(a startArgs, env system.Env) (welcome, error) {
	h.mu.Lock()
	h.env = env
	h.mu.Unlock()
	socket, err := listen(h.place.Ledger, a.ID)
	if err != nil {
		return welcome{}, err
	}
	w := welcome{Version: version, System: env.System(), Info: h.info(a)}
	w.Info.Socket = socket.Addr().String()
	for _, n := range env.Nodes() {
		w.Nodes = append(w.Nodes, n.Instance())
	}
	h.mu.Lock()
	h.socket, h.welcome = socket, w
	h.mu.Unlock()
	if err := w.Info.write(); err != nil {
		return welcome{}, err
	}
	go h.accept(socket)
	return w, nil
}

func (h *holder) accept(socket net.Listener) {
	for {
		c, err := socket.Accept()
		if err != nil {
			return // closed by the teardown
		}
		go h.serve(c, false)
	}
}

// teardown heals, ends and removes everything, each part with its own limit.
func (h *holder) teardown() error {
	h.waitForRequests()
	if h.socket != nil {
		h.socket.Close()
	}
	if h.place.Ledger == nil {
		return nil // died before it made anything
	}
	var healErr, closeErr error
	if h.env != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
		healErr = h.broken.heal(ctx, h.env)
		closeErr = h.env.Close(ctx)
		cancel()
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	swept := sweep(ctx, h.place.Ledger, h.place.State)
	if len(swept.Problems) == 0 {
		// Nothing is there any more, so whatever could not be healed is gone too,
		// such as the rule of an instance that had died.
		return closeErr
	}
	return errors.Join(healErr, closeErr, swept.err())
}

// complain writes to the holder's log.
func (h *holder) complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "assay holder: "+format+"\n", args...)
}

// waitForRequests waits until those in flight, which were cancelled, have let go of the environment.
func (h *holder) waitForRequests() {
	idle := make(chan struct{})
	go func() {
		h.requests.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-time.After(requestsLimit):
		fmt.Fprintln(os.Stderr, "assay holder: requests that do not end when cancelled; tearing down under them")
	}
}
