// Command measure prints how many seeds "assay sim" needs to find each bug of the catalogue, by mode, and how many runs of
// plain "go test" with the race detector. It also holds each mended form to its promise: never.
//
//	cd examples/sim && go run ./catalogue/measure [-plain 10s] [-for 10s] [-cap 20000] [-mended 1000] [-modes pos,portfolio] [name...]
//
// The number of a mode is the median length of 20 searches, each beginning where the one before found the bug.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A bug is one row of catalogue.json.
type bug struct {
	Name, Dir, Test, Library, Bug, Fixed, Link, Kind string
	Depth                                            int
	Forced                                           bool // TestForced brings the bad order about
}

func (b bug) planted() bool { return b.Library == "" }

// A rate is how many runs of a test failed, of how many.
type rate struct{ finds, runs int }

func (r rate) String() string {
	if r.finds == 0 {
		return fmt.Sprintf("none in %d", r.runs)
	}
	return fmt.Sprintf("%d in %d", r.finds, r.runs)
}

// limits of a measurement.
type limits struct {
	plain, long        time.Duration
	cap, finds, mended int
	modes              []string
}

func main() {
	var l limits
	flag.DurationVar(&l.plain, "plain", 10*time.Second, "how long to run each test plainly, with the race detector")
	flag.DurationVar(&l.long, "for", 10*time.Second, "how long to search for each bug in each mode at most")
	flag.IntVar(&l.cap, "cap", 20000, "how many seeds to try for each bug in each mode at most")
	flag.IntVar(&l.finds, "finds", 20, "how often to find each bug in each mode")
	flag.IntVar(&l.mended, "mended", 1000, "how many seeds of each mended form to run")
	only := flag.String("modes", strings.Join(modes(), ","), "modes, separated by commas; portfolio is what assay sim does by itself")
	flag.Parse()
	l.modes = strings.Split(*only, ",")
	if err := measure(l, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func measure(l limits, names []string) error {
	bugs, err := catalogue(names)
	if err != nil {
		return err
	}
	f, err := newFinder(context.Background(), l.cap, l.long, l.finds)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "measure")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	heads := slices.Concat([]string{"name", "`go test -race -count`"}, l.modes, []string{"mended"})
	fmt.Printf("| %s |\n%s|\n", strings.Join(heads, " | "), strings.Repeat("|---", len(heads)))
	for _, b := range bugs {
		dir := filepath.Join(tmp, b.Name)
		if err := os.Mkdir(dir, 0o777); err != nil {
			return err
		}
		cells, err := row(f, b, dir, l)
		if err != nil {
			return fmt.Errorf("%s: %w", b.Name, err)
		}
		fmt.Printf("| %s | %s |\n", b.Name, strings.Join(cells, " | "))
	}
	return nil
}

// catalogue reads the bugs of some names, or all.
func catalogue(names []string) ([]bug, error) {
	data, err := os.ReadFile("catalogue/catalogue.json")
	if err != nil {
		return nil, err
	}
	var bugs []bug
	if err := json.Unmarshal(data, &bugs); err != nil {
		return nil, fmt.Errorf("catalogue/catalogue.json: %w", err)
	}
	return slices.DeleteFunc(bugs, func(b bug) bool { return len(names) > 0 && !slices.Contains(names, b.Name) }), nil
}

func row(f *finder, b bug, dir string, l limits) ([]string, error) {
	cells := []string{"-"}
	if l.plain > 0 {
		r, err := plain(b, dir, l.plain)
		if err != nil {
			return nil, err
		}
		cells[0] = r.String()
	}
	binary, err := build(b, filepath.Join(dir, "sim"), f.flags()...)
	if err != nil {
		return nil, err
	}
	for _, mode := range l.modes {
		s, err := f.search(binary, b, mode, dir)
		if err != nil {
			return nil, err
		}
		cells = append(cells, s.String())
	}
	m, err := mended(f, b, dir, l)
	return append(cells, m), err
}

// mended runs the form without the bug: in any seed it must pass.
func mended(f *finder, b bug, dir string, l limits) (string, error) {
	flags := f.flags()
	if b.planted() {
		if err := os.Setenv("CATALOGUE_MENDED", "1"); err != nil {
			return "", err
		}
		defer os.Unsetenv("CATALOGUE_MENDED")
	} else {
		flags = append(flags, "-modfile=fixed.mod")
	}
	binary, err := build(b, filepath.Join(dir, "mended"), flags...)
	if err != nil {
		return "", err
	}
	never := *f
	never.cap, never.long = l.mended, time.Minute
	s, err := never.search(binary, b, portfolio, dir)
	return s.String(), err
}

// plain runs a test as go test does, many times, in processes of 2,000 runs.
func plain(b bug, dir string, long time.Duration) (rate, error) {
	binary, err := build(b, filepath.Join(dir, "race"), "-race")
	if err != nil {
		return rate{}, err
	}
	var all rate
	for end := time.Now().Add(long); time.Now().Before(end); {
		r, err := run(binary, b, 2000, time.Until(end)+15*time.Second)
		if err != nil {
			return rate{}, err
		}
		all.finds += r.finds
		all.runs += r.runs
	}
	return all, nil
}

func build(b bug, binary string, flags ...string) (string, error) {
	cmd := exec.Command("go", slices.Concat([]string{"test", "-c", "-o", binary}, flags, []string{"."})...)
	cmd.Dir = filepath.Join("catalogue", b.Dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return binary, nil
}

// run runs the test n times in one process, or until it takes the process down.
func run(binary string, b bug, n int, limit time.Duration) (rate, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run=^"+b.Test+"$", fmt.Sprintf("-test.count=%d", n), "-test.v", "-test.timeout=0")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return rate{}, err
	}
	begun, passed := bytes.Count(out, []byte("=== RUN")), bytes.Count(out, []byte("--- PASS"))
	if ctx.Err() != nil { // the last was cut off by us
		begun = passed + bytes.Count(out, []byte("--- FAIL"))
	}
	return rate{begun - passed, begun}, nil
}
