package consistency

import (
	"context"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// Isolations returns, by its name in expressions, each checker that the transactions of an object may be of an isolation model.
//
// The object's operations are "txn": the input is a list of micro-operations, [["append", key, value], ["r", key, nil]] on lists, or
// [["w", key, value], ["r", key, nil]] on registers, and the output of one that is ok the same list with what was read. Written
// values are unique per key.
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
			return &checker{name, object, func(_ context.Context, object string, in check.Input) check.Result {
				return judgeIsolation(object, in, model)
			}}
		}
	}
	return all
}

func judgeIsolation(object string, in check.Input, model txn.Model) check.Result {
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
	h, err := txn.FromOps(ops)
	if err != nil {
		return unknown("%v", err)
	}
	res := txn.Check(h, model)
	found := check.Result{Verdict: res.Verdict, Reason: res.Reason, Model: string(model) + " over " + h.Type().String()}
	if res.Verdict == verdict.Fail && len(res.Anomalies) > 0 {
		ordered := modelOps(check.Input{Ops: ops}, object)
		byCall(ordered) // as FromOps numbers them
		for _, t := range res.Anomalies[0].Txns {
			if len(found.Witness) < maxWitness {
				found.Witness = append(found.Witness, *ordered[t])
			}
		}
	}
	return found
}
