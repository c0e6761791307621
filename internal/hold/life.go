package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

// life is the holder's process as its owner sees it.
type life struct {
	cmd    *exec.Cmd
	dir    string // the environment's folder
	state  string
	exited chan struct{} // closed when the process is gone
	over   chan struct{} // closed when its state is gone too, or err says why not
	err    error         // read after over

	closing  sync.Once
	closeErr error
}

// spawn starts a holder and the system in it.
func spawn(ctx context.Context, kind string, sys system.System, opts Options) (*Env, error) {
	l, conn, err := launch(opts)
	if err != nil {
		return nil, err
	}
	c := newClient(opts.ID, conn, l.lastWords)
	go c.ping()
	go l.watch(c)
	var w welcome
	err = c.call(ctx, "hello", helloArgs{Version: version, Lease: opts.Lease}, &w)
	if err == nil {
		a := startArgs{Kind: kind, ID: opts.ID, State: opts.StateDir, LogDir: opts.LogDir, System: sys}
		err = c.callProgress(ctx, "start", a, &w, opts.Progress)
	}
	if err != nil {
		return nil, errors.Join(err, l.abandon(c))
	}
	return newEnv(c, w, l), nil
}

// launch starts the process, with one end of a socket pair as its connection to this one.
func launch(opts Options) (*life, net.Conn, error) {
	program, err := executable()
	if err != nil {
		return nil, nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(program, "holder", opts.ID) // the arguments are for people who look at ps
	cmd.Env = append(os.Environ(), holderVar+"="+opts.ID)
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the terminal's signals are the controller's
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, nil, fmt.Errorf("start the holder: %w", err)
	}
	l := &life{cmd: cmd, dir: ledger.Dir(opts.StateDir, opts.ID), state: opts.StateDir,
		exited: make(chan struct{}), over: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(l.exited)
	}()
	return l, ours, nil
}

// executable returns this program, also after its file was replaced or removed, as `go run` and `go test` may do.
func executable() (string, error) {
	path, err := os.Executable()
	if err == nil && exists(path) {
		return path, nil
	}
	if exists("/proc/self/exe") {
		return "/proc/self/exe", nil
	}
	return "", fmt.Errorf("find this program to start it as a holder: %w", err)
}

// socketPair returns two connected ends, which other children do not inherit.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the holder: %w", err)
	}
	file := os.NewFile(uintptr(fds[0]), "holder")
	theirs = os.NewFile(uintptr(fds[1]), "owner")
	defer file.Close() // FileConn has its own
	ours, err = net.FileConn(file)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("connect to the holder: %w", err)
	}
	return ours, theirs, nil
}

// watch waits for the end of the holder and clears what it left, if it could not do so itself.
func (l *life) watch(c *client) {
	defer close(l.over)
	<-c.done
	if !c.leaves() {
		// It went without a word, so it cannot tear down; should it only hang, it must not come back.
		l.cmd.Process.Kill()
	}
	<-l.exited
	l.err = l.clear()
}

// clear sweeps the environment when its folder is still there.
func (l *life) clear() error {
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	for exists(l.dir) && !l.foreign() {
		swept, found, err := recoverDir(ctx, l.dir, l.state)
		if found || err != nil {
			return errors.Join(err, swept.err())
		}
		select { // someone else is recovering it
		case <-ctx.Done():
			return fmt.Errorf("%s is still there and owned by another process", l.dir)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// foreign says whether the folder is another holder's, whose id ours wanted to have.
func (l *life) foreign() bool {
	entries, err := ledger.Read(l.dir)
	if err != nil || len(entries) == 0 {
		return false
	}
	var a environmentArgs
	err = json.Unmarshal(entries[0].Args, &a)
	return err == nil && a.Holder != l.cmd.Process.Pid
}

// leaves says whether the holder is expected to end by itself: it said why, or was hung up on.
func (c *client) leaves() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hung || c.word != ""
}

// close asks the holder to end and waits until nothing is left.
func (l *life) close(ctx context.Context, c *client) error {
	l.closing.Do(func() {
		// A holder that hangs is killed, and its parts with it.
		limit := time.AfterFunc(requestsLimit+closeLimit+sweepLimit, func() { l.cmd.Process.Kill() })
		defer limit.Stop()
		err := c.call(ctx, "close", struct{}{}, nil)
		if ctx.Err() != nil {
			c.hangUp()
		}
		select {
		case <-l.over:
			l.closeErr = errors.Join(err, l.err)
		case <-ctx.Done():
			l.closeErr = fmt.Errorf("close environment %s: its holder, process %d, is still tearing down: %w", c.id, l.cmd.Process.Pid, context.Cause(ctx))
		}
	})
	return l.closeErr
}

// abandon ends a holder whose start failed and returns what is left.
func (l *life) abandon(c *client) error {
	c.hangUp()
	select {
	case <-l.over:
	case <-time.After(closeLimit + sweepLimit):
		l.cmd.Process.Kill()
		<-l.over
	}
	return l.err
}

// lastWords returns the end of what a dead holder wrote to its log, for an error.
func (l *life) lastWords() string {
	text, err := os.ReadFile(filepath.Join(l.dir, logName))
	words := strings.TrimSpace(string(text))
	if err != nil || words == "" {
		return ""
	}
	const most = 1500
	if len(words) > most {
		words = "…" + words[len(words)-most:]
	}
	return "; its last words:\n" + words
}
