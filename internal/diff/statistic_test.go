package diff

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestTQuantile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ p, df, want float64 }{ // from tables
		{0.05, 1, 6.3138}, {0.025, 2, 4.3027}, {0.01, 3, 4.5407}, {0.005, 4, 4.6041}, {0.0005, 6, 5.9588},
		{0.025, 10, 2.2281}, {0.01, 30, 2.4573}, {0.001, 120, 3.1595}, {0.025, 1e6, 1.95997}, {0.5, 5, 0},
	} {
		if got := tQuantile(tt.p, tt.df); math.Abs(got-tt.want) > 2e-4*max(1, tt.want) {
			t.Errorf("t(%v, %v) is %v, want %v", tt.p, tt.df, got, tt.want)
		}
	}
	if got := tQuantile(0.01, 0); !math.IsInf(got, 1) {
		t.Errorf("without a degree of freedom it is %v", got)
	}
}

// The depth of a rank interval against counting every order.
func TestRankDepth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n, m  int
		alpha float64
		want  int
	}{{1, 1, 0.01, 0}, {4, 4, 0.01, 0}, {4, 4, 0.0143, 1}, {5, 5, 0.01, 2}, {5, 5, 0.003, 0}, {10, 1, 0.01, 0}, {99, 1, 0.01, 1}, {3, 3, 0.05, 1}, {8, 8, 0.01, 10}} {
		if got := rankDepth(tt.n, tt.m, tt.alpha); got != tt.want {
			t.Errorf("rankDepth(%d, %d, %v) is %d, want %d", tt.n, tt.m, tt.alpha, got, tt.want)
		}
	}
	for n := 1; n <= 5; n++ {
		for m := 1; m <= 5; m++ {
			for _, alpha := range []float64{0.005, 0.01, 0.05, 0.2} {
				if got, want := rankDepth(n, m, alpha), slowDepth(n, m, alpha); got != want {
					t.Errorf("rankDepth(%d, %d, %v) is %d, and counting says %d", n, m, alpha, got, want)
				}
			}
		}
	}
}

// slowDepth goes through every order of n and m values.
func slowDepth(n, m int, alpha float64) int {
	counts, total := make([]float64, n*m+1), 0.0
	for order := range 1 << (n + m) {
		ones, ahead := 0, 0
		for i := range n + m {
			if order>>i&1 == 1 {
				ones++
			} else {
				ahead += ones
			}
		}
		if ones == n {
			counts[ahead]++
			total++
		}
	}
	below := 0.0
	for u, c := range counts {
		if below += c; below/total > alpha {
			return u
		}
	}
	return n * m
}

func TestNeedRuns(t *testing.T) {
	t.Parallel()
	for alpha, want := range map[float64]string{0.005: "5 runs on each side, or 199 before one", 0.01: "5 runs on each side, or 99 before one", 0.05: "3 runs on each side, or 19 before one"} {
		if got := needRuns(alpha); got != want {
			t.Errorf("needRuns(%v) = %q, want %q", alpha, got, want)
		}
	}
}

// The bootstrap against what is known: the standard error of a mean of independent seconds, and more where they hang together.
func TestRatioSpread(t *testing.T) {
	t.Parallel()
	const n = 64
	alone, together, ones := make([]float64, n), make([]float64, n), make([]float64, n)
	random := rand.New(rand.NewPCG(5, 5))
	for i := range n {
		alone[i], together[i], ones[i] = float64(random.IntN(2)), float64(i/16%2), 1
	}
	all := draws(n, 1)
	want := math.Sqrt(0.25 / n)
	if got := ratioSpread(alone, ones, all); math.Abs(got-want) > want/3 {
		t.Errorf("of independent seconds: %v, want about %v", got, want)
	}
	if got := ratioSpread(together, ones, all); got < 1.5*want {
		t.Errorf("of seconds that hang together: %v, want well over %v", got, want)
	}
	if got := ratioSpread(ones, ones, all); got != 0 {
		t.Errorf("of what never varies: %v", got)
	}
}

func TestParseTolerance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		names string
		want  Tolerance
		err   string
	}{
		{"p95=20%,5ms", "p95", Tolerance{0.2, 5}, ""},
		{"p95=5", "p95", Tolerance{0, 5}, ""},
		{"latency=20%", "p50 p95 p99", Tolerance{0.2, 0}, ""},
		{"recovery=1s", "recovery.from_inject recovery.from_heal", Tolerance{0, 1}, ""},
		{"success=0.2points", "success", Tolerance{0, 0.2}, ""},
		{"success=0.2%", "success", Tolerance{0, 0.2}, ""},
		{"rss=5%,10MB", "rss", Tolerance{0.05, 10}, ""},
		{"p96=1%", "", Tolerance{}, "metrics: latency, recovery, success"},
		{"p95", "", Tolerance{}, "want METRIC=SHARE%"},
		{"p95=fast", "", Tolerance{}, `"fast" is no share (such as 10%) and no difference in ms`},
		{"p95=-1%", "", Tolerance{}, "is no share"},
		{"p95=NaN", "", Tolerance{}, "is no share"},
		{"success=x", "", Tolerance{}, "no difference in points"},
	} {
		names, got, err := ParseTolerance(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.text, err, tt.err)
			}
			continue
		}
		if err != nil || got != tt.want || strings.Join(names, " ") != tt.names {
			t.Errorf("%s: %v %+v, %v, want %s %+v", tt.text, names, got, err, tt.names, tt.want)
		}
	}
}

// A report can be written whatever its intervals are: JSON has no infinity.
func TestBoundlessInterval(t *testing.T) {
	t.Parallel()
	for _, metric := range []string{P95, Success, CPU} {
		p := &pair{metric: metricOf(metric)}
		for _, reach := range []float64{math.Inf(1), 1e300, 5000, 2} {
			if got := p.interval(20, 1, reach); got != nil && (math.IsInf(got.To, 0) || got.From < -20) || reach == 2 && got == nil {
				t.Errorf("%s ± %v: %v", metric, reach, got)
			}
		}
	}
}
