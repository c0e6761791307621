package consistency

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// done are operations one after the other: "client name [key/]input>output", with ? at the end of one of unknown outcome.
func done(t *testing.T, text string) check.Input {
	t.Helper()
	value := func(s string) history.Value {
		if s == "" {
			return history.Value{}
		}
		var v history.Value
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return v
	}
	var in check.Input
	for i, line := range strings.Split(text, "; ") {
		parts := strings.SplitN(line, " ", 3)
		rest, maybe := strings.CutSuffix(append(parts, "")[2], "?")
		input, output, _ := strings.Cut(rest, ">")
		op := history.Op{ID: uint64(i) + 1, Kind: history.Model, Object: "x", Client: parts[0], Name: parts[1], Outcome: history.OK, Call: time.Duration(2 * i), Return: time.Duration(2*i + 1)}
		if maybe {
			op.Outcome = history.Maybe
		}
		if key, of, keyed := strings.Cut(input, "/"); keyed {
			op.Key, input = history.String(key), of
		}
		op.Input, op.Output = value(input), value(output)
		in.Ops = append(in.Ops, op)
	}
	return in
}

func TestImpliedModels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ good, bad, model string }{
		{"a write 1; b read >1", "a write 1; b read >2", "cas-register, as read and write imply"},
		{"a enqueue 1; a enqueue 2; b dequeue >1", "a enqueue 1; a enqueue 2; b dequeue >2", "queue, as dequeue and enqueue imply"},
		{"a append 1; a append 2; b read >[1,2]", "a append 1; a append 2; b read >[2,1]", "log, as append and read imply"},
		{"a add 1; a add 2; b read >[2,1]", "a add 1; a add 2; b read >[1]", "set, as add and read imply"},
		{"a add 1; a add 2; b read >3", "a add 1; a add 2; b read >2", "counter, as add and read imply"},
		{`a put k/"1"; b get k/>"1"; a delete k/; b get k/`, `a put k/"1"; a delete k/; b get k/>"1"`, "kv, as delete, get and put imply"},
		{"a acquire; a release; b acquire", "a acquire; b acquire", "mutex, as acquire and release imply"},
		{"a acquire 1000; a release", "", "lease, as acquire and release imply"},
		{`a txn [["w","k",1]]>[["w","k",1]]; b txn [["r","k",null]]>[["r","k",1]]`, `a txn [["w","k",1]]>[["w","k",1]]; b txn [["r","k",null]]>[["r","k",2]]`, "multi-register, as txn imply"},
		// What was there before is no violation, and going back to it is one.
		{"a read >7; a write 1; b read >1", "a read >7; a write 1; b read >7", "cas-register"},
		{"a read >[7,8]; a append 1; b read >[7,8,1]", "a read >[7,8]; a append 1; b read >[8,7,1]", "log"},
		{"a read >7; a add 1; b read >8", "a read >7; a add 1; b read >1", "counter"},
		{`a get k/>"7"; a put k/"1"; b get k/>"1"`, `a get k/>"7"; a put k/"1"; b get k/>"7"`, "kv"},
	} {
		for _, sequential := range []bool{false, true} {
			checker := Linearizable("x")
			if sequential {
				checker = Sequential("x")
			}
			res := checker.Check(t.Context(), done(t, c.good))
			starts := strings.Contains(c.good, ">7") || strings.Contains(c.good, ">[7") || strings.Contains(c.good, `>"7`)
			switch {
			case sequential && starts:
				if res.Verdict != open || !strings.Contains(res.Reason, "was not empty when the records began") {
					t.Errorf("%v of %s: got %v: %s", checker, c.good, res.Verdict, res.Reason)
				}
			case res.Verdict != ok || !strings.Contains(res.Model, c.model) || !strings.Contains(res.Reason, strings.Split(c.model, ",")[0]):
				t.Errorf("%v of %s: got %v as %q: %s", checker, c.good, res.Verdict, res.Model, res.Reason)
			}
			if c.bad == "" || sequential {
				continue
			}
			if res := checker.Check(t.Context(), done(t, c.bad)); res.Verdict != bad || len(res.Witness) == 0 || !strings.Contains(res.Model, strings.Split(c.model, ",")[0]) {
				t.Errorf("%v of %s: got %v as %q: %s", checker, c.bad, res.Verdict, res.Model, res.Reason)
			}
		}
	}
}

