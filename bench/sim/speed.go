package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/assay-dev/assay/sim"
)

// speed measures how much simulated time, and how many seeds, a second of one processor gives.
func speed(b *bench, flags *flag.FlagSet, args []string) error {
	rounds := flags.Int("rounds", 3, "rounds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PACKAGE\tTESTS\tSEEDS\tSEEDS A CPU SECOND\tSIMULATED SECONDS A CPU SECOND\tPEAK MB")
	for i, p := range []struct {
		dir, pkg, tests string
		seeds           int
	}{
		{"examples/sim", "./network", "^TestRaftFive$", 6},
		{"examples/sim", "./network", "^TestRaftFiveQuick$", 3},
		{"examples/sim", "./outbox", "", 200},
		{"examples/sim", "./retry", "", 200},
		{"examples/sim", "./payments", "", 200},
		{"examples/sim", "./register", "^TestTheRegisterIsLinearizable$", 10},
		{".", "./sim/simtest", "^TestManyHosts$", 10},
	} {
		c := comparison{b: b, pkg: p.pkg, dir: filepath.Join(p.dir, p.pkg)}
		var err error
		if c.file, err = b.build(fmt.Sprintf("s%d.test", i), p.dir, p.pkg, true); err != nil {
			return err
		}
		var seeds, simulated []float64
		peak := 0.0
		for round := range *rounds {
			used, all, mb, err := c.timed(p.tests, p.seeds, 1+round*p.seeds)
			if err != nil {
				return err
			}
			passed := 0.0
			for _, r := range all {
				passed += time.Duration(r.SimNS).Seconds()
			}
			seeds, simulated, peak = append(seeds, float64(p.seeds)/used.Seconds()), append(simulated, passed/used.Seconds()), max(peak, mb)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%.0f\t%.0f\n", p.pkg, p.tests, p.seeds, median(seeds), median(simulated), peak)
	}
	return w.Flush()
}

// timed runs seeds in one process, and returns its processor time and peak memory.
func (c *comparison) timed(tests string, seeds, from int) (time.Duration, map[string]sim.Report, float64, error) {
	all := map[string]sim.Report{}
	var last *exec.Cmd
	err := c.start(all, 0, uint64(from), seeds, tests, 1, &last)
	if err != nil || last.ProcessState == nil {
		return 0, nil, 0, err
	}
	return last.ProcessState.UserTime() + last.ProcessState.SystemTime(), all, peakMB(last.ProcessState), nil
}
