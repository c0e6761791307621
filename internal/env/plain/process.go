package plain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/system"
)

// A process is one life of an instance.
type process struct {
	cmd     *exec.Cmd
	id      system.ProcID
	logFrom int64 // where its output begins in the log
	gone    chan struct{}

	mu   sync.Mutex
	as   system.State // what the instance becomes at its end
	why  string       // "" where nobody asked for the end
	exit string       // "exit status 1", set before gone is closed
	good bool         // it exited 0
}

func (p *process) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// wait returns when the process is gone, or with the reason why ctx ended.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("process %d is not gone: %w", p.id.PID, context.Cause(ctx))
	}
}

// expect says that the end of the process is asked for, and what the instance becomes then.
func (p *process) expect(as system.State, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.as, p.why = as, why
}

// end returns what the instance becomes by the end of the process, and a sentence on it.
func (p *process) end() (system.State, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == "" && p.as == system.Exited {
		return p.as, "ended by itself: " + p.exit
	}
	return p.as, p.why
}

// status returns how it ended.
func (p *process) status() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

func (p *process) succeeded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.good
}

// startProcess clears what earlier lives left, and starts the instance's process.
// The instance is then starting.
func (n *node) startProcess(ctx context.Context) (*process, error) {
	if err := n.clear(ctx); err != nil {
		return nil, err
	}
	if err := n.fillData(ctx); err != nil {
		return nil, err
	}
	if err := n.writeFiles(); err != nil {
		return nil, err
	}
	follows, variables, err := n.leadership(ctx)
	if err != nil {
		return nil, err
	}
	cmd, err := n.command(n.launch.Argv, n.environment(variables...))
	if err != nil {
		return nil, err
	}
	log, from, err := openLog(n.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	done, err := n.intend(cmd)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.start = append(n.start, done)
	n.mu.Unlock()
	p := &process{cmd: cmd, logFrom: from, gone: make(chan struct{}), as: system.Exited}
	if err := n.env.spawn.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	// It cannot be reaped before watch waits for it, so its id is its own.
	if p.id, err = procID(cmd.Process.Pid); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	n.mu.Lock()
	n.proc, n.ended, n.follows = p, false, follows
	n.becomeLocked(system.Starting, false, "")
	n.mu.Unlock()
	n.env.work.Go(func() { n.watch(p) })
	return p, nil
}

// watch waits for the end of the process, and tells of it at once.
func (n *node) watch(p *process) {
	err := p.cmd.Wait()
	p.mu.Lock()
	p.good = err == nil
	p.exit = p.cmd.ProcessState.String()
	p.mu.Unlock()
	state, text := p.end()
	n.mu.Lock()
	n.ended = err == nil && n.oneShot
	n.seen = time.Now()
	n.becomeLocked(state, false, text)
	close(p.gone) // under the lock, so that no check calls it ready from here on
	n.mu.Unlock()
}

// intend writes the start into the ledger before it happens.
func (n *node) intend(cmd *exec.Cmd) (done func() error, err error) {
	ledger := n.env.opts.Ledger
	if ledger == nil {
		return func() error { return nil }, nil
	}
	seq, err := ledger.Intend("start", map[string]any{"env": n.env.opts.ID, "instance": n.inst.Name, "command": cmd.Args})
	if err != nil {
		return nil, err
	}
	return func() error { return ledger.Done(seq) }, nil
}

// command returns a command in a process group of its own, that dies with the thread that starts it.
func (n *node) command(argv, env []string) (*exec.Cmd, error) {
	path, err := program(n.env.sys.Dir, n.svc.Process.Programs, argv[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Dir, cmd.Env = n.launch.Dir, env
	cmd.SysProcAttr = procAttr()
	if n.svc.Process.NotRoot {
		setNotRoot(cmd.SysProcAttr)
	}
	return cmd, nil
}

// program finds the file to run: a path is relative to the system's folder, a bare name is looked up in the folder
// of programs, if there is one, and in PATH.
func program(dir, programs, name string) (string, error) {
	path := name
	if programs != "" && !strings.ContainsRune(name, '/') {
		if found, err := exec.LookPath(filepath.Join(programs, name)); err == nil {
			return found, nil
		}
	}
	if strings.ContainsRune(name, '/') && !filepath.IsAbs(name) {
		path = filepath.Join(dir, name)
	}
	found, err := exec.LookPath(path)
	switch {
	case err == nil:
		return found, nil
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("cannot run %s: it is not executable", path)
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("cannot run %s: no such program in PATH", name)
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("cannot run %s: there is no such file (does its build make it?)", path)
	}
	return "", fmt.Errorf("cannot run %s: %w", path, err)
}

// environment is the holder's, with what the topology says over it, and the mark.
func (n *node) environment(extra ...string) []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if _, set := n.launch.Env[name]; !set && inherits(name) {
			env = append(env, variable)
		}
	}
	for name, value := range n.launch.Env {
		env = append(env, name+"="+value)
	}
	env = withPrograms(env, n.svc.Process.Programs)
	slices.Sort(env)
	env = append(env, Mark(n.env.opts.ID), instanceVar+"="+n.inst.Name, "ASSAY_IP="+n.ip.String(), "ASSAY_DATA="+n.data)
	return append(env, extra...)
}

// withPrograms puts a folder of programs before those of PATH.
func withPrograms(env []string, folder string) []string {
	if folder == "" {
		return env
	}
	for i, variable := range env {
		if path, ok := strings.CutPrefix(variable, "PATH="); ok {
			env[i] = "PATH=" + folder + ":" + path
			return env
		}
	}
	return append(env, "PATH="+folder+":/usr/bin:/bin")
}

// inherits says whether an instance gets the holder's variable. Marks are its
// own; a proxy would take requests that are meant for the fronts.
func inherits(name string) bool {
	return !strings.HasPrefix(name, "ASSAY_") && !strings.HasSuffix(strings.ToLower(name), "_proxy")
}

func (n *node) writeFiles() error {
	if err := os.MkdirAll(n.data, 0o755); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	for name, text := range n.launch.Files {
		path := filepath.Join(n.data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write file %s: %w", name, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write file %s: %w", name, err)
		}
	}
	return nil
}

