package toxiproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/ledger"
)

// holderVar is set in the environment of a process that was started as a holder.
const holderVar = "ASSAY_PROXY_HOLDER"

// readyFD is the file descriptor on which a new holder says that it is ready, or why not.
const readyFD = 3

// holderArgs are what a holder is told at its birth.
type holderArgs struct {
	Place      Place  `json:"place"`
	Seed       uint64 `json:"seed"`
	KeepToxics bool   `json:"keep_toxics"`
	Version    string `json:"version"`
}

// birth is the first word of a holder.
type birth struct {
	Held  bool   `json:"held,omitempty"` // another holder is there
	Error string `json:"error,omitempty"`
}

// Info says what a holder is.
type Info struct {
	Place
	PID        int       `json:"pid"`
	Seed       uint64    `json:"seed"`
	KeepToxics bool      `json:"keep_toxics"`
	Started    time.Time `json:"started"`
	Version    string    `json:"version"`            // of the program
	APIs       []string  `json:"apis"`               // the addresses where its API is served just now
	Problems   []string  `json:"problems,omitempty"` // what did not come back at its start
	Proxies    int       `json:"proxies"`
}

// Main runs the holder when this process was started as one, and never returns then; else it returns
// at once. Programs and test binaries that call Serve call it first thing.
func Main() {
	text := os.Getenv(holderVar)
	if text == "" {
		return
	}
	os.Unsetenv(holderVar)
	os.Exit(runHolder(text))
}

// A holder is the process that owns the proxies.
type holder struct {
	args     holderArgs
	started  time.Time
	problems []string
	set      *Set
	sockets  string
	free     func() error
	servers  []*http.Server
	serving  sync.WaitGroup
	stop     chan struct{}
	once     sync.Once

	mu   sync.Mutex
	apis map[int]string
	next int
}

func runHolder(text string) int {
	ready := os.NewFile(readyFD, "ready")
	h := &holder{started: time.Now().UTC(), stop: make(chan struct{}), apis: map[int]string{}}
	h.handleSignals()
	err := json.Unmarshal([]byte(text), &h.args)
	if err == nil {
		err = h.open()
	}
	word := birth{Held: errors.Is(err, ledger.ErrHeld)}
	if err != nil {
		word.Error = err.Error()
	}
	_ = json.NewEncoder(ready).Encode(word) // a starter that is gone is no reason to go
	_ = ready.Close()
	if err == nil {
		<-h.stop
	}
	if err := errors.Join(err, h.close()); err != nil {
		fmt.Fprintln(os.Stderr, "assay proxy holder:", err)
		return 4
	}
	return 0
}

// handleSignals leaves Ctrl-C and the terminal's hangup to the process that the user started.
func (h *holder) handleSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGHUP) // received and dropped
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		h.end()
	}()
}

func (h *holder) end() { h.once.Do(func() { close(h.stop) }) }

// open takes the place, brings back what is kept, and opens the sockets last.
func (h *holder) open() error {
	var err error
	if h.free, err = ledger.Lock(h.args.Place.Dir); err != nil {
		return err
	}
	h.sockets = h.args.Place.sockets()
	if err := removeSockets(h.sockets); err != nil { // of one that was killed
		return err
	}
	if err := os.Mkdir(h.sockets, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := own(h.sockets); err != nil {
		return err
	}
	kept := &store{path: filepath.Join(h.args.Place.Dir, stateName)}
	before, err := kept.load()
	if err != nil {
		return err
	}
	h.set = NewSet(h.args.Seed)
	h.set.keepToxics = h.args.KeepToxics
	h.problems = h.set.restore(context.Background(), before)
	h.set.keep = kept.keep
	return errors.Join(h.serve(apiSocket, h.set.Handler()), h.serve(controlSocket, h.control()))
}

func (h *holder) serve(name string, handler http.Handler) error {
	l, err := net.Listen("unix", filepath.Join(h.sockets, name))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	h.servers = append(h.servers, server)
	h.serving.Go(func() { _ = server.Serve(l) })
	return nil
}

// close ends the proxies and their connections, and takes away what shows that there was a holder.
func (h *holder) close() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, server := range h.servers {
		if server.Shutdown(ctx) != nil {
			errs = append(errs, server.Close())
		}
	}
	h.serving.Wait()
	if h.set != nil {
		errs = append(errs, h.set.Close(), removeSockets(h.sockets))
	}
	if h.free != nil {
		errs = append(errs, h.free())
	}
	return errors.Join(errs...)
}

// control is what only this program asks of a holder.
func (h *holder) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, _ *http.Request) { writeAnswer(w, http.StatusOK, h.info()) })
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		h.end()
	})
	mux.HandleFunc("GET /alive", h.alive)
	return mux
}

func (h *holder) info() Info {
	h.mu.Lock()
	defer h.mu.Unlock()
	apis := []string{}
	for _, at := range h.apis {
		apis = append(apis, at)
	}
	slices.Sort(apis)
	return Info{Place: h.args.Place, PID: os.Getpid(), Seed: h.args.Seed, KeepToxics: h.args.KeepToxics, Started: h.started,
		Version: h.args.Version, APIs: apis, Problems: h.problems, Proxies: len(h.set.all())}
}

// alive is an answer that lasts as long as both live.
func (h *holder) alive(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.next++
	n := h.next
	h.apis[n] = r.URL.Query().Get("api")
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.apis, n)
	}()
	control := http.NewResponseController(w)
	if errors.Join(control.SetWriteDeadline(time.Time{}), control.SetReadDeadline(time.Time{})) != nil {
		return
	}
	w.WriteHeader(http.StatusOK)
	_ = control.Flush()
	select {
	case <-r.Context().Done():
	case <-h.stop:
		_, _ = io.WriteString(w, stoppedWord)
	}
}
