package linear

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A row is one operation, as client, name, input, output, call and return; an output of "?" is one that nobody knows.
type row struct {
	client, name, input, output string
	call, end                   int
}

func (r row) op(t *testing.T, id int) history.Op {
	t.Helper()
	value := func(text string) (v history.Value) {
		if text == "" {
			return v
		}
		if err := v.UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return v
	}
	op := history.Op{ID: uint64(id), Kind: history.Model, Client: r.client, Name: r.name, Input: value(r.input), Outcome: history.OK}
	op.Call, op.Return = time.Duration(r.call), time.Duration(r.end)
	if r.output == "?" {
		op.Outcome = history.Maybe
		return op
	}
	op.Output = value(r.output)
	return op
}

// Each model has a history that fits it, and the same with one thing wrong, which is found amid others.
func TestPlantedForEveryModel(t *testing.T) {
	t.Parallel()
	var known []string
	for _, tt := range []struct {
		model       string
		right       []row
		wrong       int    // the row that is made wrong,
		wrongOutput string // by what it returned
	}{
		{"register", []row{{"a", "write", "1", "", 0, 1}, {"b", "write", "2", "?", 2, 3}, {"a", "read", "", "2", 4, 5}, {"b", "read", "", "2", 6, 7}}, 3, "1"},
		{"cas-register", []row{{"a", "write", "1", "", 0, 1}, {"b", "cas", "[1,2]", "true", 2, 9}, {"a", "cas", "[1,3]", "false", 3, 8}}, 2, "true"},
		{"multi-register", []row{
			{"a", "txn", `[["w","x",1],["w","y",1]]`, `[["w","x",1],["w","y",1]]`, 0, 1},
			{"b", "txn", `[["w","z",1]]`, `[["w","z",1]]`, 0, 1},
			{"b", "txn", `[["r","x",null],["r","y",null]]`, `[["r","x",1],["r","y",1]]`, 2, 3}}, 2, `[["r","x",1],["r","y",null]]`},
		{"kv", []row{{"a", "put", `"v"`, "", 0, 1}, {"b", "append", `"w"`, "", 2, 5}, {"a", "get", "", `"v"`, 3, 4}, {"a", "get", "", `"vw"`, 6, 7}}, 3, `"v"`},
		{"mutex", []row{{"a", "acquire", "", "true", 0, 1}, {"b", "acquire", "", "false", 2, 3}, {"c", "release", "", "", 4, 5}}, 1, "true"},
		{"owner-mutex", []row{{"a", "acquire", "", "true", 0, 1}, {"b", "release", "", "false", 2, 3}, {"a", "release", "", "", 4, 5}}, 1, "true"},
		{"lease", []row{{"a", "acquire", "100", "true", 0, 1}, {"b", "acquire", "100", "false", 50, 60}, {"b", "acquire", "100", "true", 101, 110}}, 1, "true"},
		{"set", []row{{"a", "add", "1", "true", 0, 1}, {"b", "add", "2", "?", 0, 1}, {"b", "remove", "1", "true", 2, 9}, {"a", "contains", "1", "true", 3, 4}, {"a", "read", "", "[2]", 10, 11}}, 4, "[1,2]"},
		{"queue", []row{{"a", "enqueue", "1", "", 0, 1}, {"a", "enqueue", "2", "", 2, 3}, {"b", "dequeue", "", "1", 4, 5}, {"b", "dequeue", "", "2", 6, 7}}, 2, "2"},
		{"counter", []row{{"a", "add", "2", "", 0, 1}, {"b", "add", "3", "?", 0, 1}, {"a", "read", "", "5", 2, 3}, {"b", "read", "", "5", 4, 5}}, 3, "2"},
		{"log", []row{{"a", "append", "7", "0", 0, 1}, {"b", "append", "8", "", 2, 3}, {"a", "read", "", "[7,8]", 4, 5}, {"b", "read", "1", "8", 4, 5}}, 3, "7"},
	} {
		known = append(known, tt.model)
		m, err := Named(tt.model)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []bool{false, true} {
			rows, want := slices.Clone(tt.right), verdict.Pass
			if wrong {
				rows[tt.wrong].output, want = tt.wrongOutput, verdict.Fail
			}
			var ops []history.Op
			for i, r := range rows {
				ops = append(ops, r.op(t, i+1))
			}
			for _, o := range []Options{{}, {Search: true}, {WholeCore: true}} {
				res := Check(t.Context(), m, ops, o)
				if res.Verdict != want {
					t.Errorf("%s: %v, want %v: %s", tt.model, res.Verdict, want, res.Reason)
				}
				if err := Certify(m, ops, res); err != nil {
					t.Errorf("%s: %v", tt.model, err)
				}
				if wrong && !slices.Contains(res.Core, int32(tt.wrong)) {
					t.Errorf("%s: the core %v is without what is wrong: %s", tt.model, res.Core, res.Reason)
				}
			}
		}
	}
	for _, name := range Names() {
		if !slices.Contains(known, name) {
			t.Errorf("nothing is planted for the %s (there is for %s)", name, strings.Join(known, ", "))
		}
	}
}
