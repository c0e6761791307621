package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/simrun"
)

// shrink makes the failures of several seeds small, one after the other, as "assay sim" does, and prints a row for each. What makes a test
// fail is the caller's (OUTBOX_DEFECT=look-first); rows are those of Markdown.
func shrink(b *bench, flags *flag.FlagSet, args []string) error {
	most := flags.Int("n", 6, "failing seeds of each test")
	seeds := flags.Int("seeds", 2000, "seeds that they are looked for among")
	tests := flags.String("run", "", "only tests that match")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("which packages: folders with one each, as examples/sim/outbox")
	}
	fmt.Println("| bug | seed, mode | before | after | runs | other seeds | seconds |\n|---|---|---|---|---|---|---|")
	for _, dir := range flags.Args() {
		o := simrun.Options{Dir: dir, Tests: *tests, Seed: 1, Seeds: *seeds, Go: *b.goCommand, All: true, NoShrink: true, NoSave: true}
		all, err := simrun.Run(b.ctx, o)
		if err != nil {
			return err
		}
		if len(all.Failures) == 0 {
			return fmt.Errorf("%s: none of %d seeds fails: is its defect asked for?", dir, *seeds)
		}
		done := map[string]int{}
		for _, f := range all.Failures {
			if done[f.Test]++; done[f.Test] > *most {
				continue
			}
			o := o
			o.Tests, o.Seed, o.Seeds, o.All, o.NoShrink = "^"+f.Test+"$", f.Seed, 1, false, false
			if err := b.small(filepath.Base(dir)+"."+f.Test, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) small(name string, o simrun.Options) error {
	res, err := simrun.Run(b.ctx, o)
	if err != nil {
		return err
	}
	for _, f := range res.Failures {
		after := fmt.Sprint(len(f.Shrunk))
		if f.Unshrunk != "" {
			after = f.Unshrunk
		}
		fmt.Printf("| %s | %d, %s | %d | %s | %d | %d | %.1f |\n",
			name, f.Seed, f.Mode, len(f.Decisions), after, f.ShrinkRuns, f.ShrinkSeeds, (time.Duration(f.ShrinkMS) * time.Millisecond).Seconds())
	}
	return nil
}
