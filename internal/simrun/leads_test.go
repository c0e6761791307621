package simrun

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// these are decisions by number.
func these(indexes ...uint64) []sim.Decision {
	var all []sim.Decision
	for _, i := range indexes {
		all = append(all, sim.Decision{Kind: "yield", Index: i, Choice: 1, N: 3, Key: i})
	}
	return all
}

// fifteen decisions make it fail, and so does each of some other sets.
func fifteen(others ...[]uint64) func([]sim.Decision) string {
	return func(d []sim.Decision) string {
		have := indexes(d)
		for _, need := range append(others, indexes(these(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))) {
			if !slices.ContainsFunc(need, func(n uint64) bool { return !slices.Contains(have, n) }) {
				return "wrong"
			}
		}
		return ""
	}
}

// Where many decisions are left, the search goes on from another seed of which fewer are. What only that seed's values make fail, and what fails
// in another way, is not followed; and a failure that is small by itself asks no other.
func TestShrinkFollowsLeads(t *testing.T) {
	t.Parallel()
	own := these(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
	for _, tt := range []struct {
		name  string
		fails func([]sim.Decision) string
		leads []lead
		want  []uint64
		from  uint64
		asked int
	}{
		{"fewer", fifteen([]uint64{101, 102}), []lead{{7, "pos", these(100, 101, 102, 103)}}, []uint64{101, 102}, 7, 1},
		{"the fewest of several", fifteen([]uint64{101, 102}, []uint64{105}), []lead{{7, "pos", these(101, 102, 103)}, {8, "pos", these(104, 105)}}, []uint64{105}, 8, 1},
		{"not with this seed", fifteen([]uint64{101, 102}), []lead{{7, "pos", these(201, 202)}}, indexes(own)[:15], 0, 1},
		{"none", fifteen([]uint64{101}), nil, indexes(own)[:15], 0, 1},
		{"few already", func([]sim.Decision) string { return "wrong" }, []lead{{7, "pos", these(1)}}, nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, asked := shrinking(tt.fails), 0
			s.seek = func(context.Context, limits) ([]lead, sought, error) {
				asked++
				return tt.leads, sought{seeds: 100}, nil
			}
			if ok, err := s.shrink(t.Context(), own); err != nil || !ok {
				t.Fatal(ok, err)
			}
			if got := indexes(s.best.decisions); !slices.Equal(got, tt.want) || s.from.seed != tt.from || asked != tt.asked {
				t.Errorf("left are %v of seed %d, want %v of %d; asked %d times, want %d", got, s.from.seed, tt.want, tt.from, asked, tt.asked)
			}
		})
	}
	differently := shrinking(func(d []sim.Decision) string {
		if slices.Contains(indexes(d), 101) {
			return "wrong in another way"
		}
		return fifteen()(d)
	})
	differently.seek = func(context.Context, limits) ([]lead, sought, error) {
		return []lead{{7, "pos", these(101)}}, sought{}, nil
	}
	if ok, err := differently.shrink(t.Context(), own); err != nil || !ok || len(differently.best.decisions) != 15 {
		t.Errorf("%v, %v, %v: another failure was followed", ok, err, indexes(differently.best.decisions))
	}
}

// A search that ends while another seed's decisions are tried keeps what it had.
func TestShrinkInterruptedOnATrail(t *testing.T) {
	t.Parallel()
	fails, stop := fifteen([]uint64{101}), errors.New("interrupted")
	s := shrinking(fails)
	s.attempt = func(_ context.Context, _ string, d []sim.Decision, _ limits) (candidate, error) {
		if slices.Contains(indexes(d), 101) {
			return candidate{}, stop
		}
		return candidate{sign: fails(d), decisions: d}, nil
	}
	s.seek = func(context.Context, limits) ([]lead, sought, error) {
		return []lead{{7, "pos", these(101, 102)}}, sought{}, nil
	}
	if ok, err := s.shrink(t.Context(), these(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)); !ok || !errors.Is(err, stop) {
		t.Fatal(ok, err)
	}
	if got := indexes(s.best.decisions); len(got) < 15 || slices.Contains(got, 101) || s.from.seed != 0 {
		t.Errorf("left are %v of seed %d, want the failure's own", got, s.from.seed)
	}
}

// Blocks of seeds leave none out and have none twice.
func TestBlocks(t *testing.T) {
	t.Parallel()
	k := &seeker{}
	next := uint64(8)
	for i := range 40 {
		b := k.block(i, 7)
		if b.from != next || b.n < 8 || b.n > 128 || (b.mode == "uniform/16") != (i%2 == 1) {
			t.Errorf("block %d is %+v, want it from %d", i, b, next)
		}
		next += uint64(b.n)
	}
}

// The leads are the same with however many processes; they fail in the same way, and by themselves.
func TestSeek(t *testing.T) {
	for _, tt := range []struct {
		test, sign string
		want       bool
	}{
		{"TestLostUpdate", `"no update is lost" does not hold`, true},
		{"TestLostUpdate", "panic: another", false},
		{"TestPanicInHost", "panic: planted at bugs/" + lineIn(t, "testdata/bugs/bugs_test.go", `panic("planted")`), true}, // each seed takes its process with it
		{"TestFine", "", false},
	} {
		var found [2][]lead
		for i, workers := range []int{1, 3} {
			bin := *built(t, "bugs")
			bin.work = t.TempDir()
			k := &seeker{bin: &bin, test: tt.test, sign: tt.sign, workers: workers, tell: func(int, int) {}}
			if !tt.want { // it need not look at all
				k.seeds = mostSeeds - 16
			}
			var err error
			if found[i], err = k.seek(t.Context(), 1, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(found[0]); (got == mostLeads) != tt.want || (got > 0) != tt.want {
			t.Errorf("%s: %d leads", tt.test, got)
		}
		if !slices.EqualFunc(found[0], found[1], func(a, b lead) bool {
			return a.seed == b.seed && a.mode == b.mode && len(a.decisions) == len(b.decisions)
		}) {
			t.Errorf("%s: one process at a time finds others than three", tt.test)
		}
	}
}

// A search that is interrupted says so; one whose time is over returns what it has.
func TestSeekEnds(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	k := &seeker{bin: &bin, test: "TestLostUpdate", sign: "none", workers: 2, tell: func(int, int) {}}
	if found, err := k.seek(t.Context(), 1, time.Now()); err != nil || found != nil {
		t.Errorf("after its time: %v, %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.seek(ctx, 1, time.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// What is printed says whose decisions are left.
func TestWhoseDecisions(t *testing.T) {
	t.Parallel()
	f := &Failure{Seed: 3, Decisions: these(1, 2, 3), Shrunk: make([]Step, 2), ShrinkRuns: 1, ShrinkMS: 1500}
	for _, tt := range []struct{ name, want string }{
		{"its own", "  2 of 3 decisions that differ from a plain run are enough (1 run, 1.5 s):\n"},
		{"another's", "  2 of 40 decisions that differ from a plain run are enough (1 run, 16 other seeds, 1.5 s):\n" +
			"    seed 9 (mode pos), which fails in the same way, drew them; made with seed 3 they fail, too\n"},
	} {
		var b strings.Builder
		if f.steps(&b); !strings.HasPrefix(b.String(), tt.want) {
			t.Errorf("%s: got\n%swant\n%s", tt.name, b.String(), tt.want)
		}
		f.From, f.ShrinkSeeds = &Origin{9, "pos", 40}, 16
	}
}
