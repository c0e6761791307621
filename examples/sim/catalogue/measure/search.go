package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/assay-dev/assay/internal/overlay"
	"github.com/assay-dev/assay/sim"
)

// portfolio is what "assay sim" does by itself: each seed has a mode of its own.
const portfolio = "portfolio"

// modes are what searches are compared in.
func modes() []string {
	return []string{"fifo", "uniform/4", "uniform/1", "pct/3/64", "pos", portfolio}
}

// A finder builds tests as "assay sim" does, and runs seeds.
type finder struct {
	overlay overlay.Overlay
	tc      overlay.Toolchain
	atomics []string
	cap     int           // seeds for one bug in one mode
	long    time.Duration // the same in real time
	finds   int           // how often to find it
}

func newFinder(ctx context.Context, cap int, long time.Duration, finds int) (*finder, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	cache := filepath.Join(dir, "assay", "sim")
	tc, err := overlay.Find(ctx, "go", ".", cache)
	if err != nil {
		return nil, err
	}
	o, err := overlay.Make(tc, cache, overlay.Groups()...)
	if err != nil {
		return nil, err
	}
	atomics, err := tc.Atomics("")
	return &finder{overlay: o, tc: tc, atomics: atomics, cap: cap, long: long, finds: finds}, err
}

// flags are those of a build with the overlay.
func (f *finder) flags() []string {
	return append(slices.Clip(f.atomics), "-overlay="+f.overlay.File, "-tags="+overlay.Tag)
}

// A search is the lengths of searches one after the other, each until a seed failed; rest is that of the last, which found nothing.
type search struct {
	lengths []int
	rest    int
}

func (s search) seeds() int {
	n := s.rest
	for _, l := range s.lengths {
		n += l
	}
	return n
}

// String is the median of ten searches or more; of fewer, how many finds there were among how many seeds.
func (s search) String() string {
	n := len(s.lengths)
	switch {
	case n == 0:
		return fmt.Sprintf("none in %d", s.seeds())
	case n < 10:
		return fmt.Sprintf("%d in %d", n, s.seeds())
	}
	sorted := slices.Sorted(slices.Values(s.lengths))
	return strconv.Itoa((sorted[(n-1)/2] + sorted[n/2]) / 2)
}

// search runs seeds from 1 on until the bug was found often enough, or the seeds or the time are spent.
func (f *finder) search(binary string, b bug, mode, dir string) (search, error) {
	var s search
	next, began := 1, time.Now()
	for next <= f.cap && len(s.lengths) < f.finds && time.Since(began) < f.long {
		reports, err := f.process(binary, b, mode, dir, next, min(f.cap-next+1, 500))
		if err != nil {
			return s, err
		}
		if len(reports) == 0 {
			return s, fmt.Errorf("%s: no simulation ran", b.Name)
		}
		for _, r := range reports {
			s.rest++
			if r.Failed {
				s.lengths = append(s.lengths, s.rest)
				s.rest = 0
			}
		}
		next = int(reports[len(reports)-1].Seed) + 1
	}
	return s, nil
}

// process runs some seeds in one process, which may end with the first that takes it along.
func (f *finder) process(binary string, b bug, mode, dir string, from, n int) ([]sim.Report, error) {
	if mode == portfolio {
		mode = ""
	}
	report := filepath.Join(dir, "report")
	if err := os.RemoveAll(report); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-test.run=^"+b.Test+"$", fmt.Sprintf("-test.count=%d", n), "-test.timeout=5m")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=seed=%d;step=1;mode=%s;report=%s", sim.Env, from, mode, report))
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	data, err := os.ReadFile(report)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return read(data)
}

// read reads a report; a simulation that has no end took the process with it.
func read(data []byte) ([]sim.Report, error) {
	var all []sim.Report
	var lost *sim.Report
	in := bufio.NewScanner(bytes.NewReader(data))
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var line struct{ Begin, End *sim.Report }
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return nil, err
		}
		if line.Begin != nil {
			lost = line.Begin
		}
		if line.End != nil {
			all, lost = append(all, *line.End), nil
		}
	}
	if lost != nil {
		lost.Failed = true
		all = append(all, *lost)
	}
	return all, in.Err()
}