func TestNamedModels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		checker check.Checker
		ops     string
		want    string // the verdict and a part of the reason or model
	}{
		{LinearizableAs("x", "register"), "a write 1; b read >1", "pass register, as was asked"},
		{LinearizableAs("x", "queue"), "a write 1; b read >1", "unknown operation 1 is a write, and its object has only enqueue and dequeue"},
		{LinearizableAs("x", "kv"), `a append "1"; b cas ["1","2"]; b get >"2"`, "pass kv, as was asked"},
		{LinearizableAs("x", "tree"), "a write 1; b read >1", `unknown no model is called "tree" (there are: register, `},
		{LinearizableAs("x", "owner-mutex"), "a acquire; b release", "fail b: release"},
		{Linearizable("x"), "a acquire; b release; b acquire", "pass mutex"},
		{Linearizable("x"), "a push 1; b read >1", "unknown no model has all of push and read"},
		{Linearizable("x"), "a write ?; b read >1", "unknown operation 1, a write, may have taken effect, and what it did is not known"},
		{Linearizable("x"), "a append k/1; b read >[1]", "unknown with a key and without one"},
		{Linearizable("x"), "a read >1; b read >1", "unknown no operation that would change it"},
		{Linearizable("x"), "a add 1; b add 2", "unknown fit any order"},
		{Linearizable("x"), "a enqueue 1; b dequeue ?", "unknown fit any order"},
		{Sequential("x"), "a write 1; a write 2; b read >1", "pass cas-register"}, // stale, and never back
		{Sequential("x"), "a write 1; a write 2; b read >2; b read >1", "fail b:r2 b:r1"},
		{Sequential("x"), "a write j/1; a write k/1; b read k/>1; b read j/", "fail each client"},
		{SequentialAs("x", "queue"), "a enqueue 1; a enqueue 2; b dequeue >2", "fail b: dequeue -> 2"},
		{SequentialAs("x", "tree"), "a write 1; b read >1", "unknown no model is called"},
	} {
		res := c.checker.Check(context.Background(), done(t, c.ops))
		want, part, _ := strings.Cut(c.want, " ")
		if res.Verdict.String() != want || !strings.Contains(res.Reason+"\n"+res.Model, part) {
			t.Errorf("%v of %s: got %v (%s: %s), want %s", c.checker, c.ops, res.Verdict, res.Model, res.Reason, c.want)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, good, bad, vague string
	}{
		{"monotonic_reads", "a write 1; a write 2; b read >1; b read >2", "a write 1; a write 2; b read >2; b read >1; c read >1; c read >2", "a write 1; a read >1; b read >1"},
		{"read_your_writes", "a write 1; a read >1; b read ", "a write 1; a read ", "a write 1; b read >1"},
		{"monotonic_writes", "a write 1; a write 2; b read >1; b read >2", "a write 1; a write 2; b read >2; b read >1", "a write 1; b write 2; b read >2"},
		{"writes_follow_reads", "a write 1; b read >1; b write 2; c read >1; c read >2", "a write 1; b read >1; b write 2; c read >2; c read >1", "a write 1; b read >1"},
		{"read_your_writes", "a read >7; a write 1; a read >1", "a read >7; a write 1; a read >7", ""}, // 7 was there before
	} {
		guarantee := Sessions()[c.name]("x")
		for text, want := range map[string]string{c.good: "pass", c.bad: "fail", c.vague: "unknown"} {
			if text == "" {
				continue
			}
			res := guarantee.Check(t.Context(), done(t, text))
			if res.Verdict.String() != want || want == "fail" && len(res.Witness) == 0 {
				t.Errorf("%v of %s: got %v: %s, want %s", guarantee, text, res.Verdict, res.Reason, want)
			}
		}
	}
	for text, part := range map[string]string{
		"a write 1; b write 1; b read >1":                  "values must be unique",
		"a enqueue 1; b dequeue >1":                        "session guarantees are of reads and writes",
		"a read >7; a write 7; a read >7":                  "which was there before",
		"a write 1; a cas [1,2]; a read >2; a write 3":     "operation 2 is a cas, and session guarantees are of reads and writes",
		"a write ?; a read >1; a write 2; a read >2":       "what it did is not known",
		"a write 1; a write 2":                             "seen by nobody",
		"a write k/1; a read >1; a write k/2; a read k/>2": "with a key and without one",
	} {
		if res := Sessions()["monotonic_writes"]("x").Check(t.Context(), done(t, text)); res.Verdict != open || !strings.Contains(res.Reason, part) {
			t.Errorf("%s: got %v: %s, want unknown: %s", text, res.Verdict, res.Reason, part)
		}
	}
}
