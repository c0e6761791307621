package trial_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// TestPrefix: a fail tells how far operations have an order, with the state there and what came next.
func TestPrefix(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text, model string
		order             []uint64
		state             string
		next              uint64
	}{
		{"stale", "0:w1 0:w2 2:r2 1:r1", "register", []uint64{1, 2, 3}, "2", 4},
		{"under way", "0:w1( 1:r1 2:r7 0:)", "register", []uint64{1, 2}, "1", 3},
		{"one key of two", "0:wj=5 0:wk=1 0:wk=2 1:rk=1 0:rj=5", "register", []uint64{2, 3}, "k = 2", 4},
		{"by search", "0:w1 0:w1 0:w2 2:r2 1:r1 1:r2", "register", []uint64{1, 2, 3, 4}, "2", 5},
		{"nothing is good", "0:r1", "register", nil, "", 0},
	} {
		_, rep, err := judge(t, tc.text, tc.model, trial.Options{}, 0)
		if err != nil || rep.Verdict != verdict.Fail {
			t.Fatalf("%s: %+v, %v", tc.name, rep, err)
		}
		if tc.order == nil {
			if rep.Prefix != nil {
				t.Errorf("%s: got %+v", tc.name, rep.Prefix)
			}
			continue
		}
		if p := rep.Prefix; p == nil || !slices.Equal(p.Order, tc.order) || p.State != tc.state || p.Next == nil || p.Next.Op.ID != tc.next {
			t.Errorf("%s: got %+v, want order %v, state %s, next %d", tc.name, p, tc.order, tc.state, tc.next)
		}
	}
}

// TestModels: each model is decided, and its no is seen.
func TestModels(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text, model string
		want        verdict.Verdict
	}{
		{"0:w1 0:w2 1:r1", "sequential:register", verdict.Pass},
		{"0:w1 0:w2 1:r1", "register", verdict.Fail},
		{"0:w1 0:w2 1:r2 1:r1", "sequential:register", verdict.Fail},
		{"0:w1 0:w2 1:r2 1:r1", "monotonic-writes", verdict.Fail},
		{"0:w1 0:w2 1:r2 1:r1", "read-your-writes", verdict.Pass},
		{"0:w1 0:rnull", "read-your-writes", verdict.Fail},
		{"0:w1 1:r1 1:rnull", "monotonic-reads", verdict.Fail},
		{"0:w1 1:r1 1:w2 2:r2 2:r1", "writes-follow-reads", verdict.Fail},
		{"0:w1 0:w1", "monotonic-reads", verdict.Unknown},
	} {
		_, rep, err := judge(t, tc.text, tc.model, trial.Options{}, 0)
		if err != nil || rep.Verdict != tc.want || tc.want == verdict.Fail && len(rep.Smallest) == 0 {
			t.Errorf("%s of %s: got %+v, %v; want %v", tc.model, tc.text, rep, err, tc.want)
		}
	}
	if _, _, err := judge(t, "0:w1\n0:c[1,2]", "monotonic-reads", trial.Options{}, 0); err == nil || !strings.Contains(err.Error(), "h:2: operation 2 is a cas") {
		t.Error(err)
	}
}

// TestSmallest: of transactions what nobody needs is left out.
func TestSmallest(t *testing.T) {
	t.Parallel()
	_, rep, err := judge(t, "0:az1 0:rxryaz2( 1:ryax1( 2:ay1ax2 0:) 1:) 2:rx[2,1]ry1rz[1,2] 3:az3", "serializable", trial.Options{}, 0)
	if err != nil || rep.Verdict != verdict.Fail {
		t.Fatalf("%+v, %v", rep, err)
	}
	for i := range rep.Smallest {
		if strings.Contains(trial.Tell(&rep.Smallest[i]), " z ") {
			t.Errorf("%s has to do with it?", trial.Tell(&rep.Smallest[i]))
		}
	}
	if len(rep.Smallest) == 0 || len(rep.Smallest) > 4 {
		t.Errorf("%d transactions: %s", len(rep.Smallest), rep.NoSmallest)
	}
}

// TestInit: an object may hold something at first, and where nobody says so it does not.
func TestInit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text, model, start string
		want               verdict.Verdict
	}{
		{"0:r7 0:w1 0:r1", "register", "7", verdict.Pass},
		{"0:r7 0:w1 0:r1", "register", "8", verdict.Fail},
		{"0:r7 0:w1 0:r1", "sequential:register", "7", verdict.Pass},
		{"0:r7 0:w1 0:r7", "register", "7", verdict.Fail},
	} {
		c, err := trial.Load(written(t, tc.text), trial.Options{})
		if err != nil {
			t.Fatal(err)
		}
		start := value(t, tc.start)
		rep, err := trial.JudgeFrom(context.Background(), c, tc.model, 0, start)
		if err != nil || rep.Verdict != tc.want {
			t.Errorf("%s from %s: got %+v, %v; want %v", tc.text, tc.start, rep, err, tc.want)
		}
		if _, err := trial.JudgeFrom(context.Background(), c, "mutex", 0, start); err == nil {
			t.Error("a mutex starts from 7")
		}
	}
}
