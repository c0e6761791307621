package consistency_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// transactions reads [input, output] of transactions that all overlap, unless "first" is added: that one ends before the next begins. An
// empty output is one of unknown outcome.
func transactions(t *testing.T, text string) []history.Op {
	t.Helper()
	var pairs [][]history.Value
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		t.Fatal(err)
	}
	var ops []history.Op
	for i, p := range pairs {
		op := history.Op{ID: uint64(i) + 1, Kind: history.Model, Client: string(rune('a' + i)), Name: "txn", Object: "lists", Input: p[0], Output: p[1],
			Call: time.Duration(i) + 1, Return: time.Second, Outcome: history.OK}
		if p[1].IsNil() {
			op.Outcome = history.Maybe
		}
		if len(p) == 3 {
			op.Return = op.Call
		}
		ops = append(ops, op)
	}
	return ops
}

const (
	serial    = `[[[["append","x",1]],[["append","x",1]]], [[["r","x",null]],[["r","x",[1]]]]]`
	writeSkew = `[[[["r","x",null],["append","y",1]],[["r","x",[]],["append","y",1]]], [[["r","y",null],["append","x",2]],[["r","y",[]],["append","x",2]]], [[["r","x",null],["r","y",null]],[["r","x",[2]],["r","y",[1]]]]]`
	readSkew  = `[[[["append","x",1],["append","y",2]],[["append","x",1],["append","y",2]]], [[["r","x",null],["r","y",null]],[["r","x",[]],["r","y",[2]]]]]`
	seenEarly = `[[[["append","x",1],["append","x",2]],[["append","x",1],["append","x",2]]], [[["r","x",null]],[["r","x",[1]]]]]`
)

func TestIsolations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, history, model string
		want                 verdict.Verdict
	}{
		{"serial", serial, "serializable", verdict.Pass},
		{"serial", serial, "strict_serializable", verdict.Pass},
		{"write skew", writeSkew, "snapshot_isolation", verdict.Pass},
		{"write skew", writeSkew, "serializable", verdict.Fail},
		{"write skew", writeSkew, "repeatable_read", verdict.Fail},
		{"read skew", readSkew, "read_committed", verdict.Pass},
		{"read skew", readSkew, "snapshot_isolation", verdict.Fail},
		{"intermediate read", seenEarly, "read_uncommitted", verdict.Pass},
		{"intermediate read", seenEarly, "read_committed", verdict.Fail},
		{"there before", thereBefore, "strict_serializable", verdict.Pass},
		{"registers there before", registersBefore, "serializable", verdict.Pass},
		{"from nowhere", fromNowhere, "read_committed", verdict.Fail},
		{"what it did is not known", `[[null,null], [[["append","x",1]],[["append","x",1]]], [[["r","x",null]],[["r","x",[1,2]]]]]`, "serializable", verdict.Unknown},
		{"nothing recorded", `[]`, "serializable", verdict.Unknown},
		{"nothing read", `[[[["append","x",1]],[["append","x",1]]]]`, "serializable", verdict.Unknown},
		{"no micro-operation", `[[[["delete","x",1]],[["delete","x",1]]]]`, "serializable", verdict.Unknown},
	} {
		t.Run(c.name+" "+c.model, func(t *testing.T) {
			t.Parallel()
			checker := consistency.Isolations()[c.model]("lists")
			res := checker.Check(t.Context(), check.Input{Ops: transactions(t, c.history)})
			if res.Verdict != c.want {
				t.Errorf("got %s (%s), want %s", res.Verdict, res.Reason, c.want)
			}
			if c.want == verdict.Fail && (len(res.Witness) == 0 || res.Reason == "") {
				t.Errorf("no witness: %+v", res)
			}
			if got, want := checker.String(), c.model+`("lists")`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// What is there before anything is written is known by a look at it, and lost like everything else.
const (
	thereBefore     = `[[[["r","x",null]],[["r","x",[7,8]]],"first"], [[["append","x",1]],[["append","x",1]]], [[["r","x",null]],[["r","x",[7,8,1]]]]]`
	registersBefore = `[[[["r","x",null],["r","y",null]],[["r","x",100],["r","y",100]],"first"], [[["w","x",1]],[["w","x",1]]], [[["r","x",null],["r","y",null]],[["r","x",1],["r","y",100]]]]`
	fromNowhere     = `[[[["r","x",null]],[["r","x",[7]]],"first"], [[["append","x",1]],[["append","x",1]]], [[["r","x",null]],[["r","x",[7,9,1]]]]]`
)
