package consistency

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const (
	ok   = verdict.Pass
	bad  = verdict.Fail
	open = verdict.Unknown
)

func parse(t *testing.T, text string) check.Input {
	t.Helper()
	ops, err := history.Shorthand(text)
	if err != nil {
		t.Fatal(err)
	}
	return check.Input{Ops: ops}
}

// A row is a history in shorthand, what is concluded from it, and a part of the reason.
type row struct {
	name, history string
	want          verdict.Verdict
	reason        string
}

func runTable(t *testing.T, checker check.Checker, rows []row) {
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := checker.Check(context.Background(), parse(t, tt.history))
			if res.Verdict != tt.want || !strings.Contains(res.Reason, tt.reason) {
				t.Errorf("%q is %v (%s), want %v (%s)", tt.history, res.Verdict, res.Reason, tt.want, tt.reason)
			}
			if res.Check != checker.String() || res.Reason == "" {
				t.Errorf("check %q, reason %q", res.Check, res.Reason)
			}
			if (res.Verdict == bad) != (len(res.Witness) > 0) {
				t.Errorf("%v with %d witnesses", res.Verdict, len(res.Witness))
			}
		})
	}
}

// What no checker passes on, whatever it checks.
func TestNothingIsUnknown(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	good := map[check.Checker]string{
		NoLost("x"):                     "0:a1 0:r[1]",
		Once("x"):                       "0:a1 0:r[1]",
		Ordered("x"):                    "0:a1 0:a2 0:r[1,2]",
		Linearizable("x"):               "0:w1 0:r1",
		LinearizableAs("x", "register"): "0:w1 0:r1",
		Sequential("x"):                 "0:w1 0:r1",
		SequentialAs("x", "register"):   "0:w1 0:r1",
	}
	for _, guarantee := range Sessions() {
		good[guarantee("x")] = "0:w1 0:r1 0:w2 0:r2"
	}
	for checker, text := range good {
		in := parse(t, text)
		if res := checker.Check(context.Background(), in); res.Verdict != ok {
			t.Errorf("%v of %s: %v, %s", checker, text, res.Verdict, res.Reason)
		}
		if res := checker.Check(ended, in); res.Verdict != open || !strings.Contains(res.Reason, "did not end in time") {
			t.Errorf("%v after its context: %v, %s", checker, res.Verdict, res.Reason)
		}
		if res := checker.Check(context.Background(), check.Input{}); res.Verdict != open {
			t.Errorf("%v of nothing: %v, %s", checker, res.Verdict, res.Reason)
		}
		for i := range in.Ops {
			in.Ops[i].Object = "y"
		}
		if res := checker.Check(context.Background(), in); res.Verdict != open || !strings.Contains(res.Reason, `"x" recorded no`) {
			t.Errorf("%v of another object: %v, %s", checker, res.Verdict, res.Reason)
		}
		for i := range in.Ops {
			in.Ops[i].Object, in.Ops[i].Kind = "x", history.Step
		}
		if res := checker.Check(context.Background(), in); res.Verdict != open {
			t.Errorf("%v of steps: %v, %s", checker, res.Verdict, res.Reason)
		}
	}
}

