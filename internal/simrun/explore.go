package simrun

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/sim"
)

// An explorer runs one package's simulations over seeds.
type explorer struct {
	o     *Options
	bin   *program
	res   *Result
	until time.Time

	mu    sync.Mutex
	tests map[string]*Test
	next  uint64 // the first seed that no worker has
	turn  int    // jobs given out
	stop  bool
}

func (x *explorer) explore(ctx context.Context) error {
	if x.o.Audit {
		return x.audit(ctx)
	}
	if err := x.again(ctx); err != nil || x.stop {
		return err
	}
	if err := x.selfTest(ctx); err != nil {
		return err
	}
	if x.stop || len(x.tests) == 0 || x.o.Replay != "" {
		return nil
	}
	var wg sync.WaitGroup
	errs := make([]error, x.o.Workers)
	for w := range x.o.Workers {
		wg.Go(func() { errs[w] = x.worker(ctx, w) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// A job is some seeds for one process.
type job struct {
	tests string // regular expression
	from  uint64
	n     int
	fresh *Test    // the one test that has the process for itself
	had   []string // tests that had the first seed already
}

// worker takes jobs until there are no more, or the time is over, or somebody found a failure.
func (x *explorer) worker(ctx context.Context, w int) error {
	batch := 1
	for {
		j := x.claim(batch)
		if j.n == 0 {
			return nil
		}
		began := time.Now()
		if err := x.do(ctx, w, j); err != nil {
			return err
		}
		if j.fresh == nil && time.Since(began) < 2*time.Second { // a process costs more than most seeds
			batch *= 2
		}
	}
}

// do runs a job, in several processes where one ends early and the search goes on.
func (x *explorer) do(ctx context.Context, w int, j job) error {
	for j.n > 0 && j.tests != "" && !x.stopped() {
		s := start{name: ofWorker(w), tests: j.tests, seed: j.from, step: 1, count: j.n, mode: x.o.Mode, failFast: !x.o.All}
		p, err := x.bin.run(ctx, s)
		if err != nil {
			return err
		}
		x.take(p, j)
		carried, err := x.failures(ctx, p, j)
		if err != nil || !p.failed {
			return err
		}
		from := p.last(j.from)
		j.had = nil
		if !carried || x.o.All {
			if s.seed = from; j.fresh == nil {
				if err := x.rest(ctx, s, p, false); err != nil {
					return err
				}
			}
			from++
		} else { // tests that come after it have not had this seed
			for _, r := range p.all() {
				if r.Seed == from {
					j.had = append(j.had, r.Test)
				}
			}
		}
		j.n -= int(from - j.from)
		j.from = from
		if j.fresh == nil {
			j.tests = x.shared()
		}
	}
	return nil
}

// claim hands out seeds: tests that need processes of their own take turns with those that share.
func (x *explorer) claim(batch int) job {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stop || x.o.For > 0 && time.Now().After(x.until) {
		return job{}
	}
	x.turn++
	j := job{from: x.next, n: x.left(x.next, batch), tests: x.topLevel()}
	if j.tests == "" {
		j.n = 0
	}
	if j.n == 0 || x.turn%2 == 0 {
		if t := x.nextFresh(); t != nil {
			j = job{from: t.next, n: 1, tests: exactly(t.Name), fresh: t}
			t.next++
			return j
		}
	}
	x.next += uint64(j.n)
	return j
}

// left is how many of n seeds there are from one on.
func (x *explorer) left(from uint64, n int) int {
	if x.o.For > 0 {
		return n
	}
	return max(0, min(n, int(x.o.Seed+uint64(x.o.Seeds)-from)))
}

// nextFresh is the test with seeds left that is furthest behind.
func (x *explorer) nextFresh() *Test {
	var first *Test
	for _, t := range x.res.Tests {
		if t.Package == x.bin.pkg && t.Fresh && x.left(t.next, 1) > 0 && (first == nil || t.next < first.next) {
			first = t
		}
	}
	return first
}

func (x *explorer) stopped() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stop
}

func (x *explorer) shared() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.topLevel()
}

// topLevel is the expression for the simulations that share processes, "" for none. The caller holds the lock.
func (x *explorer) topLevel() string {
	var names []string
	for name, t := range x.tests {
		top, _, _ := strings.Cut(name, "/")
		switch {
		case t.Fresh:
		case strings.Contains(x.o.Tests, "/"): // some parts of a test
			names = append(names, exactly(name))
		default:
			names = append(names, regexp.QuoteMeta(top))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	if strings.Contains(x.o.Tests, "/") {
		return strings.Join(names, "|")
	}
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}

// take adds what a process reports. What a test that needs processes of its own did among others does not count.
func (x *explorer) take(p *process, j job) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range p.all() {
		if t := x.test(r.Test); (!t.Fresh || t == j.fresh) && (r.Seed != j.from || !slices.Contains(j.had, r.Test)) {
			t.add(r)
		}
	}
}

func (x *explorer) test(name string) *Test {
	t := x.tests[name]
	if t == nil {
		t = &Test{Package: x.bin.pkg, Name: name, module: x.bin.module}
		x.tests[name] = t
		x.res.Tests = append(x.res.Tests, t)
	}
	return t
}

// outside ends the search where a process failed and none of its simulations did: a test that is none, or one that failed before
// it was one, or what comes after all tests. What seeds would have shown is not known.
func (x *explorer) outside(p *process) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stop {
		return
	}
	x.stop = true
	text := strings.ReplaceAll(tail(p.output), "\n", "\n  > ")
	x.res.Reasons = append(x.res.Reasons, fmt.Sprintf("%s failed outside its simulations (--run REGEXP picks tests):\n  > %s", x.bin.pkg, text))
}

// failures keeps what failed in a process, certified. It reports whether something failed there
// that does not fail in a process of its own: the search goes on for that test with a process for each seed.
func (x *explorer) failures(ctx context.Context, p *process, j job) (carried bool, err error) {
	if names := p.failedTests(); len(names) > 0 {
		x.plain(names, p)
	} else if p.failed && !slices.ContainsFunc(p.all(), func(r sim.Report) bool { return r.Failed }) {
		x.outside(p)
		return false, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range p.all() {
		t := x.test(r.Test)
		if !r.Failed || t.Fresh && t != j.fresh || x.known(r) {
			continue
		}
		if x.stop {
			return carried, nil // something failed before
		}
		f := &Failure{
			Package: x.bin.pkg, Test: r.Test, Seed: r.Seed, Run: r.Run, Mode: r.Mode, Go: x.res.Go, Events: r.Events, Points: r.Points, FailedAt: r.FailedAt,
		}
		again, err := x.certify(ctx, f, r)
		if err != nil && ctx.Err() != nil {
			f.Doubt, f.Output = "interrupted before it was run again", tail(p.output)
			x.res.Failures = append(x.res.Failures, f)
		}
		if err != nil {
			return carried, err
		}
		if !again && j.fresh == nil && x.o.Replay == "" {
			x.o.Story("%s: seed %d failed in a process that had run others before, and not in one of its own; from here on each seed has its own", t.Name, r.Seed)
			t.alone(x.o.Seed, r.Seed)
			carried = true
			continue
		}
		x.res.Failures = append(x.res.Failures, f)
		x.stop = f.Certified && !x.o.All
	}
	return carried, nil
}

const mostDoubts = 3 // failures of one test that may be uncertain: each costs two processes

// known says whether a failure is told already, or enough of its test. The caller holds the lock.
func (x *explorer) known(r sim.Report) bool {
	doubts := 0
	for _, f := range x.res.Failures {
		if f.Package != x.bin.pkg || f.Test != r.Test {
			continue
		}
		if f.subject() == about(r) {
			return true
		}
		if !f.Certified {
			doubts++
		}
	}
	return doubts >= mostDoubts
}
