package simrun

import "testing"

// What the standard library makes ready once in a process takes no part in a seed: one that runs alone and one that runs after others are the same.
func TestCaches(t *testing.T) {
	bin := *built(t, "caches")
	bin.work = t.TempDir()
	o := options()
	o.Seeds, o.Workers, o.Audit, o.Events = 12, 2, true, t.TempDir()
	res := &Result{}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(res.Tests) != 10 {
		t.Errorf("got %d tests", len(res.Tests))
	}
	for _, d := range res.Differences {
		t.Errorf("%s, seed %d: %s\n  %v\n  %s\n  %s", d.Test, d.Seed, d.Why, d.Before, d.First, d.Second)
	}
	for _, test := range res.Tests {
		if test.Failed > 0 || test.Seeds != o.Seeds {
			t.Errorf("%s: %d seeds, %d failed", test.Name, test.Seeds, test.Failed)
		}
	}
}
