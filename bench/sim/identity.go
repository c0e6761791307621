package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/sim"
)

// programs of the identity: all that could differ between two runs of a seed. What has dependencies lies in a module of its own.
func mixed() [][2]string {
	return [][2]string{{".", "./sim/simtest"}, {"examples/sim", "./network"}}
}

// A comparison is two runs of each seed, of all tests of a package.
type comparison struct {
	b         *bench
	pkg       string
	file, dir string
	among     bool // the second run comes after other seeds, in one process
	short     bool

	mu      sync.Mutex
	pairs   int // compared
	same    int
	traces  map[string]map[string]bool // by test
	seeds   map[string]int
	outside int
	lines   []string // of what differs
}

// identity runs each seed twice, in two processes, and compares traces. An error is that some differ.
func identity(b *bench, flags *flag.FlagSet, args []string) error {
	from := flags.Uint64("seed", 1, "the first seed")
	seeds := flags.Int("seeds", 100, "how many")
	load := flags.Int("load", 0, "goroutines that spin meanwhile")
	workers := flags.Int("workers", 2, "pairs of processes at once")
	among := flags.Bool("among", false, "the second run of a seed comes after others in one process; else each has its own")
	only := flags.String("package", "", "only this package")
	tests := flags.String("run", "", "only tests that match")
	short := flags.Bool("short", true, "without the longest")
	if err := flags.Parse(args); err != nil {
		return err
	}
	stop := spin(b.ctx, *load)
	defer stop()
	total, same := 0, 0
	for i, m := range mixed() {
		if *only != "" && *only != m[1] {
			continue
		}
		c := comparison{b: b, pkg: m[1], among: *among, short: *short, traces: map[string]map[string]bool{}, seeds: map[string]int{}}
		var err error
		c.file, err = b.build(fmt.Sprintf("p%d.test", i), m[0], m[1], true)
		if err != nil {
			return err
		}
		c.dir = filepath.Join(m[0], m[1])
		began := time.Now()
		if err := c.all(*from, *seeds, *workers, *tests); err != nil {
			return err
		}
		c.print(time.Since(began))
		total, same = total+c.pairs, same+c.same
	}
	fmt.Printf("%d of %d pairs of runs have one trace\n", same, total)
	if same != total || total == 0 {
		return errors.New("not every seed is one run")
	}
	return nil
}

// spin keeps processors busy.
func spin(ctx context.Context, n int) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	for range n {
		go func() {
			for ctx.Err() == nil {
			}
		}()
	}
	return stop
}

const chunk = 10 // seeds of one job

func (c *comparison) all(from uint64, seeds, workers int, tests string) error {
	jobs := make(chan uint64)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for first := range jobs {
				if errs[w] == nil {
					errs[w] = c.pair(w, first, min(chunk, seeds-int(first-from)), tests)
				}
			}
		})
	}
	for i := 0; i < seeds; i += chunk {
		jobs <- from + uint64(i)
	}
	close(jobs)
	wg.Wait()
	return errors.Join(errs...)
}

// pair runs some seeds twice.
func (c *comparison) pair(w int, from uint64, n int, tests string) error {
	first, second := map[string]sim.Report{}, map[string]sim.Report{}
	for i := range n {
		seed := from + uint64(i)
		if err := c.run(first, w, seed, 1, tests, 1+int(seed%8)); err != nil {
			return err
		}
		if c.among {
			continue
		}
		if err := c.run(second, w, seed, 1, tests, 1+int(seed/8%8)); err != nil {
			return err
		}
	}
	if c.among {
		if err := c.run(second, w, from, n, tests, 4); err != nil {
			return err
		}
	}
	c.compare(first, second)
	return nil
}

func (c *comparison) compare(first, second map[string]sim.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, a := range first {
		b, there := second[key]
		c.pairs++
		if c.traces[a.Test] == nil {
			c.traces[a.Test] = map[string]bool{}
		}
		c.traces[a.Test][a.Trace] = true
		c.seeds[a.Test]++
		if a.Outside != nil || b.Outside != nil {
			c.outside++
		}
		if there && a.Trace == b.Trace && a.Failed == b.Failed && a.Trace != "" {
			c.same++
			continue
		}
		c.lines = append(c.lines, fmt.Sprintf("%s, seed %d, %s: trace %s after %d steps, and %s after %d", a.Test, a.Seed, a.Mode, a.Trace, a.Steps, b.Trace, b.Steps))
	}
}

// run runs the tests with n seeds in one process, and adds what it reports.
func (c *comparison) run(to map[string]sim.Report, w int, seed uint64, n int, tests string, procs int) error {
	return c.start(to, w, seed, n, tests, procs, new(*exec.Cmd))
}

// start is run, with the process at hand.
func (c *comparison) start(to map[string]sim.Report, w int, seed uint64, n int, tests string, procs int, started **exec.Cmd) error {
	dir := filepath.Join(c.b.work, fmt.Sprintf("worker%02d", w)) // names are as long as each other: a longer one can move addresses
	report := filepath.Join(dir, "report")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o777)); err != nil {
		return err
	}
	cmd := exec.CommandContext(c.b.ctx, c.file, "-test.run="+tests, fmt.Sprintf("-test.count=%d", n), fmt.Sprintf("-test.short=%v", c.short))
	*started = cmd
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, fmt.Sprintf("GOMAXPROCS=%d", procs), fmt.Sprintf("%s=seed=%020d;report=%s", sim.Env, seed, report))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s, seed %d: %w\n%s", c.pkg, seed, err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
		var line struct{ End *sim.Report }
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return err
		}
		if r := line.End; r != nil {
			to[fmt.Sprintf("%s %d", r.Test, r.Seed)] = *r
		}
	}
	return nil
}

func (c *comparison) print(took time.Duration) {
	var differ []string
	for test, traces := range c.traces {
		if len(traces) != c.seeds[test] {
			differ = append(differ, fmt.Sprintf("%s: %d seeds have %d traces", test, c.seeds[test], len(traces)))
		}
	}
	fmt.Printf("%s: %d of %d pairs have one trace, %d saw something from outside, %v\n", c.pkg, c.same, c.pairs, c.outside, took.Round(time.Second))
	fmt.Printf("  different seeds have different traces in all tests but: %s\n", strings.Join(differ, "; "))
	for i, line := range c.lines {
		if i == 20 {
			fmt.Printf("  and %d more\n", len(c.lines)-i)
			break
		}
		fmt.Println("  " + line)
	}
}
