package consistency

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// NoLost returns the checker that every acknowledged append (or enqueue) to the
// object is in the last read called after it returned, or was dequeued; and
// that nothing is read that was never appended, or whose append had certainly
// failed. An append whose outcome is not known may be there or not. Values that a
// read found before the first append were there before.
//
// A value that is neither read nor dequeued is lost once a later read, or of an
// object without reads a later dequeue, found it gone. It is unknown while
// dequeues of unknown outcome may have taken it. Values are told apart by themselves: where
// two acknowledged appends have one value, the result is unknown.
func NoLost(object string) check.Checker { return &checker{"no_lost", object, "", judgeLost} }

// Once returns the checker of NoLost that also fails on a value that is in the
// last read twice, or was dequeued twice, unless it was appended twice.
func Once(object string) check.Checker { return &checker{"once", object, "", judgeOnce} }

func judgeOnce(ctx context.Context, object string, in check.Input) check.Result {
	res := judgeLost(ctx, object, in)
	if res.Verdict == verdict.Fail {
		return res
	}
	j, err := newJournal(modelOps(in, object))
	if err != nil {
		return res // judgeLost said why
	}
	if twice, witness := j.twice(); len(twice) > 0 {
		res := fail(witness, "%d values are there twice: %s", len(twice), some(twice))
		res.Limit, res.Measured = "0 twice", fmt.Sprintf("%d twice", len(twice))
		return res
	}
	return res
}

func judgeLost(ctx context.Context, object string, in check.Input) check.Result {
	j, err := newJournal(modelOps(in, object))
	if err != nil {
		return unknown("%v", err)
	}
	acknowledged := j.acknowledged()
	if acknowledged == 0 {
		return unknown("%q recorded no acknowledged append", object)
	}
	lost, unread, witness := j.lost(ctx)
	res := lossResult(j, acknowledged, lost, unread, witness)
	if res.Verdict == verdict.Fail {
		return res
	}
	if wrong := j.unfounded(); wrong.Verdict == verdict.Fail {
		return wrong
	}
	return j.sure(res)
}

func lossResult(j journal, acknowledged int, lost []string, unread int, witness []*history.Op) check.Result {
	if n := len(lost); n > 0 && n <= len(j.unsure) {
		return unknown("%d of %d acknowledged appends are gone, and as many may have been taken by %d dequeues whose outcome is not known: %s",
			n, acknowledged, len(j.unsure), some(lost))
	}
	if n := len(lost); n > 0 {
		res := fail(witness, "%d of %d acknowledged appends are not in the last read: %s", n, acknowledged, some(lost))
		res.Limit, res.Measured = "0 lost", fmt.Sprintf("%d lost", n)
		return res
	}
	if unread > 0 {
		return unknown("%d of %d acknowledged appends were not followed by a read that ended well", unread, acknowledged)
	}
	res := pass("all %d acknowledged appends are in the last read", acknowledged)
	res.Limit, res.Measured = "0 lost", "0 lost"
	return res
}

// lost returns the acknowledged values that are gone, the number of those that
// were not looked for after their append, and the operations that show the loss.
func (j journal) lost(ctx context.Context) (gone []string, unread int, witness []*history.Op) {
	views := j.views()
	blamed := map[uint64]bool{}
	for _, op := range j.appends {
		if op.Outcome != history.OK || ctx.Err() != nil {
			continue
		}
		view := views[text(op.Key)]
		switch value := text(op.Input); {
		case view.values[value]:
		case view.look != nil && view.look.Call > op.Return:
			gone = append(gone, value)
			if !blamed[view.look.ID] {
				blamed[view.look.ID] = true
				witness = append(witness, view.look)
			}
			if len(witness) < maxWitness {
				witness = append(witness, op)
			}
		default:
			unread++
		}
	}
	return gone, unread, byCall(witness)
}

// A view is what can be said about one key: the values that were seen, and the
// last look that would have seen more, nil if there was none.
type view struct {
	values map[string]bool
	look   *history.Op
}

