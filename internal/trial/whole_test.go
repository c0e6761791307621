package trial_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// event writes one operation as Jepsen does: invoked and completed.
func event(process, f, in, typ, out string) string {
	return "{:type :invoke, :f :" + f + ", :value " + in + ", :process " + process + "}\n{:type :" + typ + ", :f :" + f + ", :value " + out + ", :process " + process + "}\n"
}

// The models that look at all operations once read what Jepsen writes, and each finds its defect.
func TestWholeModels(t *testing.T) {
	t.Parallel()
	generate := func(id string) string { return event("0", "generate", "nil", "ok", id) }
	balances := func(values string) string { return event("0", "read", "nil", "ok", values) }
	keys := func(process, values string) string { return event(process, "read", "nil", "ok", values) }
	add := func(typ, value string) string { return event("1", "add", value, typ, value) }
	enqueue := func(typ, value string) string { return event("1", "enqueue", value, typ, value) }
	for _, c := range []struct {
		model, file string
		want        verdict.Verdict
		says        string
	}{
		{"bank", balances("{0 10 1 10}") + balances("{0 5 1 15}"), verdict.Pass, "the total is taken to be 20"},
		{"bank", balances("{0 10 1 10}") + balances("{0 5 1 10}"), verdict.Fail, "add up to 15"},
		{"bank", balances("{0 10 1 10}") + balances("{0 -5 1 25}"), verdict.Fail, "read -> {0: -5, 1: 25}"},
		{"bank:30", balances("{0 10 1 10}") + balances("{0 5 1 15}"), verdict.Fail, "the total is 30"},
		{"bank", event("0", "read", "nil", "fail", "nil"), verdict.Unknown, "no read is ok"},
		{"long-fork", keys("1", "[[:r 1 1] [:r 2 nil]]") + keys("2", "[[:r 2 1] [:r 1 1]]"), verdict.Pass, "one order"},
		{"long-fork", keys("1", "[[:r 1 1] [:r 2 nil]]") + keys("2", "[[:r 2 1] [:r 1 nil]]"), verdict.Fail, "each see a write"},
		{"set-full", add("ok", "1") + balances("#{}") + balances("#{1}"), verdict.Pass, "1 stale"},
		{"set-full-linearizable", add("ok", "1") + balances("#{}") + balances("#{1}"), verdict.Fail, "missed by reads"},
		{"set-full", add("ok", "1") + balances("#{1}") + balances("#{}"), verdict.Fail, "are lost: [1]"},
		{"set-full", add("info", "1") + balances("#{}") + balances("#{1}"), verdict.Pass, "1 recovered"},
		{"set-full", add("ok", "1"), verdict.Unknown, "no read"},
		{"total-queue", enqueue("ok", "1") + enqueue("info", "2") + event("2", "drain", "nil", "ok", "[1 2]"), verdict.Pass, "1 recovered"},
		{"total-queue", enqueue("ok", "1") + event("2", "drain", "nil", "ok", "[1 1]"), verdict.Fail, "1 duplicated [1]"},
		{"total-queue", enqueue("ok", "1") + event("2", "dequeue", "nil", "fail", "nil"), verdict.Fail, "1 lost [1]"},
		{"total-queue", enqueue("ok", "1") + enqueue("ok", "2") + event("2", "drain", "nil", "info", "nil"), verdict.Unknown, "unknown outcome may have taken them"},
		{"bank", balances("{0 5 1 5.5}"), verdict.Unknown, "the total is taken to be 5,"},
		{"register", event("0", "write", "1", "fail", "1"), verdict.Pass, "no operation is ok, so this says nothing"},
		{"monotonic-reads", event("0", "write", "1", "info", "1"), verdict.Unknown, "no operation is ok"},
		{"sequential:queue", enqueue("info", "1"), verdict.Pass, "no operation is ok, so this says nothing"},
		{"serializable", event("0", "txn", "[[:r :x nil]]", "ok", "[[:r :x [7]]]"), verdict.Fail, "this transaction alone fails"},
		{"serializable", event("0", "txn", "[[:append :x 1]]", "ok", "[[:append :x 1]]") + event("0", "txn", "[[:r :x nil]]", "ok", "[[:r :x [1]]]") + add("ok", "1"), verdict.Pass, "1 operation of other names beside the transactions: not judged"},
		{"unique-ids", generate("1") + generate("2"), verdict.Pass, "2 ids are unique"},
		{"unique-ids", generate("7") + generate("8") + generate("7"), verdict.Fail, "both got 7"},
		{"unique-ids", generate("1700000000000000000") + generate("1700000000000000000N"), verdict.Fail, "both got 1700000000000000000"},
		{"unique-ids", generate("-9223372036854775808") + generate("\"-9223372036854775808\""), verdict.Pass, "2 ids are unique"},
	} {
		t.Run(c.model, func(t *testing.T) {
			t.Parallel()
			_, rep, err := judge(t, c.file, c.model, trial.Options{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := rep.Text(&text, &table.Style{Columns: 200}); err != nil {
				t.Fatal(err)
			}
			if rep.Verdict != c.want || !strings.Contains(text.String(), c.says) {
				t.Errorf("got %v, want %v with %q:\n%s", rep.Verdict, c.want, c.says, text.String())
			}
			if rep.Verdict != verdict.Fail {
				return
			}
			var test bytes.Buffer
			if err := rep.GoTest(&test, "history_test"); err != nil || !strings.Contains(test.String(), "res := txn.") {
				t.Errorf("the generated test: %v\n%s", err, test.String())
			}
		})
	}
}

// A history of something else is bad input, and no verdict.
func TestWholeModelOfAnother(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"bank", "bank:10", "long-fork", "total-queue", "unique-ids", "bank:x", "bank:"} {
		if _, rep, err := judge(t, event("0", "add", "1", "ok", "1"), model, trial.Options{}, 0); err == nil {
			t.Errorf("%s: got %v, want an error", model, rep.Verdict)
		}
	}
}
