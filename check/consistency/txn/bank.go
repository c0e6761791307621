package txn

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

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
		sum, integers := new(big.Int), true
		if op.Output.Kind() != history.KindMap || len(op.Output.Entries()) == 0 {
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
			sum.Add(sum, big.NewInt(balance))
		}
		if integers && sum.Cmp(big.NewInt(total)) != 0 {
			return failed([]history.Op{op}, "operation %d read balances that add up to %v, and the total is %d", op.ID, sum, total)
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

// UniqueIDs judges operations named "generate": no two that are ok may return the same.
func UniqueIDs(ops []history.Op) Finding {
	seen, odd := map[string]history.Op{}, ""
	for _, op := range ops {
		if op.Name != "generate" || op.Outcome != history.OK {
			continue
		}
		if op.Output.IsNil() {
			odd = fmt.Sprintf("operation %d is ok and generated null, which is no id", op.ID)
			continue
		}
		id := op.Output.String()
		if first, ok := seen[id]; ok {
			return failed([]history.Op{first, op}, "operations %d and %d both got %s", first.ID, op.ID, id)
		}
		seen[id] = op
	}
	switch {
	case odd != "":
		return Finding{Reason: odd}
	case len(seen) == 0:
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

// A passage is what was done with a value of a queue.
type passage struct {
	value           history.Value
	sure, may, outs int           // enqueued, with a known outcome and without; dequeued
	in              time.Duration // when the first enqueue was called
	ops             []history.Op
}

// early says whether the value came out before it went in.
func (p *passage) early() bool {
	return slices.ContainsFunc(p.ops, func(op history.Op) bool { return op.Name == "dequeue" && op.Return < p.in })
}

// TotalQueue judges operations named "enqueue" and "dequeue" of a queue that was drained in the end: what was enqueued comes out
// exactly once. What came out though its enqueue was of unknown outcome is recovered, and fine. What did not is lost, unless there are
// as many dequeues of unknown outcome: then it is not known. What came out before it went in is unexpected.
func TotalQueue(ops []history.Op) Queue {
	counts := map[string]*passage{}
	var order []*passage
	of := func(v history.Value, op history.Op) *passage {
		text := v.String()
		c := counts[text]
		if c == nil {
			c = &passage{value: v, in: math.MaxInt64}
			counts[text] = c
			order = append(order, c)
		}
		c.ops = append(c.ops, op)
		return c
	}
	enqueued := func(op history.Op) *passage {
		c := of(op.Input, op)
		c.in = min(c.in, op.Call)
		return c
	}
	var q Queue
	lost, maybe, drains := 0, 0, 0 // how often; dequeues of unknown outcome; drains of which, which may have taken any number
	for _, op := range ops {
		switch {
		case op.Name == "enqueue" && op.Outcome == history.OK:
			enqueued(op).sure++
			q.Enqueued++
		case op.Name == "enqueue" && op.Outcome == history.Maybe:
			enqueued(op).may++
		case op.Name == "dequeue" && op.Outcome == history.OK && !op.Output.IsNil():
			of(op.Output, op).outs++
			q.Dequeued++
		case op.Name == "dequeue" && op.Outcome == history.Maybe:
			maybe++
		case op.Name == "drain" && op.Outcome == history.Maybe:
			drains++
		}
	}
	var shown []history.Op // of the first value of each kind: all that was done with it
	note := func(kind *[]history.Value, c *passage) {
		if len(*kind) == 0 {
			shown = append(shown, c.ops...)
		}
		*kind = append(*kind, c.value)
	}
	for _, c := range order {
		switch {
		case c.sure+c.may == 0, c.early():
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
	case len(q.Duplicated)+len(q.Unexpected) == 0 && lost > 0 && (drains > 0 || lost <= maybe):
		q.Finding = Finding{Reason: fmt.Sprintf("%d did not come out %v, and %d dequeues and drains of unknown outcome may have taken them", lost, few(q.Lost), maybe+drains)}
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
