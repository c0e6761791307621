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
	stop  bool
}

func (x *explorer) explore(ctx context.Context) error {
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

// selfTest runs the first seed twice, in two processes: what differs is not a function of the seed.
func (x *explorer) selfTest(ctx context.Context) error {
	x.tests = map[string]*Test{}
	x.next = x.o.Seed + 1
	s := start{name: "a", tests: x.o.Tests, seed: x.o.Seed, mode: x.o.Mode}
	if x.o.Replay != "" {
		file, n, err := overrides(x.o.Replay, x.bin.work)
		if err != nil {
			return err
		}
		s.replay, s.overrides = file, n
	}
	x.o.Story("%s: seed %d twice", x.bin.pkg, x.o.Seed)
	first, err := x.bin.run(ctx, s)
	if err != nil {
		return err
	}
	s.name = "b"
	second, err := x.bin.run(ctx, s)
	if err != nil {
		return err
	}
	if len(first.reports) == 0 && first.lost == nil {
		if first.failed {
			return fmt.Errorf("%s: %w\n%s", x.bin.pkg, errNoReport, first.output)
		}
		return nil
	}
	x.take(first)
	for name, t := range x.tests {
		a, b := first.of(name, x.o.Seed), second.of(name, x.o.Seed)
		switch {
		case a == nil || b == nil:
			t.Differs = fmt.Sprintf("two processes with seed %d did not run the same tests", x.o.Seed)
		case a.Trace != b.Trace || a.Failed != b.Failed:
			t.Differs = fmt.Sprintf("two runs of seed %d differ (trace %s, %s)", x.o.Seed, word(a.Trace), word(b.Trace))
		}
	}
	return x.failures(ctx, first)
}

func word(trace string) string {
	if trace == "" {
		return "cut short"
	}
	return trace
}

// worker takes batches of seeds until there are no more, or the time is over, or somebody found a failure.
func (x *explorer) worker(ctx context.Context, w int) error {
	batch := 1
	for {
		from, n := x.claim(batch)
		if n == 0 {
			return nil
		}
		began := time.Now()
		p, err := x.bin.run(ctx, start{
			name: string(rune('c' + w%20)), tests: x.topLevel(), seed: from, step: 1, count: n, mode: x.o.Mode, failFast: true,
		})
		if err != nil {
			return err
		}
		x.take(p)
		if err := x.failures(ctx, p); err != nil {
			return err
		}
		if time.Since(began) < 2*time.Second { // a process costs more than most seeds
			batch *= 2
		}
	}
}

// claim hands out seeds.
func (x *explorer) claim(batch int) (from uint64, n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stop {
		return 0, 0
	}
	if x.o.For > 0 {
		if time.Now().After(x.until) {
			return 0, 0
		}
		n = batch
	} else {
		n = min(batch, int(x.o.Seed+uint64(x.o.Seeds)-x.next))
	}
	from = x.next
	x.next += uint64(max(n, 0))
	return from, max(n, 0)
}

// topLevel is the expression for the tests that are simulations.
func (x *explorer) topLevel() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var names []string
	for name := range x.tests {
		top, _, _ := strings.Cut(name, "/")
		names = append(names, regexp.QuoteMeta(top))
	}
	slices.Sort(names)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}

// take adds what a process reports.
func (x *explorer) take(p *process) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range p.reports {
		x.test(r.Test).add(r)
	}
	if p.lost != nil {
		x.test(p.lost.Test).add(*p.lost)
	}
}

func (x *explorer) test(name string) *Test {
	t := x.tests[name]
	if t == nil {
		t = &Test{Package: x.bin.pkg, Name: name}
		x.tests[name] = t
		x.res.Tests = append(x.res.Tests, t)
	}
	return t
}

// failures keeps what failed in a process, certified.
func (x *explorer) failures(ctx context.Context, p *process) error {
	var failed []sim.Report
	for _, r := range p.reports {
		if r.Failed {
			failed = append(failed, r)
		}
	}
	if p.lost != nil {
		failed = append(failed, *p.lost)
	}
	if len(failed) == 0 {
		if p.failed {
			return fmt.Errorf("%s failed outside its simulations:\n%s", x.bin.pkg, tail(p.output))
		}
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stop {
		return nil // another worker was first
	}
	x.stop = !x.o.All
	for _, r := range failed {
		f := &Failure{Package: x.bin.pkg, Test: r.Test, Seed: r.Seed, Mode: r.Mode, Go: x.res.Go, Events: r.Events, Points: r.Points}
		if err := x.certify(ctx, f, r); err != nil {
			return err
		}
		x.res.Failures = append(x.res.Failures, f)
		if !x.o.All {
			break
		}
	}
	return nil
}
