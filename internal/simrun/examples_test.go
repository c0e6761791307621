package simrun

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// The defects of examples/sim are what plain tests miss: seeds find them, and tell where. Without them each seed passes.
// ASSAY_SIM_FULL=1 runs as many as the examples' README says.
func TestExamples(t *testing.T) {
	built(t, "simtest") // or it is skipped
	full := os.Getenv("ASSAY_SIM_FULL") != ""
	for _, tt := range []struct {
		dir, variable, defect, test, place string
		quick                              bool // to make small
	}{
		{"outbox", "OUTBOX_DEFECT", "look-first", "TestEachOrderIsShippedOnce", "outbox/outbox.go", true},
		{"retry", "RETRY_DEFECT", "reuse", "TestEachRequestGetsItsOwnAnswer", "retry/retry.go", true},
		{"payments", "PAYMENTS_DEFECT", "careless", "TestChargedOnce", "payments/payments_test.go", false},
		{"register", "REGISTER_DEFECT", "write-behind", "TestTheRegisterSurvives", "register/durable_test.go", false},
	} {
		t.Run(tt.dir, func(t *testing.T) {
			search := func(seeds int, shrink bool) *Result {
				res, err := Run(t.Context(), Options{
					Packages: []string{"./" + tt.dir}, Dir: filepath.Join("..", "..", "examples", "sim"), Seeds: seeds, Tests: "^" + tt.test + "$", NoSave: true, NoShrink: !shrink,
				})
				if err != nil {
					t.Fatal(err)
				}
				return res
			}
			t.Setenv(tt.variable, "")
			seeds, runs, plain := 25, 20, []string{"test", "-count=20"}
			if full {
				seeds, runs, plain = 500, 200, []string{"test", "-race", "-count=200"}
			}
			if res := search(seeds, false); res.Verdict != verdict.Pass {
				t.Errorf("without the defect: %v: %v %+v", res.Verdict, res.Reasons, res.Failures)
			}
			t.Setenv(tt.variable, tt.defect)
			cmd := exec.Command("go", append(plain, "-run", "^"+tt.test+"$", "./"+tt.dir)...)
			cmd.Dir = filepath.Join("..", "..", "examples", "sim")
			out, err := cmd.CombinedOutput()
			if found := strings.Count(string(out), "--- FAIL: "); found > runs/10 || err != nil && found == 0 { // by chance they may find it
				t.Errorf("plain tests are meant to miss the defect, and %d of %d found it: %v\n%s", found, runs, err, out)
			}
			res := search(1000, full || tt.quick)
			if res.Verdict != verdict.Fail || len(res.Failures) != 1 || !res.Failures[0].Certified {
				t.Fatalf("with the defect: %v: %v %+v", res.Verdict, res.Reasons, res.Failures)
			}
			if f := res.Failures[0]; f.Shrunk != nil {
				var text strings.Builder
				f.text(&text)
				if len(f.Shrunk) > 10 || !strings.Contains(text.String(), tt.place) {
					t.Errorf("%d of %d decisions are left:\n%s", len(f.Shrunk), len(f.Decisions), text.String())
				}
			}
		})
	}
}

// The others hold with each seed: unmodified net/http, TLS, HTTP/2, gRPC and raft over the simulated network, bbolt below package os.
func TestSoundExamples(t *testing.T) {
	built(t, "simtest") // or it is skipped
	res, err := Run(t.Context(), Options{
		Packages: []string{"./network", "./files", "./register"}, Dir: filepath.Join("..", "..", "examples", "sim"), Seeds: 4, All: true, NoSave: true, NoShrink: true,
		Tests: "^Test([^F]|F[^o])", // TestForced is skipped without a variable; and so few seeds do not come everywhere
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != verdict.Pass {
		t.Errorf("%v: %v %+v", res.Verdict, res.Reasons, res.Failures)
	}
	for _, want := range []string{"network", "files", "register"} {
		if !slices.ContainsFunc(res.Tests, func(test *Test) bool { return strings.HasSuffix(test.Package, "/"+want) && test.Seeds == 4 }) {
			t.Errorf("no test of %s ran with 4 seeds: %+v", want, res.Tests)
		}
	}
}
