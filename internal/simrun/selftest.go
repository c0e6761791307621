package simrun

import (
	"context"
	"fmt"
)

// selfTest runs the first seed twice, in two processes: what differs is not a function of the seed.
func (x *explorer) selfTest(ctx context.Context) error {
	x.fill()
	x.next = x.o.Seed + 1
	s := start{name: "a", tests: x.o.Tests, seed: x.o.Seed, run: x.o.run, mode: x.o.Mode}
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
	if len(first.all()) == 0 && !first.failed {
		return nil
	}
	x.take(first, job{})
	x.twice(first, second)
	if _, err = x.failures(ctx, first, job{}); err == nil {
		s.name = "a"
		err = x.rest(ctx, s, first, true)
	}
	if err != nil || !x.o.Fresh {
		return err
	}
	for _, t := range x.tests {
		t.alone(x.o.Seed, 0)
	}
	return nil
}

// twice compares two processes that did the same.
func (x *explorer) twice(first, second *process) {
	for _, a := range first.all() {
		b := second.of(about(a))
		switch t := x.test(a.Test); {
		case b == nil:
			t.Differs = fmt.Sprintf("two processes with seed %d did not run the same tests", a.Seed)
		case a.Trace != b.Trace || a.Failed != b.Failed:
			t.Differs = fmt.Sprintf("two runs of seed %d differ (trace %s, %s)", a.Seed, word(a.Trace), word(b.Trace))
		}
	}
	for _, b := range second.all() {
		if first.of(about(b)) == nil {
			x.test(b.Test).Differs = fmt.Sprintf("two processes with seed %d did not run the same tests", b.Seed)
		}
	}
}

func word(trace string) string {
	if trace == "" {
		return "cut short"
	}
	return trace
}
