package linear

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// No operations prove nothing.
func TestNoOperations(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		model, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		for kind, res := range map[string]Result{
			"linearizable": Check(t.Context(), model, nil, Options{}), "sequential": Sequential(t.Context(), model, nil, Options{}),
		} {
			if res.Verdict != verdict.Unknown || res.Reason == "" {
				t.Errorf("%s %s: got %v (%s), want unknown with a reason", kind, name, res.Verdict, res.Reason)
			}
		}
	}
}

// A client that does two things at once has no order of its own: what fails by the order of its calls alone is unknown, and what
// passes in that order passes.
func TestClientDoesTwoThings(t *testing.T) {
	t.Parallel()
	op := func(id uint64, client, name string, value int64, call, ret int) history.Op {
		o := history.Op{ID: id, Kind: history.Model, Client: client, Name: name, Outcome: history.OK, Call: time.Duration(call), Return: time.Duration(ret)}
		if name == "read" {
			o.Output = history.Int(value)
		} else {
			o.Input = history.Int(value)
		}
		return o
	}
	writes := []history.Op{op(1, "a", "write", 1, 0, 1), op(2, "a", "write", 2, 2, 3)}
	for _, c := range []struct {
		name string
		ops  []history.Op
		want verdict.Verdict
	}{
		{"one after the other", append([]history.Op{op(3, "b", "read", 2, 10, 11), op(4, "b", "read", 1, 12, 13)}, writes...), verdict.Fail},
		{"as the other returns", append([]history.Op{op(3, "b", "read", 2, 10, 11), op(4, "b", "read", 1, 11, 13)}, writes...), verdict.Fail},
		{"both at once", append([]history.Op{op(3, "b", "read", 2, 10, 14), op(4, "b", "read", 1, 11, 13)}, writes...), verdict.Unknown},
		{"both at once, in order", append([]history.Op{op(3, "b", "read", 1, 10, 14), op(4, "b", "read", 2, 11, 13)}, writes...), verdict.Pass},
	} {
		model, err := Named("register")
		if err != nil {
			t.Fatal(err)
		}
		if got := Sequential(t.Context(), model, c.ops, Options{}); got.Verdict != c.want {
			t.Errorf("%s: sequential: got %v (%s), want %v", c.name, got.Verdict, got.Reason, c.want)
		}
		for _, g := range Guarantees(c.ops) {
			if g.Name == MonotonicWrites && g.Verdict != c.want {
				t.Errorf("%s: monotonic writes: got %v (%s), want %v", c.name, g.Verdict, g.Reason, c.want)
			}
		}
	}
}
