package sim

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// lines tells operations by client, name, outcome and error.
func lines(ops []history.Op) string {
	var all []string
	for _, op := range ops {
		all = append(all, op.Client+" "+op.Name+" "+op.Input.String()+" "+op.Outcome.String()+" "+op.Error)
	}
	return strings.Join(all, "\n")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	var s *Sim
	Run(t, func(in *Sim) {
		s = in
		h := s.History("register")
		if h != s.History("register") {
			t.Error("a history is made twice")
		}
		w := h.Begin("c1", "write", 1)
		time.Sleep(time.Millisecond)
		w.OK(nil)
		w.Failed(nil) // the first word counts
		h.Begin("c1", "write", 2).Maybe(errors.New("no answer"))
		h.Begin("c1", "write", 3).Failed(errors.New("refused"))
		h.Begin("c1", "read", nil).OK(1)
		h.Begin("c2", "write", 4) // nobody ends it
		h.Begin("c2", "write", 5).OK(nil)
	})
	ops := s.histories[0].closed(s.last + 1)
	want := `c1 write 1 ok 
c1 write 2 maybe no answer
c1.2 write 3 failed refused
c1.2 read null ok 
c2 write 4 maybe it did not end
c2.2 write 5 ok `
	if got := lines(ops); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	last := time.Duration(0)
	for i, op := range ops {
		if op.Call <= last || op.Return <= op.Call || op.Object != "register" || op.ID != uint64(i+1) {
			t.Errorf("operation %+v after %v", op, last)
		}
		last = op.Call
	}
}

// a ruling is a checker that says what it is told to.
type ruling struct{ v verdict.Verdict }

func (r ruling) String() string { return "ruled" }

func (r ruling) Check(_ context.Context, in check.Input) check.Result {
	return check.Result{Check: "ruled", Verdict: r.v, Reason: "so it is", Witness: in.Ops}
}

func TestConclusions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v      verdict.Verdict
		kind   string
		failed bool
		skip   string
	}{
		{verdict.Pass, "always", false, ""},
		{verdict.Fail, "always", true, ""},
		{verdict.Unknown, undecided, false, "sim: ruled was not decided: so it is"},
	} {
		inner := &testing.T{}
		s := &Sim{run: &run{}, points: map[point]*Point{}}
		synctest.Test(t, func(t *testing.T) {
			s.start(t)
			h := s.History("x")
			h.Check(func(string) check.Checker { return ruling{c.v} })
			h.Begin("c1", "read", nil).OK(1)
			s.stop()
		})
		s.judge(inner)
		points := s.sortedPoints()
		if len(points) != 1 || points[0].Kind != c.kind || inner.Failed() != c.failed || s.skip != c.skip || (len(s.broken) == 1) != c.failed {
			t.Errorf("%v: %+v, failed %v, skip %q, broken %d", c.v, points, inner.Failed(), s.skip, len(s.broken))
		}
	}
}
