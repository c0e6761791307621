package simrun

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A start is one process of a test binary.
type start struct {
	name       string // of its folder, which no other has that runs meanwhile; at most four letters
	tests      string // regular expression
	seed, step uint64
	count      int
	mode       string
	record     bool
	trace      bool   // record everything
	replay     string // file of decisions, as the runtime reads them
	overrides  int
	failFast   bool
	most       limits
	vars       string // file of package variables to watch
	verbose    bool   // the binary tells of each test
	run        int    // which simulation of the test is recorded and replayed
	skip       string // regular expression: tests to leave out
}

// limits on one simulation, beside those of its test. Zero is none.
type limits struct{ steps, simNS uint64 }

// A process is what one came to.
type process struct {
	reports []sim.Report
	lost    *sim.Report // a simulation that began and took the process with it
	output  string
	failed  bool
	killed  bool         // by somebody else
	rss     int64        // the most memory it had, KiB
	ended   []sim.Report // simulations whose tests did not end yet
	over    sim.Report   // the last word of a test
	record  string       // file
}

// run starts the binary and reads its report. A process that somebody else kills says nothing about its seeds: it is run once more.
func (b *program) run(ctx context.Context, s start) (*process, error) {
	for range 2 {
		p, err := b.once(ctx, s)
		if err != nil || !p.killed {
			return p, err
		}
	}
	return nil, fmt.Errorf("%s: its test process was killed twice at seed %d (signal: killed), and not by assay: is there too little memory? Try --workers 1", b.pkg, s.seed)
}

func (b *program) once(ctx context.Context, s start) (*process, error) {
	dir := filepath.Join(b.work, folderOf(s.name))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	report := filepath.Join(dir, "report")
	p := &process{record: filepath.Join(dir, "record")}
	for _, old := range []string{report, p.record} { // one that dies may write none
		if err := os.Remove(old); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	settings := fmt.Sprintf("seed=%d;step=%d;mode=%s;report=%s", s.seed, s.step, s.mode, report)
	if s.record {
		settings += ";record=" + p.record
	}
	if s.trace {
		settings += ";trace=1"
	}
	if s.replay != "" {
		settings += fmt.Sprintf(";replay=%s;overrides=%d", s.replay, s.overrides)
	}
	if s.most.steps > 0 {
		settings += fmt.Sprintf(";steps=%d;limit=%d", s.most.steps, s.most.simNS)
	}
	if s.vars != "" {
		settings += ";vars=" + s.vars
	}
	if s.run > 0 {
		settings += fmt.Sprintf(";run=%d", s.run)
	}
	args := []string{fmt.Sprintf("-test.count=%d", max(s.count, 1)), "-test.run=" + s.tests, "-test.timeout=10m", "-test.paniconexit0"}
	if s.failFast {
		args = append(args, "-test.failfast")
	}
	if s.verbose {
		args = append(args, "-test.v")
	}
	args = append(args, withSkip(b.flags, s.skip)...) // the last may be arguments
	limit := b.timeout() + time.Minute                // go test's own alarm needs a process that runs
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(bounded, b.file, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // with all stacks
	cmd.Dir = b.dir
	cmd.Env = append(environment(), "GOTRACEBACK=all", "GOMAXPROCS=2", sim.Env+"="+settings)
	tmp, err := b.temporary(cmd, filepath.Join(dir, "tmp"))
	if err != nil {
		return nil, err
	}
	defer tmp.Close()
	cmd.SysProcAttr = ownGroup()
	runtime.LockOSThread() // with which it would end
	defer runtime.UnlockOSThread()
	cmd.WaitDelay = 5 * time.Second
	var out transcript
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	p.output, p.failed = out.String(), err != nil
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if cmd.ProcessState == nil {
		return nil, b.notStarted(err)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && bounded.Err() == nil {
		p.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		p.rss = usage.Maxrss
	}
	if bounded.Err() != nil {
		p.output += fmt.Sprintf("\nassay sim: this process did not end within %v\n", limit)
	} else if _, exited := err.(*exec.ExitError); err != nil && !exited {
		return nil, fmt.Errorf("%s: %w", b.pkg, err)
	}
	return p, p.read(report)
}

// notStarted says why the system does not run a test binary.
func (b *program) notStarted(err error) error {
	hint := ""
	if errors.Is(err, fs.ErrPermission) {
		hint = fmt.Sprintf(": may files in %s be executed? TMPDIR names another folder", os.TempDir())
	}
	return fmt.Errorf("%s: its test binary cannot be started: %w%s", b.pkg, err, hint)
}

// folderOf is the name made as long as any other's: the length of a path can move addresses.
func folderOf(name string) string { return strings.Repeat("_", max(0, 4-len(name))) + name }

// ofWorker is the name for one of several at once.
func ofWorker(n int) string { return fmt.Sprintf("w%03d", n) }

// timeout is go test's: ten minutes where the flags say nothing.
func (b *program) timeout() time.Duration {
	limit := 10 * time.Minute
	for _, flag := range b.flags {
		if text, ok := strings.CutPrefix(flag, "-test.timeout="); ok {
			if d, err := time.ParseDuration(text); err == nil {
				limit = d
			}
		}
	}
	if limit <= 0 { // none
		limit = 1 << 62
	}
	return limit
}

// environment is that of this process without what differs from one shell to the next.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "_", "OLDPWD", "SHLVL", "TMPDIR", "GOTMPDIR", "GOTRACEBACK", "GOMAXPROCS", "PWD", sim.Env:
		default:
			env = append(env, v)
		}
	}
	return env
}

func (p *process) read(file string) error {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil // no simulation began
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var line struct{ Begin, Dying, End, After *sim.Report }
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return fmt.Errorf("report of a test binary: %w", err)
		}
		if line.Begin != nil {
			p.lost = line.Begin
		}
		if line.Dying != nil {
			p.lost = line.Dying
		}
		if line.End != nil {
			p.reports = append(p.reports, *line.End)
			p.ended = append(p.ended, *line.End)
			p.lost = nil
		}
		if line.After != nil {
			p.after(*line.After)
		}
	}
	if !p.failed && (p.lost != nil || len(p.ended) > 0) {
		p.failed = true
		p.output += "\nassay sim: this process ended with status 0 before its tests had ended\n"
	}
	p.cutShort()
	if p.lost != nil {
		p.lost.Failed = true
	}
	return in.Err()
}

// all are the reports, with that of a simulation which took the process with it.
func (p *process) all() []sim.Report {
	if p.lost == nil {
		return p.reports
	}
	return append(slices.Clip(p.reports), *p.lost)
}

// last is the last seed that a process came to.
func (p *process) last(from uint64) uint64 {
	for _, r := range p.all() {
		from = max(from, r.Seed)
	}
	return from
}

// of returns what a process says of a simulation.
func (p *process) of(s subject) *sim.Report {
	for i, r := range p.reports {
		if about(r) == s {
			return &p.reports[i]
		}
	}
	if p.lost != nil && about(*p.lost) == s {
		return p.lost
	}
	return nil
}

// about is the simulation that a report is about.
func about(r sim.Report) subject { return subject{r.Test, r.Seed, r.Run} }