var lossRows = []row{
	{"all there", "0:a1 1:a2 2:r[1,2]", ok, "all 2 acknowledged appends"},
	{"in any order", "0:a1 1:a2 2:r[2,1]", ok, ""},
	{"one lost", "0:a1 1:a2 2:r[2]", bad, "1 of 2 acknowledged appends are not in the last read: 1"},
	{"all lost, null for none", "0:a1 2:r", bad, "1 of 1"},
	{"only the last read counts", "0:a1 0:a2 2:r[1,2] 2:r[1]", bad, ": 2"},
	{"an early read may be behind", "0:a1 0:a2 2:r[1] 2:r[1,2]", ok, ""},
	{"an unknown append may be missing", "0:a1 0:a2? 2:r[1]", ok, ""},
	{"an unknown append may be there", "0:a1 0:a2? 2:r[1,2]", ok, ""},
	{"a failed append is missing", "0:a1 0:a2! 2:r[1]", ok, ""},
	{"a failed append is there", "0:a1 0:a2! 2:r[1,2]", bad, "2 was read, though its append had failed"},
	{"failed, then done by a retry", "0:a1! 0:a1 2:r[1]", ok, ""},
	{"failed, then perhaps done by a retry", "0:a2 0:a1! 0:a1? 2:r[1,2]", ok, ""},
	{"never appended", "0:a1 2:r[1,9]", bad, "9 was read but never appended"},
	{"there before", "2:r[9] 0:a1 2:r[9,1]", ok, ""},
	{"read too early", "0:a1 2:r[1,2] 0:a2", bad, "2 was read before it was appended"},
	{"not read", "0:a1", open, "1 of 1 acknowledged appends were not followed by a read"},
	{"not read after the last append", "0:a1 2:r[1] 0:a2", open, "1 of 2"},
	{"read while appended, not there", "0:a1( 2:r[] 0:)", open, "1 of 1"},
	{"read while appended, there", "0:a1( 2:r[1] 0:)", ok, ""},
	{"the last read failed", "0:a1 2:r[1]! 2:r[1]?", open, "1 of 1"},
	{"nothing acknowledged", "0:a1? 0:a2! 2:r[1]", open, "no acknowledged append"},
	{"only reads", "2:r[1]", open, "no acknowledged append"},
	{"a read of no list", "0:a1 2:r7", open, "a list was expected"},
	{"another kind of operation", "0:a1 0:w1 2:r[1]", open, "only append"},
	{"values keep their kind", `0:a1 2:r["1"]`, bad, "1 of 1"},
	{"keys are read apart", "0:aj=1 0:ak=2 2:rj=[1] 2:rk=[2]", ok, ""},
	{"one key is not read", "0:aj=1 0:ak=2 2:rj=[1]", open, "1 of 2"},
	{"one key lost its value to another", "0:aj=1 0:ak=2 2:rj=[1,2] 2:rk=[]", bad, "1 of 2"},
	{"a whole read sees every key", "0:aj=1 0:ak=2 2:r[1,2]", ok, ""},

	{"one value appended twice, read once", "0:a1 1:a1 2:r[1]", open, "two acknowledged appends have the value 1: values must be unique to be judged (record a unique value)"},
	{"one value appended twice, read twice", "0:a1 1:a1 2:r[1,1]", open, "have the value 1"},
	{"one value appended twice, and gone", "0:a1 1:a1 2:a2 2:r[2]", bad, "2 of 3"},
	{"one value appended twice, another lost", "0:a1 1:a1 0:a2 2:r[1]", bad, "1 of 3 acknowledged appends are not in the last read: 2"},
	{"one value appended twice, another made up", "0:a1 1:a1 2:r[1,9]", bad, "9 was read but never appended"},
	{"done by the second of three tries", "0:a1? 0:a1 0:a1! 2:r[1]", ok, ""},
	{"one value of two keys, read apart", "0:aj=1 0:ak=1 2:rj=[1] 2:rk=[1]", ok, ""},
	{"one value of two keys, read together", "0:aj=1 0:ak=1 2:r[1]", open, "have the value 1"},
	{"one value twice in a key", "0:aj=1 0:aj=1 2:rj=[1]", open, "have the value 1"},
	{"one value enqueued twice, dequeued once", "0:e1 0:e1 1:d1 1:d", open, "have the value 1"},
	{"one value enqueued twice, dequeued twice", "0:e1 1:d1 0:e1 1:d1 1:d", open, "have the value 1"},
	{"dequeued", "0:e1 0:e2 1:d1 1:d2 1:d", ok, ""},
	{"dequeued or left", "0:e1 0:e2 1:d1 2:r[2]", ok, ""},
	{"lost from a queue", "0:e1 0:e2 1:d1 1:d", bad, "1 of 2"},
	{"not drained", "0:e1 0:e2 1:d1", open, "1 of 2"},
	{"drained before the enqueue", "1:d 0:e1", open, "1 of 1"},
	{"perhaps taken by an unknown dequeue", "0:e1 0:e2 1:d1 1:d? 1:d", open, "dequeues whose outcome is not known"},
	{"too many for the unknown dequeue", "0:e1 0:e2 0:e3 1:d1 1:d? 1:d", bad, "2 of 3"},
	{"dequeued but never enqueued", "0:e1 1:d1 1:d9 1:d", bad, "9 was read but never appended"},
}

