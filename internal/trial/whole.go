package trial

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// bank is the one model with a parameter: bank:TOTAL.
const bank = "bank"

// A whole is a model that is decided by looking at all operations once, without searching an order. Its names are Jepsen's.
type whole struct {
	name  string
	about string // the name of operations without which there is nothing to judge
	judge func(*Report, []history.Op) txn.Finding
	test  string // the expression of a Go test that judges ops
}

// wholes returns the models of this kind but the bank, which has a total.
func wholes() []whole {
	return []whole{
		{"long-fork", "read", func(_ *Report, ops []history.Op) txn.Finding { return txn.LongFork(ops) }, "txn.LongFork(ops)"},
		{"set-full", "add", func(r *Report, ops []history.Op) txn.Finding { return r.set(ops, false) }, "txn.SetFull(ops, false)"},
		{"set-full-linearizable", "add", func(r *Report, ops []history.Op) txn.Finding { return r.set(ops, true) }, "txn.SetFull(ops, true)"},
		{"total-queue", "enqueue", (*Report).totalQueue, "txn.TotalQueue(ops)"},
		{"unique-ids", "generate", func(_ *Report, ops []history.Op) txn.Finding { return txn.UniqueIDs(ops) }, "txn.UniqueIDs(ops)"},
	}
}

func wholeNames() []string {
	names := []string{bank}
	for _, w := range wholes() {
		names = append(names, w.name)
	}
	return names
}

// wholeOf returns the model of that name for those operations.
func wholeOf(model string, ops []history.Op) (whole, bool) {
	if w, ok := bankOf(model, ops); ok {
		return w, true
	}
	i := slices.IndexFunc(wholes(), func(w whole) bool { return w.name == model })
	if i < 0 {
		return whole{}, false
	}
	return wholes()[i], true
}

// bankOf is the bank with the total of its name, or with that of the first read where the name has none.
func bankOf(model string, ops []history.Op) (whole, bool) {
	name, text, hasTotal := strings.Cut(model, ":")
	total, err := strconv.ParseInt(text, 10, 64)
	if name != bank || hasTotal && err != nil {
		return whole{}, false
	}
	if !hasTotal {
		total = firstTotal(plain(ops))
	}
	judge := func(r *Report, ops []history.Op) txn.Finding {
		if !hasTotal {
			r.Facts = append(r.Facts, fmt.Sprintf("the total is taken to be %d, as the first read has it; bank:TOTAL says another", total))
		}
		return txn.Bank(ops, total, false)
	}
	return whole{name, "read", judge, fmt.Sprintf("txn.Bank(ops, %d, false)", total)}, true
}

// firstTotal is what the first read of all accounts adds up to.
func firstTotal(ops []history.Op) int64 {
	sum := int64(0)
	for i := range ops {
		if ops[i].Name != "read" || ops[i].Outcome != history.OK {
			continue
		}
		for _, e := range ops[i].Output.Entries() {
			if balance, ok := e.Val.AsInt(); ok {
				sum += balance
			}
		}
		break
	}
	return sum
}

// whole judges all operations at once.
func (r *Report) whole(c *Case, w whole) error {
	ops := plain(c.Ops)
	if !slices.ContainsFunc(ops, func(op history.Op) bool { return op.Name == w.about }) {
		return input("%s: it holds no %s, which %s is about: is the history of another model?", c.File, w.about, r.Model)
	}
	f := w.judge(r, ops)
	r.wholeTest = w.test
	r.Verdict, r.Reason, r.Engine = f.Verdict, f.Reason, "one pass over all operations"
	if r.Verdict != verdict.Fail {
		return nil
	}
	for _, op := range f.Ops {
		i := slices.IndexFunc(c.Ops, func(o history.Op) bool { return o.ID == op.ID })
		if !slices.ContainsFunc(r.Witness, func(w Witness) bool { return w.place == i }) {
			r.Witness = append(r.Witness, c.witness(i))
		}
	}
	slices.SortFunc(r.Witness, func(a, b Witness) int { return a.place - b.place })
	r.first = r.Witness[len(r.Witness)-1].place
	if again := w.judge(&Report{}, f.Ops); again.Verdict == verdict.Fail {
		r.Smallest = f.Ops // of a drain only what is to be seen
	}
	return nil
}

// plain turns what Jepsen writes otherwise into the operations that are judged: a drain of a queue into dequeues, reads by
// micro-operations into maps.
func plain(ops []history.Op) []history.Op {
	var all []history.Op
	for _, op := range ops {
		switch {
		case op.Name == "drain" && op.Outcome == history.OK:
			for _, v := range op.Output.Items() {
				one := op
				one.Name, one.Output = "dequeue", v
				all = append(all, one)
			}
		case (op.Name == "read" || op.Name == "txn") && op.Outcome == history.OK && readsOnly(op.Output):
			op.Name, op.Output = "read", keysRead(op.Output)
			all = append(all, op)
		default:
			all = append(all, op)
		}
	}
	return all
}

// readsOnly says whether a value is a list of micro-operations that read.
func readsOnly(v history.Value) bool {
	for _, m := range v.Items() {
		parts := m.Items()
		if len(parts) != 3 || !parts[0].Equal(history.String("r")) {
			return false
		}
	}
	return len(v.Items()) > 0
}

func keysRead(v history.Value) history.Value {
	var entries []history.Entry
	for _, m := range v.Items() {
		entries = append(entries, history.Entry{Key: m.Items()[1], Val: m.Items()[2]})
	}
	return history.Map(entries...)
}

func (r *Report) set(ops []history.Op, linearizable bool) txn.Finding {
	s := txn.SetFull(ops, linearizable)
	r.Facts = append(r.Facts, fmt.Sprintf("%s: %d lost, %d stale, %d never read, %d recovered (their add had an unknown outcome)", plural(s.Elements, "element"),
		len(s.Lost), len(s.Stale), len(s.NeverRead), len(s.Recovered)))
	if n := len(s.Latency); n > 0 {
		slices.Sort(s.Latency)
		at := func(p int) time.Duration { return s.Latency[min(n-1, n*p/100)] }
		r.Facts = append(r.Facts, fmt.Sprintf("until no read missed it: %v median, %v p95, %v p99, %v most", at(50), at(95), at(99), s.Latency[n-1]))
	}
	return s.Finding
}

func (r *Report) totalQueue(ops []history.Op) txn.Finding {
	q := txn.TotalQueue(ops)
	r.Facts = append(r.Facts, fmt.Sprintf("%d enqueued, %d dequeued: %d lost, %d duplicated, %d unexpected, %d recovered (their enqueue had an unknown outcome)",
		q.Enqueued, q.Dequeued, len(q.Lost), len(q.Duplicated), len(q.Unexpected), len(q.Recovered)))
	return q.Finding
}
