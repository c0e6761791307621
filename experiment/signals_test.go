package experiment

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// What experiments ask of an object, in words: of the model that its operations imply, and of one that is named.
func TestSignalsOfObjects(t *testing.T) {
	t.Parallel()
	const stale, fine, goesBack = "0:w1 0:w2 1:r1", "0:w1 0:r1 0:w2 0:r2", "0:w1 0:w2 1:r2 1:r1"
	for _, c := range []struct {
		text, history string
		want          verdict.Verdict
		reason        string // a part of the reason or the model
	}{
		{`linearizable("x")`, fine, verdict.Pass, "linearizable cas-register, as read and write imply"},
		{`linearizable("x")`, stale, verdict.Fail, "fits the cas-register and real time"},
		{`linearizable("x", "register")`, fine, verdict.Pass, "linearizable register, as was asked"},
		{`linearizable("x", "register")`, stale, verdict.Fail, "fits the register and real time"},
		{`linearizable("x", "kv")`, fine, verdict.Unknown, "operation 1 is a write, and its object has only get, put, "},
		{`linearizable("x", "k" + "v")`, fine, verdict.Unknown, "operation 1 is a write, and its object has only get, put, "},
		{`linearizable("x", "tree")`, fine, verdict.Unknown, `no model is called "tree" (there are: register, `},
		{`linearizable("x", "register", "kv")`, fine, verdict.Unknown, "linearizable takes 1 to 2 names, not 3"},
		{`linearizable("y", "register")`, fine, verdict.Unknown, `"y" recorded no`},
		{`sequential("x")`, stale, verdict.Pass, "sequentially consistent cas-register, as read and write imply"},
		{`sequential("x")`, goesBack, verdict.Fail, "fits the cas-register and each client"},
		{`sequential("x", "register")`, stale, verdict.Pass, "sequentially consistent register, as was asked"},
		{`sequential("y")`, fine, verdict.Unknown, `"y" recorded no`},
		{`monotonic_reads("x")`, goesBack + " 2:r1 2:r2", verdict.Fail, "monotonic reads"},
		{`read_your_writes("x")`, fine, verdict.Pass, "read your writes"},
		{`monotonic_writes("x")`, goesBack, verdict.Fail, "monotonic writes"},
		{`writes_follow_reads("x")`, fine, verdict.Pass, "writes follow reads"},
		{`writes_follow_reads("y")`, fine, verdict.Unknown, `"y" recorded no`},
		{`monotonic_reads("x", "register")`, fine, verdict.Unknown, "monotonic_reads takes 1 names, not 2"},
	} {
		ops, err := history.Shorthand(c.history)
		if err != nil {
			t.Fatal(err)
		}
		in := check.Input{Ops: ops}
		s := &signals{ctx: t.Context(), in: in, whole: in}
		got := s.answer(ask(Expectation{Text: c.text}))[0]
		if got.Verdict != c.want || !strings.Contains(got.Reason+"\n"+got.Model, c.reason) || (c.want == verdict.Fail) != (len(got.Witness) > 0) {
			t.Errorf("%s of %s: got %v (%s; %s), want %v: %s", c.text, c.history, got.Verdict, got.Model, got.Reason, c.want, c.reason)
		}
	}
}