// checkLaunch finds what no start could work with.
func checkLaunch(l launch, instance string) error {
	if len(l.Argv) == 0 || l.Argv[0] == "" {
		return fmt.Errorf("%s: there is no command (set x-assay.process.command)", instance)
	}
	for path := range l.Files {
		if !filepath.IsLocal(path) {
			return fmt.Errorf("%s: files %s: the path must stay below {{data}}", instance, path)
		}
	}
	for name := range l.Env {
		if strings.HasPrefix(name, "ASSAY_") {
			return fmt.Errorf("%s: env %s: names that start with ASSAY_ are the environment's own", instance, name)
		}
	}
	return nil
}

// A spawner starts processes from one thread. The kernel sends the parent-death
// signal when the thread that forked ends, not the process, and Go ends threads as it likes.
type spawner struct {
	calls chan func()
	stop  chan struct{}
	done  chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{calls: make(chan func()), stop: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	runtime.LockOSThread()
	ordinaryPriority()
	defer close(s.done)
	defer runtime.UnlockOSThread()
	for {
		select {
		case call := <-s.calls:
			call()
		case <-s.stop:
			return
		}
	}
}

// start starts the command, or says that the spawner is closed.
func (s *spawner) start(cmd *exec.Cmd) error {
	failed := make(chan error, 1)
	select {
	case s.calls <- func() { failed <- cmd.Start() }:
		return <-failed
	case <-s.stop:
		return errClosed
	}
}

// close returns when no command is being started any more.
func (s *spawner) close() {
	close(s.stop)
	<-s.done
}
