package linear

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// from returns a ready model that starts from a value, as JSON.
func from(t *testing.T, name, start string) Model {
	t.Helper()
	var v history.Value
	if err := v.UnmarshalJSON([]byte(start)); err != nil {
		t.Fatal(err)
	}
	m, err := Named(name)
	if err == nil {
		m, err = m.From(v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFrom(t *testing.T) {
	t.Parallel()
	read := func(v history.Value) history.Op {
		return history.Op{ID: 1, Name: "read", Outcome: history.OK, Output: v, Return: 1}
	}
	txn := func(x int64) history.Op {
		micro := func(v history.Value) history.Value {
			return history.List(history.List(history.String("r"), history.String("x"), v))
		}
		return history.Op{ID: 1, Name: "txn", Outcome: history.OK, Input: micro(history.Value{}), Output: micro(history.Int(x)), Return: 1}
	}
	for _, tt := range []struct {
		model, start string
		op           history.Op
		want         verdict.Verdict
	}{
		{"register", `5`, read(history.Int(5)), verdict.Pass},
		{"register", `5`, read(history.Value{}), verdict.Fail},
		{"register", `5`, read(history.Int(0)), verdict.Fail},
		{"cas-register", `"a"`, read(history.String("a")), verdict.Pass},
		{"cas-register", `"a"`, read(history.String("b")), verdict.Fail},
		{"counter", `7`, read(history.Int(7)), verdict.Pass},
		{"counter", `7`, read(history.Int(0)), verdict.Fail},
		{"multi-register", `{"x": 0}`, txn(0), verdict.Pass},
		{"multi-register", `{"x": 0}`, txn(1), verdict.Fail},
	} {
		m := from(t, tt.model, tt.start)
		for _, o := range []Options{{}, {Search: true}} {
			res := Check(t.Context(), m, []history.Op{tt.op}, o)
			if res.Verdict != tt.want {
				t.Errorf("%s from %s, %v: %v, want %v (%s)", tt.model, tt.start, tt.op.Output, res.Verdict, tt.want, res.Reason)
			}
			if err := Certify(m, []history.Op{tt.op}, res); err != nil {
				t.Errorf("%s from %s, %v: %v", tt.model, tt.start, tt.op.Output, err)
			}
		}
	}
	for _, tt := range []struct {
		model string
		start history.Value
		want  string
	}{
		{"queue", history.Int(1), "starts in one way only"},
		{"multi-register", history.Int(1), "starts from a map"},
		{"counter", history.String("x"), "starts from an integer"},
	} {
		m, _ := Named(tt.model)
		if _, err := m.From(tt.start); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s from %v: %v, want %q", tt.model, tt.start, err, tt.want)
		}
	}
}