// views returns a view for each key that was appended to.
func (j journal) views() map[string]view {
	views := map[string]view{}
	for _, op := range j.appends {
		if _, ok := views[text(op.Key)]; !ok {
			views[text(op.Key)] = j.view(op.Key)
		}
	}
	return views
}

func (j journal) view(key history.Value) view {
	v := view{values: map[string]bool{}, look: last(j.reads, key)}
	if v.look != nil {
		for _, item := range v.look.Output.Items() {
			v.values[text(item)] = true
		}
	}
	for _, op := range j.taken {
		if sees(op.Key, key) {
			v.values[text(op.Output)] = true
		}
	}
	if v.look == nil {
		v.look = last(j.empty, key)
	}
	return v
}

// unfounded fails on the first seen value that no append can explain. An append
// that nobody answered and whose value only the answer would have told explains any one value.
func (j journal) unfounded() check.Result {
	known := j.before()
	nameless := j.nameless()
	wrong := func(op *history.Op, value history.Value) (check.Result, bool) {
		name := text(value)
		res := j.explain(op, value)
		if res.Verdict != verdict.Fail || known[name] {
			return res, false
		}
		if nameless > 0 && len(j.byValue[name]) == 0 {
			nameless--
			known[name] = true
			return res, false
		}
		return res, true
	}
	for _, op := range j.lastReads() {
		for _, item := range op.Output.Items() {
			if res, is := wrong(op, item); is {
				return res
			}
		}
	}
	for _, op := range j.taken {
		if res, is := wrong(op, op.Output); is {
			return res
		}
	}
	return check.Result{}
}

// nameless counts the appends of unknown outcome whose value is not known either.
func (j journal) nameless() int {
	n := 0
	for _, op := range j.appends {
		if op.Outcome == history.Maybe && op.Input.IsNil() {
			n++
		}
	}
	return n
}

// explain fails unless value, seen by op, was appended, perhaps, before op returned.
func (j journal) explain(op *history.Op, value history.Value) check.Result {
	witness := []*history.Op{op}
	late := false
	for _, a := range j.byValue[text(value)] {
		switch {
		case !sees(op.Key, a.Key):
		case a.Call > op.Return:
			late = true
			witness = append(witness, a)
		case a.Outcome != history.Failed:
			return check.Result{}
		default:
			witness = append(witness, a)
		}
	}
	switch {
	case len(witness) == 1:
		return fail(witness, "%v was read but never appended (what was there before needs a read before the first append)", value)
	case late:
		return fail(witness, "%v was read before it was appended", value)
	}
	return fail(witness, "%v was read, though its append had failed", value)
}

// twice returns the values that are twice in one last read or were dequeued
// twice, and the operations that show it.
func (j journal) twice() (values []string, witness []*history.Op) {
	places, manifold := j.places(), j.manifold()
	told := map[place]bool{}
	tell := func(at place, ops ...*history.Op) {
		if !told[at] && !manifold[at] {
			told[at] = true
			values = append(values, at.value)
			witness = append(append(witness, j.byValue[at.value]...), ops...)
		}
	}
	for _, op := range j.lastReads() {
		seen := map[place]bool{}
		for _, item := range op.Output.Items() {
			at := places(op.Key, item)
			if seen[at] {
				tell(at, op)
			}
			seen[at] = true
		}
	}
	first := map[place]*history.Op{}
	for _, op := range j.taken {
		at := places(op.Key, op.Output)
		if earlier, ok := first[at]; ok {
			tell(at, earlier, op)
		}
		first[at] = op
	}
	return values, dedupe(byCall(witness))
}

// dedupe drops the second and later of equal operations.
func dedupe(ops []*history.Op) []*history.Op {
	seen := map[uint64]bool{}
	var once []*history.Op
	for _, op := range ops {
		if !seen[op.ID] {
			seen[op.ID] = true
			once = append(once, op)
		}
	}
	return once
}
