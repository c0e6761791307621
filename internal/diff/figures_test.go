package diff

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// figure is one scenario of the operating figures in docs/diff.md.
type figure struct {
	name      string
	base      world
	candidate world
	runs      [2]int
	metric    string  // what is planted, "" for nothing
	least     float64 // share that must be found; of nothing planted: alarms at most alpha
	quick     bool    // drawn by every test, too
}

func figures() []figure {
	short := world{before: 3, fault: 4, after: 3, rate: 40, retries: 0.05}
	long := world{before: 20, fault: 30, after: 30, rate: 50, retries: 0.05}
	differ := long
	differ.spread = 0.05
	heal := world{before: 5, fault: 5, after: 20, rate: 40, recovery: 4, spread: 0.05}
	with := func(w world, change func(*world)) world { change(&w); return w }
	slower := func(w *world) { w.slower = 1.3 }
	failing := func(w *world) { w.failing = 0.02 }
	longer := long
	longer.before, longer.fault, longer.after = 120, 120, 120
	one, five, ten, tens := [2]int{1, 1}, [2]int{5, 5}, [2]int{10, 1}, [2]int{10, 10}
	return []figure{
		{"the same, phases of 3 s, one run against one", short, short, one, "", 0, true},
		{"the same, phases of 30 s, one against one", long, long, one, "", 0, false},
		{"the same, runs differ by 5 %, one against one", differ, differ, one, "", 0, false},
		{"the same, runs differ by 5 %, ten against one", differ, differ, ten, "", 0, false},
		{"the same, runs differ by 5 %, five against five", differ, differ, five, "", 0, false},
		{"the same, recovery varies by 15 %, one against one", heal, heal, one, "", 0, false},
		{"the same, recovery varies by 15 %, five against five", heal, heal, five, "", 0, true},
		{"latency +30 %, phases of 3 s, one against one", short, with(short, slower), one, P95, 0, false},
		{"latency +30 %, phases of 30 s, one against one", long, with(long, slower), one, P95, 0, false},
		{"latency +30 %, phases of 120 s, one against one", longer, with(longer, slower), one, P95, 0.8, false},
		{"latency +30 %, runs differ only by their seconds, five against five", long, with(long, slower), five, P95, 0, false},
		{"latency +30 %, runs differ by 5 %, ten against one", differ, with(differ, slower), ten, P95, 0, false},
		{"latency +30 %, runs differ by 5 %, five against five", differ, with(differ, slower), five, P95, 0, false},
		{"latency +30 %, runs differ by 5 %, ten against ten", differ, with(differ, slower), tens, P95, 0.5, false},
		{"success -2 points, phases of 30 s, one against one", long, with(long, failing), one, Success, 0, false},
		{"success -2 points, phases of 120 s, one against one", longer, with(longer, failing), one, Success, 0.5, false},
		{"success -2 points, ten against one", long, with(long, failing), ten, Success, 0, false},
		{"success -2 points, five against five", long, with(long, failing), five, Success, 0, false},
		{"success -2 points, ten against ten", long, with(long, failing), tens, Success, 0.8, false},
		{"recovery x2, five against five", heal, with(heal, func(w *world) { w.recovery = 8 }), five, FromHeal, 0.6, true},
		{"memory +20 %, five against five", long, with(long, func(w *world) { w.rss = 60e6 }), five, RSS, 0.9, false},
		{"processor time +50 %, phases of 30 s, one against one", long, with(long, func(w *world) { w.cpu = 0.003 }), one, CPU, 0.9, false},
	}
}

// TestOperatingFigures draws comparisons of synthetic runs and counts what is said of them. How many is
// ASSAY_DIFF_DRAWS; docs/diff.md has the figures of 1000, of 200 runs of each world.
func TestOperatingFigures(t *testing.T) {
	t.Parallel()
	draws, text := usualDraws, os.Getenv("ASSAY_DIFF_DRAWS")
	if text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		draws = n
	}
	if draws == 0 {
		t.Skip("the race detector has nothing to find in it, and is slow")
	}
	for i, f := range figures() {
		if text == "" && !f.quick {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			alarms, found, decided := f.count(t, uint64(i), draws)
			t.Logf("| %s | %.1f %% | %.1f %% | %.0f %% |", f.name, 100*alarms, 100*found, 100*decided)
			// Five standard deviations over alpha: what is left of chance is no flake.
			bound := DefaultAlpha + 5*math.Sqrt(DefaultAlpha/float64(draws))
			if f.metric == "" && alarms > bound {
				t.Errorf("of the same, %.3f are said to have regressed, want at most %.3f", alarms, bound)
			}
			if found < f.least {
				t.Errorf("%.3f of what was planted is found, want %.2f", found, f.least)
			}
		})
	}
}

// count draws comparisons from a pool of runs, no run twice in one.
func (f figure) count(t *testing.T, seed uint64, draws int) (alarms, found, decided float64) {
	n := max(f.runs[0]+f.runs[1], draws/5)
	base := f.base.pool("a", n, 2*seed)
	candidates := base
	if f.metric != "" {
		candidates = f.candidate.pool("b", n, 2*seed+1)
	}
	random := rand.New(rand.NewPCG(seed, 3))
	each := 1 / float64(draws)
	for range draws {
		a, b := random.Perm(n)[:f.runs[0]+f.runs[1]], random.Perm(n)
		if f.metric == "" {
			b = a[f.runs[0]:]
		}
		r, err := Compare(take(base, a[:f.runs[0]]), take(candidates, b[:f.runs[1]]), Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict == Regressed {
			alarms += each
		}
		if slices.ContainsFunc(r.Lines, func(l Line) bool { return l.Verdict == Regressed && l.Metric == f.metric }) {
			found += each
		}
		decided += each * (1 - float64(r.Counts[NotEnough])/float64(len(r.Lines)))
	}
	return alarms, found, decided
}

func take(runs []*Run, at []int) []*Run {
	var taken []*Run
	for _, i := range at {
		taken = append(taken, runs[i])
	}
	return taken
}
