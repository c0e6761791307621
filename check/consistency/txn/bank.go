package txn

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Finding is what a checker of operations says, with the operations that show it.
type Finding struct {
	Verdict verdict.Verdict
	Reason  string
	Ops     []history.Op // of a fail: those that show it
}

func nothing(what string) Finding {
	return Finding{Reason: "no " + what + " is ok, so there is nothing to judge"}
}

func failed(ops []history.Op, format string, args ...any) Finding {
	return Finding{Verdict: verdict.Fail, Reason: fmt.Sprintf(format, args...), Ops: ops}
}

// Bank judges reads of all accounts, operations named "read" whose output maps accounts to balances: each must add up to total,
// and no balance may be below zero unless negative is allowed.
func Bank(ops []history.Op, total int64, negative bool) Finding {
	reads, odd := 0, ""
	for _, op := range ops {
		if op.Name != "read" || op.Outcome != history.OK {
			continue
		}
		reads++
		sum, integers := int64(0), true
		if op.Output.Kind() != history.KindMap {
			odd = fmt.Sprintf("operation %d read %v, which maps no accounts to balances", op.ID, op.Output)
			continue
		}
		for _, e := range op.Output.Entries() {
			balance, ok := e.Val.AsInt()
			if !ok {
				odd, integers = fmt.Sprintf("operation %d read %v of account %v, which is no integer", op.ID, e.Val, e.Key), false
			}
			if balance < 0 && !negative {
				return failed([]history.Op{op}, "operation %d read a balance of %d on account %v", op.ID, balance, e.Key)
			}
			sum += balance
		}
		if integers && sum != total {
			return failed([]history.Op{op}, "operation %d read balances that add up to %d, and the total is %d", op.ID, sum, total)
		}
	}
	if reads == 0 {
		return nothing("read")
	}
	if odd != "" {
		return Finding{Reason: odd}
	}
	return Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("%d reads add up to %d", reads, total)}
}

// LongFork judges reads of several keys, operations named "read" whose output maps keys to values, nil for one that was not written
// yet. Each key is written once. Two reads may not each see a write that the other misses.
func LongFork(ops []history.Op) Finding {
	var reads []history.Op
	for _, op := range ops {
		if op.Name == "read" && op.Outcome == history.OK {
			reads = append(reads, op)
		}
	}
	if len(reads) == 0 {
		return nothing("read")
	}
	// A read that sees more comes after: sorted by how much they see, all are a chain iff each is within the next, key by key in
	// groups of the same keys.
	groups := map[string][]history.Op{}
	var order []string
	for _, op := range reads {
		if len(op.Output.Entries()) == 0 {
			return Finding{Reason: fmt.Sprintf("operation %d read %v, which maps no keys to values", op.ID, op.Output)}
		}
		keys := ""
		for _, e := range op.Output.Entries() {
			keys += e.Key.String() + ","
		}
		if groups[keys] == nil {
			order = append(order, keys)
		}
		groups[keys] = append(groups[keys], op)
	}
	for _, keys := range order {
		group := groups[keys]
		slices.SortStableFunc(group, func(a, b history.Op) int { return sees(a) - sees(b) })
		for i := 1; i < len(group); i++ {
			a, b := group[i-1], group[i]
			for j, e := range a.Output.Entries() {
				if other := b.Output.Entries()[j].Val; !e.Val.IsNil() && other.IsNil() {
					return failed([]history.Op{a, b}, "operations %d and %d each see a write that the other misses: %d sees key %v",
						a.ID, b.ID, a.ID, e.Key)
				}
			}
		}
	}
	return Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("%d reads see writes in one order", len(reads))}
}

func sees(op history.Op) int {
	n := 0
	for _, e := range op.Output.Entries() {
		if !e.Val.IsNil() {
			n++
		}
	}
	return n
}

// UniqueIDs judges operations named "generate": no two that are ok may return the same.
func UniqueIDs(ops []history.Op) Finding {
	seen := map[string]history.Op{}
	for _, op := range ops {
		if op.Name != "generate" || op.Outcome != history.OK {
			continue
		}
		id := op.Output.String()
		if first, ok := seen[id]; ok {
			return failed([]history.Op{first, op}, "operations %d and %d both got %s", first.ID, op.ID, id)
		}
		seen[id] = op
	}
	if len(seen) == 0 {
		return nothing("generate")
	}
	return Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("%d ids are unique", len(seen))}
}

// A Queue counts what went through a queue.
type Queue struct {
	Finding
	Enqueued, Dequeued                      int
	Lost, Duplicated, Unexpected, Recovered []history.Value
}

// TotalQueue judges operations named "enqueue" and "dequeue" of a queue that was drained in the end: what was enqueued comes out
// exactly once. What came out though its enqueue was of unknown outcome is recovered, and fine. What did not is lost, unless there are
// as many dequeues of unknown outcome: then it is not known.
func TotalQueue(ops []history.Op) Queue {
	type count struct {
		value           history.Value
		sure, may, outs int
		ops             []history.Op
	}
	counts := map[string]*count{}
	var order []*count
	of := func(v history.Value, op history.Op) *count {
		text := v.String()
		c := counts[text]
		if c == nil {
			c = &count{value: v}
			counts[text] = c
			order = append(order, c)
		}
		c.ops = append(c.ops, op)
		return c
	}
	var q Queue
	lost, maybe := 0, 0 // how often; dequeues of unknown outcome
	for _, op := range ops {
		switch {
		case op.Name == "enqueue" && op.Outcome == history.OK:
			of(op.Input, op).sure++
			q.Enqueued++
		case op.Name == "enqueue" && op.Outcome == history.Maybe:
			of(op.Input, op).may++
		case op.Name == "dequeue" && op.Outcome == history.OK && !op.Output.IsNil():
			of(op.Output, op).outs++
			q.Dequeued++
		case op.Name == "dequeue" && op.Outcome == history.Maybe:
			maybe++
		}
	}
	var shown []history.Op // of the first value of each kind: all that was done with it
	note := func(kind *[]history.Value, c *count) {
		if len(*kind) == 0 {
			shown = append(shown, c.ops...)
		}
		*kind = append(*kind, c.value)
	}
	for _, c := range order {
		switch {
		case c.sure+c.may == 0:
			note(&q.Unexpected, c)
		case c.outs > c.sure+c.may:
			note(&q.Duplicated, c)
		case c.outs < c.sure:
			note(&q.Lost, c)
			lost += c.sure - c.outs
		case c.outs > c.sure:
			q.Recovered = append(q.Recovered, c.value)
		}
	}
	switch {
	case len(q.Duplicated)+len(q.Unexpected) == 0 && lost > 0 && lost <= maybe:
		q.Finding = Finding{Reason: fmt.Sprintf("%d did not come out %v, and %d dequeues of unknown outcome may have taken them", lost, few(q.Lost), maybe)}
	case len(q.Lost)+len(q.Duplicated)+len(q.Unexpected) > 0:
		q.Finding = failed(shown, "%d lost %v, %d duplicated %v, %d unexpected %v", len(q.Lost), few(q.Lost), len(q.Duplicated), few(q.Duplicated),
			len(q.Unexpected), few(q.Unexpected))
	case q.Enqueued == 0:
		q.Finding = nothing("enqueue")
	default:
		q.Finding = Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("all of %d came out once", q.Enqueued)}
	}
	return q
}

func few(values []history.Value) []history.Value { return values[:min(len(values), 8)] }
