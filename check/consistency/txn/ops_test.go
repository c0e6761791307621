package txn

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

func value(t testing.TB, text string) history.Value {
	t.Helper()
	var v history.Value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestFromOps(t *testing.T) {
	t.Parallel()
	const ok, maybe, no = history.OK, history.Maybe, history.Failed
	cases := []struct {
		name, in, out string
		outcome       history.Outcome
		want          string // the type, or a part of the error
	}{
		{"append", `[["append",1,2]]`, `[["append",1,2]]`, ok, "list-append"},
		{"write", `[["w",1,2]]`, `[["w",1,2]]`, ok, "rw-register"},
		{"read of a list", `[["r",1,null]]`, `[["r",1,[2]]]`, ok, "list-append"},
		{"read of a register", `[["r",1,null]]`, `[["r",1,2]]`, ok, "rw-register"},
		{"a register that holds a list", `[["w",1,[2]],["r",1,null]]`, `[["w",1,[2]],["r",1,[2]]]`, ok, "rw-register"},
		{"read of a list that is not there", `[["append",1,2],["r",3,null]]`, `[["append",1,2],["r",3,null]]`, ok, "list-append"},
		{"maybe", `[["append",1,2],["r",1,null]]`, `null`, maybe, "list-append"},
		{"failed", `[["w",1,2],["r",1,null]]`, `null`, no, "rw-register"},
		{"names", `[["w","x",{"a":1}]]`, `[["w","x",{"a":1}]]`, ok, "rw-register"},
		{"empty", `[]`, `[]`, ok, "rw-register"},
		{"both", `[["append",1,2],["w",1,3]]`, `[["append",1,2],["w",1,3]]`, ok, "both append and write"},
		{"one is missing", `[["append",1,2],["r",1,null]]`, `[["append",1,2]]`, ok, "returned 1 micro-operations of 2"},
		{"two parts", `[["append",1]]`, `[["append",1]]`, ok, `micro-operation 1: ["append",1]: want`},
		{"no list", `[7]`, `[7]`, ok, "micro-operation 1: 7: want"},
		{"another name", `[["inc",1,2]]`, `[["inc",1,2]]`, ok, `no micro-operation is called "inc"`},
		{"no name", `[[1,1,2]]`, `[[1,1,2]]`, ok, "no micro-operation is called 1"},
		{"a number of a list", `[["append",1,2],["r",1,null]]`, `[["append",1,2],["r",1,9]]`, ok, "returned no list"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, err := FromOps([]history.Op{
				{ID: 4, Client: "n", Name: "read", Call: 1, Return: 2},
				{ID: 5, Client: "c", Name: "txn", Input: value(t, c.in), Output: value(t, c.out), Outcome: c.outcome, Call: 3, Return: 4},
			})
			switch {
			case err != nil && !strings.Contains(err.Error(), c.want):
				t.Errorf("got %v, want %s", err, c.want)
			case err != nil && !strings.Contains(c.want, "both") && !strings.Contains(err.Error(), "operation 5 of client c"):
				t.Errorf("got %v, which does not say where", err)
			case err == nil && (h.Type().String() != c.want || h.Len() != 1 || h.Outcome(0) != c.outcome):
				t.Errorf("got %v of %d, want %s of 1", h.Type(), h.Len(), c.want)
			}
		})
	}
}

// Transactions are numbered by their calls, in whatever order they are given; one that returns ahead of its call is an error.
func TestFromOpsOrder(t *testing.T) {
	t.Parallel()
	mops := value(t, `[["w",1,2]]`)
	late := history.Op{ID: 1, Client: "late", Name: "txn", Input: mops, Output: mops, Call: 9, Return: 10}
	early := history.Op{ID: 2, Client: "early", Name: "txn", Input: value(t, `[]`), Output: value(t, `[]`), Call: 1, Return: 20}
	h, err := FromOps([]history.Op{late, early})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := h.Process(0).AsString(); got != "early" {
		t.Errorf("got %s first, want early", got)
	}
	early.Return = 0
	if _, err := FromOps([]history.Op{early}); err == nil || !strings.Contains(err.Error(), "before its call") {
		t.Errorf("got %v", err)
	}
}

// No operations break it, and what becomes a history is judged with a result that holds.
func FuzzFromOps(f *testing.F) {
	f.Add(`[["append",1,2]]`, `[["append",1,2]]`, `[["r",1,null]]`, `[["r",1,[2]]]`, byte(0))
	f.Add(`[["w",1,2],["r",3,null]]`, `[["w",1,2],["r",3,null]]`, `[["w",3,2],["r",1,null]]`, `[["w",3,2],["r",1,null]]`, byte(1))
	f.Add(`[["append",1,2],["append",1,3]]`, `null`, `[["r",1,null]]`, `[["r",1,[2,2,9]]]`, byte(6))
	f.Add(`[["w",null,null]]`, `[["w",null,null]]`, `[["r",null,null]]`, `[["r",null,null]]`, byte(0))
	f.Fuzz(func(t *testing.T, in1, out1, in2, out2 string, how byte) {
		var ops []history.Op
		for i, texts := range [][2]string{{in1, out1}, {in2, out2}, {in1, out2}} {
			op := history.Op{ID: uint64(i), Client: string('a' + rune(how>>4&1)*rune(i)), Name: "txn", Call: time.Duration(i), Return: 9}
			if json.Unmarshal([]byte(texts[0]), &op.Input) != nil || json.Unmarshal([]byte(texts[1]), &op.Output) != nil {
				return
			}
			op.Outcome = []history.Outcome{history.OK, history.Maybe, history.Failed}[how>>(2*i)&3%3]
			ops = append(ops, op)
		}
		for n := 1; n <= len(ops); n++ {
			h, err := FromOps(ops[:n])
			if err != nil {
				continue
			}
			for _, model := range []Model{ReadCommitted, SnapshotIsolation, StrictSerializable} {
				res := Check(t.Context(), h, model)
				if err := certified(h, model, res); err != nil {
					t.Errorf("%s: %v: %v", model, res.Verdict, err)
				}
				if res.Verdict == verdict.Unknown && res.Reason == "" {
					t.Error("unknown without a reason")
				}
			}
		}
	})
}
