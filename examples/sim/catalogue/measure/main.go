// Command measure runs the tests of the catalogue plainly, many times, and prints how often each finds its bug: without the race
// detector and with it. It is what a search by seeds is compared with. It also holds each mended form to its promise: never.
//
//	cd examples/sim && go run ./catalogue/measure [-for 20s] [-fixed 1000] [name...]
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

func main() {
	long := flag.Duration("for", 20*time.Second, "how long to run each test in each form")
	fixed := flag.Int("fixed", 1000, "how often to run each mended form")
	flag.Parse()
	if err := measure(*long, *fixed, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func measure(long time.Duration, fixed int, names []string) error {
	data, err := os.ReadFile("catalogue/catalogue.json")
	if err != nil {
		return err
	}
	var bugs []bug
	if err := json.Unmarshal(data, &bugs); err != nil {
		return fmt.Errorf("catalogue/catalogue.json: %w", err)
	}
	tmp, err := os.MkdirTemp("", "measure")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	fmt.Println("| name | plain | -race | mended |\n|---|---|---|---|")
	for _, b := range bugs {
		if len(names) > 0 && !slices.Contains(names, b.Name) {
			continue
		}
		if err := row(b, tmp, long, fixed); err != nil {
			return fmt.Errorf("%s: %w", b.Name, err)
		}
	}
	return nil
}

func row(b bug, tmp string, long time.Duration, fixed int) error {
	var rates [2]rate
	for i, flags := range [][]string{nil, {"-race"}} {
		binary, err := build(b, filepath.Join(tmp, b.Name), flags...)
		if err != nil {
			return err
		}
		for end := time.Now().Add(long); time.Now().Before(end); {
			r, err := run(binary, b, "", 2000, time.Until(end)+15*time.Second)
			if err != nil {
				return err
			}
			rates[i].finds += r.finds
			rates[i].runs += r.runs
		}
	}
	var flags []string
	if !b.planted() {
		flags = []string{"-modfile=fixed.mod"}
	}
	binary, err := build(b, filepath.Join(tmp, b.Name), flags...)
	if err != nil {
		return err
	}
	mended, err := run(binary, b, "1", fixed, 5*time.Minute)
	if err != nil {
		return err
	}
	fmt.Printf("| %s | %s | %s | %s |\n", b.Name, rates[0], rates[1], mended)
	return nil
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
func run(binary string, b bug, mended string, n int, limit time.Duration) (rate, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run=^"+b.Test+"$", fmt.Sprintf("-test.count=%d", n), "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), "CATALOGUE_MENDED="+mended)
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