func TestNoLost(t *testing.T) {
	t.Parallel()
	runTable(t, NoLost("x"), lossRows)
	runTable(t, NoLost("x"), []row{
		{"twice is not lost", "0:a1 2:r[1,1]", ok, ""},
		{"dequeued twice is not lost", "0:e1 1:d1 2:d1 1:d", ok, ""},
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	runTable(t, Once("x"), lossRows)
	runTable(t, Once("x"), []row{
		{"twice", "0:a1 0:a2 2:r[1,2,1]", bad, "1 values are there twice: 1"},
		{"appended twice, there twice", "0:a1? 0:a1 2:r[1,1]", bad, "twice"},
		{"appended twice, there once", "0:a1? 0:a1 2:r[1]", ok, ""},
		{"twice, in an early read only", "0:a1 2:r[1,1] 2:r[1]", ok, ""},
		{"an unknown append twice", "0:a2 0:a1? 2:r[1,2,1]", bad, "twice"},
		{"dequeued twice", "0:e1 1:d1 2:d1 1:d", bad, "twice"},
		{"twice beats not read", "0:a1 2:r[1,1] 0:a2", bad, "twice"},
		{"appended twice, and another is there twice", "0:a1 1:a1 0:a2 2:r[1,2,2]", bad, "1 values are there twice: 2"},
		{"appended twice, dequeued thrice is not told", "0:e1 0:e1 1:d1 1:d1 1:d1 1:d", open, "have the value 1"},
		{"of two keys with one value, twice in one", "0:aj=1 0:ak=1 2:rj=[1,1] 2:rk=[1]", bad, "1 values are there twice: 1"},
		{"of two keys with one value, dequeued twice from one", "0:ej=1 0:ek=1 1:dj=1 1:dj=1 1:dk=1", bad, "twice"},
		{"of two keys with one value, dequeued from each", "0:ej=1 0:ek=1 1:dj=1 1:dk=1", ok, ""},
		{"the same value of two keys", "0:aj=1 0:ak=1 2:rj=[1] 2:rk=[1]", ok, ""},
	})
}

func TestOrdered(t *testing.T) {
	t.Parallel()
	runTable(t, Ordered("x"), []row{
		{"in order", "0:a1 0:a2 0:a3 1:r[1,2,3]", ok, "1 keys"},
		{"swapped", "0:a1 0:a2 0:a3 1:r[1,3,2]", bad, "3 was seen before 2, which was appended before it"},
		{"swapped far apart", "0:a1 0:a2 0:a3 1:r[3,2,1]", bad, ""},
		{"in an early read", "0:a1 0:a2 1:r[2,1] 1:r[1,2]", bad, ""},
		{"overlapping appends have no order", "0:a1( 1:a2 0:) 1:r[2,1]", open, "recorded no two appends"},
		{"a third one orders them", "0:a1( 1:a2 0:) 0:a3 1:r[2,1,3]", ok, ""},
		{"an unknown append may come later", "0:a1? 0:a2 1:r[2,1]", open, ""},
		{"an unknown append came too early", "0:a1 0:a2? 1:r[2,1]", bad, ""},
		{"keys have no order between them", "0:aj=1 0:ak=2 0:ak=3 1:r[2,1,3]", ok, "1 keys"},
		{"within a key", "0:aj=1 0:ak=2 0:ak=3 1:r[3,1,2]", bad, `key "k"`},
		{"pairs", `0:a["j",1] 0:a["k",1] 0:a["j",2] 1:r[["k",1],["j",1],["j",2]]`, ok, "1 keys"},
		{"pairs swapped", `0:a["j",1] 0:a["j",2] 1:r[["j",2],["j",1]]`, bad, `key "j"`},
		{"keyed reads", "0:ak=1 0:ak=2 1:rk=[2,1]", bad, ""},
		{"lost ones do not matter", "0:a1 0:a2 0:a3 1:r[1,3]", ok, ""},
		{"the first place of a duplicate counts", "0:a1 0:a2 1:r[1,2,1]", ok, ""},
		{"duplicates do not hide", "0:a1 0:a2 1:r[2,1,2]", bad, ""},
		{"appended twice, no order", "0:a1 0:a2 0:a1 1:r[2,1]", open, ""},
		{"appended twice, the others in order", "0:a1 0:a1 0:a2 0:a3 1:r[1,2,3]", open, "two acknowledged appends have the value 1"},
		{"appended twice, the others swapped", "0:a1 0:a1 0:a2 0:a3 1:r[1,3,2]", bad, "3 was seen before 2"},
		{"done by a retry, in order", "0:a1! 0:a1 0:a2 1:r[1,2]", ok, ""},
		{"one of two keys, in order", "0:aj=1 0:aj=2 0:ak=1 0:ak=2 1:rj=[1,2] 1:rk=[1,2]", ok, "2 keys"},
		{"failed ones have no order", "0:a1! 0:a2 1:r[2,1]", open, ""},
		{"never read together", "0:a1 1:r[1] 0:a2", open, ""},
		{"one value", "0:a1 1:r[1]", open, ""},
		{"not read", "0:a1 0:a2", open, ""},
		{"a read that failed", "0:a1 0:a2 1:r[2,1]?", open, ""},

		{"dequeued in order", "0:e1 0:e2 1:d1 2:d2", ok, ""},
		{"dequeued out of order", "0:e1 0:e2 1:d2 2:d1", bad, ""},
		{"overlapping dequeues have no order", "0:e1 0:e2 1:d2( 2:d1 1:)", open, ""},
	})
}

// Dequeues that meet at one instant overlap: intervals are closed.
func TestOrderedOfDequeuesThatMeet(t *testing.T) {
	t.Parallel()
	in := parse(t, "0:e1 0:e2 1:d2 2:d1")
	if res := Ordered("x").Check(context.Background(), in); res.Verdict != bad {
		t.Errorf("apart: %v, %s", res.Verdict, res.Reason)
	}
	in.Ops[3].Call = in.Ops[2].Return
	if res := Ordered("x").Check(context.Background(), in); res.Verdict != open {
		t.Errorf("meeting: %v, %s", res.Verdict, res.Reason)
	}
}

func TestLinearizable(t *testing.T) {
	t.Parallel()
	runTable(t, Linearizable("x"), []row{
		{"a read of a write", "0:w1 1:r1", ok, "2 operations on 1 keys"},
		{"stale read", "0:w1 1:r1 0:w2 1:r1", bad, "key null: no order of its operations fits the cas-register and real time: 0:w1 0:w2 1:r1"},
		{"a key starts as nil", "1:r 0:w1 1:r1", ok, ""},
		{"back to nil", "0:w1 1:r", bad, "0:w1 1:rnull"},
		{"never written", "0:w1 1:r7", bad, "1:r7"},
		{"either of two that overlap", "0:w1( 1:r 0:) 1:r1", ok, ""},
		{"seen, then not", "0:w1( 1:r1 2:r 0:)", bad, ""},
		{"an unknown write took effect late", "0:w1? 1:r 1:r 1:r1", ok, ""},
		{"an unknown write took effect once", "0:w1? 0:w2 1:r1 1:r2", bad, ""},
		{"an unknown write never took effect", "0:w1? 1:r", ok, ""},
		{"a failed write took effect", "0:w1! 1:r1", bad, ""},
		{"a failed write did not", "0:w1! 1:r", ok, ""},
		{"an unknown read says nothing", "0:w1 1:r7? 1:r1", ok, ""},
		{"cas", "0:w1 0:c[1,2] 1:r2", ok, ""},
		{"cas of another value", "0:w1 0:c[3,2] 1:r1", bad, ""},
		{"two cas from one value", "0:w1 0:c[1,2]( 1:c[1,3] 0:)", bad, ""},
		{"a failed cas says nothing", "0:w1 0:c[3,2]! 1:r1", ok, ""},
		{"an unknown cas took effect", "0:w1 0:c[1,2]? 1:r1 1:r2", ok, ""},
		{"an unknown cas could not", "0:w1 0:c[3,2]? 1:r2", bad, ""},
		{"keys are apart", "0:wj=1 0:wk=2 1:rj=1 1:rk=2", ok, "on 2 keys"},
		{"one key of two", "0:wj=1 0:wk=2 1:rj=1 1:rk=1", bad, `key "k"`},
		{"only writes", "0:w1 0:w2", open, "such as a read"},
		{"only unknown reads", "0:w1 1:r7?", open, "such as a read"},
		{"only an unknown cas", "0:w1 0:c[1,2]?", open, "such as a read"},
		{"nothing ended well", "0:w1! 1:r1!", open, "no operation that ended well"},
		{"an append", "0:w1 0:a1 1:r1", open, "no model has all of append, read and write (there are: register"},
		{"a cas of no pair", "0:c1 1:r1", open, "[from, to] was expected"},
		{"lists are values", "0:w[1,2] 1:r[1,2]", ok, ""},
	})
}

func TestCasThatReturnedFalse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		history string
		want    verdict.Verdict
	}{
		{"0:w1 0:c[2,3] 1:r1", ok},
		{"0:w1 0:c[1,3] 1:r1", bad},
	} {
		in := parse(t, tt.history)
		in.Ops[1].Output = history.Bool(false)
		if res := Linearizable("x").Check(context.Background(), in); res.Verdict != tt.want {
			t.Errorf("%s, false: %v, %s; want %v", tt.history, res.Verdict, res.Reason, tt.want)
		}
	}
}

