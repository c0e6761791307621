package simrun

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A Difference is where two runs of one seed part.
type Difference struct {
	Package string   `json:"package"`
	Test    string   `json:"test"`
	Seed    uint64   `json:"seed"`
	Why     string   `json:"why"`
	Event   int      `json:"event,omitempty"`  // its number, from 1; 0 where it was not seen again
	Before  []string `json:"before,omitempty"` // the last that both have
	First   string   `json:"first,omitempty"`
	Second  string   `json:"second,omitempty"`
	Files   []string `json:"files,omitempty"`
	run     int      // of the test's simulations
}

const (
	auditBatch = 8 // seeds of one process
	auditTries = 3 // pairs of runs in which a difference is looked for again
)

// audit runs each seed twice, in a process that ran others before it and in one of its own. It goes on after failures. A test that takes its process
// with it has processes of its own, and so have all with --fresh: then both are its own.
func (x *explorer) audit(ctx context.Context) error {
	x.fill()
	s := start{name: "a", tests: x.o.Tests, seed: x.o.Seed, mode: x.o.Mode}
	var dead []string
	for {
		p, err := x.bin.run(ctx, s)
		if err != nil {
			return err
		}
		for _, r := range p.all() {
			x.test(r.Test)
		}
		if len(x.tests) == 0 && p.failed {
			return fmt.Errorf("%s: %w\n%s", x.bin.pkg, errNoReport, p.output)
		}
		name := p.dead(s.seed)
		if x.tests[name] == nil || slices.Contains(dead, exactly(name)) {
			break
		}
		x.separate(name)
		dead = append(dead, exactly(name))
		s.skip = strings.Join(dead, "|")
	}
	if len(x.tests) == 0 {
		return nil
	}
	if x.o.Fresh {
		for name := range x.tests {
			x.separate(name)
		}
	}
	x.next = x.o.Seed
	var wg sync.WaitGroup
	errs := make([]error, x.o.Workers)
	for w := range x.o.Workers {
		wg.Go(func() { errs[w] = x.auditor(ctx, w) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// separate gives a test processes of its own, from the first seed on.
func (x *explorer) separate(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t := x.tests[name]; t != nil && !t.Fresh {
		t.alone(x.o.Seed, 0)
	}
}

func (x *explorer) auditor(ctx context.Context, w int) error {
	for {
		j := x.claim(auditBatch)
		if j.n == 0 {
			return nil
		}
		x.o.Progress(fmt.Sprintf("%s: seeds %d to %d, each twice", x.bin.pkg, j.from, j.from+uint64(j.n)-1))
		for j.tests != "" {
			dead, err := x.auditJob(ctx, ofWorker(w), j)
			if err != nil {
				return err
			}
			if dead == "" {
				break
			}
			x.separate(dead)
			j.tests = x.shared()
		}
		x.o.Progress("")
	}
}

// auditJob audits some seeds, unless a test that shares processes ends one of them: then it says which, and nothing of the others counts.
func (x *explorer) auditJob(ctx context.Context, name string, j job) (dead string, err error) {
	among, err := x.bin.run(ctx, start{name: name, tests: j.tests, seed: j.from, step: 1, count: j.n, mode: x.o.Mode})
	if err != nil {
		return "", err
	}
	if dead := x.sharing(among.dead(among.last(j.from)), j); dead != "" {
		return dead, nil
	}
	var alone []*process
	for i := range uint64(j.n) {
		p, err := x.bin.run(ctx, start{name: name, tests: j.tests, seed: j.from + i, mode: x.o.Mode})
		if err != nil {
			return "", err
		}
		if dead := x.sharing(p.dead(j.from+i), j); dead != "" {
			return dead, nil
		}
		alone = append(alone, p)
	}
	for _, p := range alone {
		x.take(p, j)
		if err := x.compare(ctx, name, among, p, j.from); err != nil {
			return "", err
		}
	}
	return "", nil
}

// sharing is the name of a test that shares the processes of a job, "" for others.
func (x *explorer) sharing(name string, j job) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t := x.tests[name]; t == nil || t.Fresh || j.fresh != nil {
		return ""
	}
	return name
}

// compare holds two runs of a seed against each other.
func (x *explorer) compare(ctx context.Context, name string, among, alone *process, from uint64) error {
	for _, b := range alone.all() {
		a := among.of(about(b))
		switch {
		case a == nil: // another worker found that its test ends processes, and it is audited by itself
		case a.Trace != b.Trace || a.Failed != b.Failed:
			if err := x.differs(ctx, name, about(b), from); err != nil {
				return err
			}
		case b.Failed:
			if err := x.failed(ctx, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed notes the first failure of a test, run twice more.
func (x *explorer) failed(ctx context.Context, r sim.Report) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, f := range x.res.Failures {
		if f.Test == r.Test && f.Package == x.bin.pkg {
			return nil
		}
	}
	f := &Failure{
		Package: x.bin.pkg, Test: r.Test, Seed: r.Seed, Run: r.Run, Mode: r.Mode, Go: x.res.Go, Points: r.Points, FailedAt: r.FailedAt, again: true,
	}
	if _, err := x.certify(ctx, f, r); err != nil {
		return err
	}
	x.res.Failures = append(x.res.Failures, f)
	return nil
}

// differs looks for the first event in which two runs of a seed differ: the first time for each test.
func (x *explorer) differs(ctx context.Context, name string, s subject, from uint64) error {
	x.mu.Lock()
	t := x.test(s.test)
	first := t.Differs == ""
	if first {
		t.Differs = fmt.Sprintf("two runs of seed %d differ", s.seed)
	}
	x.mu.Unlock()
	if !first {
		return nil
	}
	d := &Difference{Package: x.bin.pkg, Test: s.test, Seed: s.seed, run: s.run}
	if err := x.locate(ctx, name, d, from); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.res.Differences = append(x.res.Differences, d)
	t.Differs = fmt.Sprintf("two runs of seed %d differ: %s", s.seed, d.Why)
	return nil
}

// locate records everything of pairs of runs until two differ: two by themselves, then one after the seeds that were before it.
func (x *explorer) locate(ctx context.Context, name string, d *Difference, from uint64) error {
	alone := start{tests: exactly(d.Test), seed: d.Seed, run: d.run, mode: x.o.Mode, record: true, trace: true}
	after := alone
	after.seed, after.step, after.count = from, 1, int(d.Seed-from)+1
	others := []struct {
		start
		why string
	}{{alone, "in a fresh process each"}, {after, fmt.Sprintf("alone and after the seeds from %d in one process: those left something in it, as in package variables", from)}}
	if d.Seed == from {
		others = others[:1]
	}
	for _, other := range others {
		for range auditTries {
			var logs [2][]byte
			var failed [2]bool
			for i, s := range []start{alone, other.start} {
				s.name = name
				p, err := x.bin.run(ctx, s)
				if err != nil {
					return err
				}
				if r := p.of(subject{d.Test, d.Seed, d.run}); r != nil {
					failed[i] = r.Failed
				}
				if logs[i], err = os.ReadFile(p.record); err != nil && !os.IsNotExist(err) {
					return err
				}
			}
			if d.part(logs) {
				d.Why = fmt.Sprintf("in event %d, run %s", d.Event, other.why)
				return x.keepEvents(d, logs)
			}
			if failed[0] != failed[1] {
				d.Why = "one fails and the other does not, with the same events: run " + other.why
				return x.keepEvents(d, logs)
			}
		}
	}
	d.Why = fmt.Sprintf("in a process that ran others before it, and not again in %d pairs", len(others)*auditTries)
	return nil
}

// part finds the first line in which two logs differ.
func (d *Difference) part(logs [2][]byte) bool {
	a, b := bufio.NewReader(bytes.NewReader(logs[0])), bufio.NewReader(bytes.NewReader(logs[1]))
	var before []string
	for n := 1; ; n++ {
		la, ea := a.ReadBytes('\n')
		lb, eb := b.ReadBytes('\n')
		if ea == io.EOF && eb == io.EOF {
			return false
		}
		if bytes.Equal(la, lb) {
			before = append(before[max(0, len(before)-2):], string(la))
			continue
		}
		d.Event, d.First, d.Second = n, happened(la), happened(lb)
		if d.First == d.Second { // by what words leave out
			d.First, d.Second = strings.TrimSpace(string(la)), strings.TrimSpace(string(lb))
		}
		for _, line := range before {
			d.Before = append(d.Before, happened([]byte(line)))
		}
		return true
	}
}

// happened says in words what a line of a log says.
func happened(line []byte) string {
	if len(line) == 0 {
		return "nothing: the run has ended"
	}
	var d sim.Decision
	if err := json.Unmarshal(line, &d); err != nil {
		return string(line)
	}
	switch at := time.Duration(d.AtNS); d.Kind {
	case "run":
		return fmt.Sprintf("at %v %s runs, %d others could", at, goroutine(d.Goroutine, d.Where), d.N)
	case "time":
		return fmt.Sprintf("at %v time goes on to %v", at, time.Duration(d.Key))
	case "note":
		return fmt.Sprintf("at %v %s says something (hash %x)", at, goroutine(d.Goroutine, d.Where), d.Key)
	}
	return explain(d)
}

// keepEvents writes both logs where that was asked for.
func (x *explorer) keepEvents(d *Difference, logs [2][]byte) error {
	if x.o.Events == "" {
		return nil
	}
	if err := os.MkdirAll(x.o.Events, 0o777); err != nil {
		return err
	}
	for i, log := range logs {
		file := filepath.Join(x.o.Events, fmt.Sprintf("%s-seed%d-%c.jsonl", url.PathEscape(d.Test), d.Seed, 'a'+i))
		if err := os.WriteFile(file, log, 0o666); err != nil {
			return err
		}
		d.Files = append(d.Files, file)
	}
	return nil
}

func (d *Difference) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s %s, seed %d: %s\n", d.Package, d.Test, d.Seed, d.Why)
	for _, e := range d.Before {
		fmt.Fprintf(b, "  both    %s\n", e)
	}
	if d.Event > 0 {
		fmt.Fprintf(b, "  first   %s\n  second  %s\n", d.First, d.Second)
	}
	for _, f := range d.Files {
		fmt.Fprintf(b, "  events: %s\n", f)
	}
}
