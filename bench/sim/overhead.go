package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/assay-dev/assay/sim"
)

// A variant is a binary and how it is started.
type variant struct {
	name, file, env string
}

// overhead lets plain Go and the overlay take turns.
func overhead(b *bench, flags *flag.FlagSet, args []string) error {
	rounds := flags.Int("rounds", 7, "rounds, after one that is not counted")
	mode := flags.String("mode", "uniform/4", "mode of schedules")
	scale := flags.String("scale", "1", "so many times shorter")
	only := flags.String("only", "", "one program")
	if err := flags.Parse(args); err != nil {
		return err
	}
	plain, err := b.build("plain.test", ".", "./bench/sim/load", false)
	if err != nil {
		return err
	}
	over, err := b.build("over.test", ".", "./bench/sim/load", true)
	if err != nil {
		return err
	}
	variants := []variant{
		{"plain", plain, "X=1"},
		{"off", over, "X=1"},
		{"on", over, sim.Env + "=seed=7;mode=" + *mode},
	}
	all := map[string][]float64{} // by variant and program
	for round := range *rounds + 1 {
		for _, v := range variants {
			if err := v.run(b, *scale, *only, round > 0, all); err != nil {
				return err
			}
		}
	}
	return printOverhead(all)
}

func (v variant) run(b *bench, scale, only string, count bool, all map[string][]float64) error {
	cmd := exec.CommandContext(b.ctx, v.file, "-test.run=^TestInside$|^TestOutside$")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "LOAD_SCALE="+scale, "LOAD_ONLY="+only, v.env)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", v.name, err, out)
	}
	for in := bufio.NewScanner(bytes.NewReader(out)); in.Scan(); {
		f := strings.Split(in.Text(), "\t")
		if len(f) != 3 || !count {
			continue
		}
		ps, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			return err
		}
		key := v.name + "\t" + f[0] + "\t" + f[1]
		all[key] = append(all[key], ps/1000)
	}
	return nil
}

func printOverhead(all map[string][]float64) error {
	var keys []string
	for key := range all {
		if rest, ok := strings.CutPrefix(key, "plain\t"); ok {
			keys = append(keys, rest)
		}
	}
	slices.Sort(keys)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHERE\tWHAT\tPLAIN NS\tOVERLAY NS\tRATIO\tWITHOUT ASSAY_SIM\tRATIO")
	for _, key := range keys {
		plain, on, off := all["plain\t"+key], all["on\t"+key], all["off\t"+key]
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.2f\t%.1f\t%.2f\n", key, median(plain), median(on), ratio(on, plain), median(off), ratio(off, plain))
	}
	return w.Flush()
}

// ratio is the median of the rounds' ratios.
func ratio(a, b []float64) float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i]/b[i])
	}
	return median(all)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}