func TestConverged(t *testing.T) {
	t.Parallel()
	type events = []history.Event
	probe := func(at int, instance string, position int64) history.Event {
		return history.Event{At: time.Duration(at), Kind: history.Probe, Name: "position", Target: instance, Value: history.Int(position)}
	}
	event := func(at int, kind history.EventKind, target string) history.Event {
		return history.Event{At: time.Duration(at), Kind: kind, Target: target}
	}
	cut := events{event(1, history.Inject, "db-2"), probe(2, "db-1", 7), probe(2, "db-2", 5), event(3, history.Heal, "db-2")}
	after := func(more ...history.Event) events { return append(cut[:len(cut):len(cut)], more...) }
	for _, tt := range []struct {
		name   string
		events events
		want   verdict.Verdict
		reason string
	}{
		{"agree", after(probe(4, "db-1", 9), probe(4, "db-2", 9)), ok, "db-1=9 db-2=9"},
		{"differ", after(probe(4, "db-1", 9), probe(4, "db-2", 5)), bad, "db-1=9 db-2=5"},
		{"agree at last", after(probe(4, "db-1", 9), probe(4, "db-2", 5), probe(5, "db-2", 9)), ok, ""},
		{"diverge at last", after(probe(4, "db-1", 9), probe(4, "db-2", 9), probe(5, "db-2", 8)), bad, ""},
		{"agreed only before the heal", after(), open, "no instance"},
		{"one never answered again", after(probe(4, "db-1", 9)), open, "db-2 did not answer"},
		{"one answered nil", after(probe(4, "db-1", 9), history.Event{At: 4, Kind: history.Probe, Name: "position", Target: "db-2"}), open, "db-2 did not answer"},
		{"one never answered at all", after(event(1, history.State, "db-3"), probe(4, "db-1", 9), probe(4, "db-2", 9)), open, "db-3 did not answer"},
		{"a later heal", after(probe(4, "db-1", 9), probe(4, "db-2", 9), event(5, history.Heal, "db-1")), open, ""},
		{"another probe", after(probe(4, "db-1", 9), history.Event{At: 4, Kind: history.Probe, Name: "role", Target: "db-2", Value: history.Int(9)}), open, ""},
		{"another service", after(probe(4, "db-1", 9), probe(4, "db-2", 9), probe(4, "api-1", 1)), ok, ""},
		{"one instance", events{probe(4, "db-1", 9)}, open, "one instance only"},
		{"never healed", events{event(1, history.Inject, "db-1"), probe(4, "db-1", 9), probe(4, "db-2", 9)}, open, "none was healed"},
		{"nothing injected", events{probe(4, "db-1", 9), probe(4, "db-2", 9)}, ok, ""},
		{"no events", nil, open, "no instance"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := check.Input{Events: tt.events, Service: func(instance string) string { return strings.Split(instance, "-")[0] }}
			res := Converged("db").Check(context.Background(), in)
			if res.Verdict != tt.want || !strings.Contains(res.Reason, tt.reason) {
				t.Errorf("%v (%s), want %v (%s)", res.Verdict, res.Reason, tt.want, tt.reason)
			}
		})
	}
}
