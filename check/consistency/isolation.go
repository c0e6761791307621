package consistency

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// Isolations returns, by its name in expressions, each checker that the transactions of an object may be of an isolation model.
//
// The object's operations are "txn": the input is a list of micro-operations, [["append", key, value], ["r", key, nil]] on lists, or
// [["w", key, value], ["r", key, nil]] on registers, and the output of one that is ok the same list with what was read. Written
// values are unique per key. What a transaction read that returned before the first one that writes was called was there before, and
// nobody need have written it.
func Isolations() map[string]func(object string) check.Checker {
	all := map[string]func(string) check.Checker{}
	for name, model := range map[string]txn.Model{
		"read_uncommitted":    txn.ReadUncommitted,
		"read_committed":      txn.ReadCommitted,
		"repeatable_read":     txn.RepeatableRead,
		"snapshot_isolation":  txn.SnapshotIsolation,
		"serializable":        txn.Serializable,
		"strict_serializable": txn.StrictSerializable,
	} {
		all[name] = func(object string) check.Checker {
			return &checker{name, object, "", func(ctx context.Context, object string, in check.Input) check.Result {
				return judgeIsolation(ctx, object, in, model)
			}}
		}
	}
	return all
}

func judgeIsolation(ctx context.Context, object string, in check.Input, model txn.Model) check.Result {
	var ops []history.Op
	for _, op := range modelOps(in, object) {
		if op.Name != "txn" {
			return unknown("operation %d is a %s, and only txn can be judged", op.ID, op.Name)
		}
		ops = append(ops, *op)
	}
	if len(ops) == 0 {
		return unknown("%q recorded no transaction", object)
	}
	for _, op := range ops {
		if op.Outcome != history.Failed && op.Input.Kind() != history.KindList {
			return unknown("transaction %d may have taken effect, and what it did is not known: %s", op.ID, op.Error)
		}
	}
	ops = append(before(modelOps(in, object)), ops...)
	h, err := txn.FromOps(ops)
	if err != nil {
		return unknown("%v", err)
	}
	res := txn.Check(ctx, h, model)
	found := check.Result{Verdict: res.Verdict, Reason: res.Reason, Model: string(model) + " over " + h.Type().String()}
	if res.Verdict == verdict.Fail && len(res.Anomalies) > 0 {
		ordered := modelOps(check.Input{Ops: ops}, object)
		byCall(ordered) // as FromOps numbers them
		for _, t := range res.Anomalies[0].Txns {
			if len(found.Witness) < maxWitness && ordered[t].ID > 0 {
				found.Witness = append(found.Witness, *ordered[t])
			}
		}
	}
	return found
}

// before returns one transaction, numbered 0, that wrote what was read before anything was written, or none.
func before(ops []*history.Op) []history.Op {
	first := time.Duration(math.MaxInt64)
	for _, op := range ops {
		if slices.ContainsFunc(op.Input.Items(), writes) {
			first = min(first, op.Call)
		}
	}
	var there []history.Value
	begin, keys := first, map[string]bool{}
	for _, op := range ops {
		begin = min(begin, op.Call)
		if op.Outcome != history.OK || op.Return >= first {
			continue
		}
		for _, m := range op.Output.Items() {
			if parts := m.Items(); len(parts) == 3 && !keys[text(parts[1])] {
				keys[text(parts[1])] = true
				there = append(there, written(parts[1], parts[2])...)
			}
		}
	}
	if len(there) == 0 {
		return nil
	}
	did := history.List(there...)
	return []history.Op{{Kind: history.Model, Name: "txn", Object: ops[0].Object, Client: "what was there before", Outcome: history.OK, Input: did, Output: did, Call: begin - 1, Return: begin - 1}}
}

func writes(m history.Value) bool {
	parts := m.Items()
	return len(parts) == 3 && !parts[0].Equal(history.String("r"))
}

// written are the micro-operations that lead to a value.
func written(key, value history.Value) []history.Value {
	var all []history.Value
	for _, item := range value.Items() {
		all = append(all, history.List(history.String("append"), key, item))
	}
	if value.Kind() != history.KindList && !value.IsNil() {
		all = append(all, history.List(history.String("w"), key, value))
	}
	return all
}
