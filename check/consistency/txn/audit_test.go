package txn

import (
	"math"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// hostile makes transactions that follow one another, each of micro-operations of a name, a key and a value.
func hostile(t *testing.T, txns ...[][3]any) []history.Op {
	t.Helper()
	var ops []history.Op
	for _, mops := range txns {
		all := []any{}
		for _, m := range mops {
			all = append(all, m[:])
		}
		ops = append(ops, op("txn", all, all, history.OK))
	}
	return seq(ops...)
}

// Values that look alike are not one, values of any kind are values, and null is what a register holds that was never written.
func TestOddValues(t *testing.T) {
	t.Parallel()
	type mops = [][3]any
	nested := []any{[]any{}, map[string]any{"é": nil}}
	for _, c := range []struct {
		name string
		ops  []history.Op
		want verdict.Verdict
	}{
		{"keys alike", hostile(t, mops{{"w", 1, 1}}, mops{{"r", "1", nil}, {"r", 1.0, nil}, {"r", 1, 1}}), verdict.Pass},
		{"values alike", hostile(t, mops{{"w", "x", 1}}, mops{{"r", "x", "1"}}), verdict.Fail},
		{"no number", hostile(t, mops{{"w", "x", math.NaN()}}, mops{{"r", "x", math.NaN()}}), verdict.Pass},
		{"nested", hostile(t, mops{{"w", nested, nested}}, mops{{"r", nested, nested}}), verdict.Pass},
		{"nested in lists", hostile(t, mops{{"append", nil, nested}, {"append", nil, nil}}, mops{{"r", nil, []any{nested, nil}}}), verdict.Pass},
		{"long text", hostile(t, mops{{"w", "x", strings.Repeat("語", 1<<16)}}, mops{{"r", "x", strings.Repeat("語", 1<<16)}}), verdict.Pass},
		{"null is written", hostile(t, mops{{"w", "x", 1}}, mops{{"w", "x", nil}}, mops{{"r", "x", nil}}), verdict.Unknown},
		{"null is read", hostile(t, mops{{"r", "x", nil}}, mops{{"w", "x", 1}}), verdict.Pass},
		{"empty transactions", hostile(t, mops{}, mops{}), verdict.Unknown},
	} {
		h, err := FromOps(c.ops)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		res := Check(t.Context(), h, StrictSerializable)
		if res.Verdict != c.want {
			t.Errorf("%s: got %v (%s), want %v", c.name, res.Verdict, res.Reason, c.want)
		}
		if err := Certify(h, StrictSerializable, res); c.want != verdict.Unknown && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What an ok transaction returned is what was asked of it, but for what it read.
func TestOutputAnswersInput(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`[["append","x",2]]`, `[["append","y",1]]`, `[["r","x",[]]]`, `[["append","x",null]]`, `[]`} {
		var out history.Value
		if err := out.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
		x := hostile(t, [][3]any{{"append", "x", 1}})
		x[0].Output = out
		if _, err := FromOps(x); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}
