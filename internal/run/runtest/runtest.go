// Package runtest writes records of an experiment that nobody ran, for tests of what is judged and decided from records.
package runtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// Write writes to dir the records of an experiment of ten seconds: a journey at 20/s, and from the third second to the
// sixth kill(SERVICE) on SERVICE-1, which was gone and came back. Every journey sends one request to SERVICE-1. They prove restart and dependency.
// Where ok is false every journey fails from the third second on.
func Write(dir, journey, service string, ok bool) error {
	ops := operations(journey, ok)
	return errors.Join(records(dir, "ops.jsonl", ops), records(dir, "events.jsonl", events(service)), records(dir, "env.jsonl", back(service)),
		records(dir, "exchanges.jsonl", exchanges(service, ops)))
}

func records[R history.Record](dir, name string, all []R) error {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	w := history.NewWriter[R](file)
	for _, r := range all {
		err = errors.Join(err, w.Write(r))
	}
	return errors.Join(err, w.Flush(), file.Close())
}

func operations(journey string, ok bool) []history.Op {
	var ops []history.Op
	for i := range 200 {
		at := time.Duration(i) * 50 * time.Millisecond
		op := history.Op{ID: uint64(i + 1), Kind: history.Journey, Client: "c1", Journey: journey, Name: journey, Outcome: history.OK,
			Scheduled: at, Call: at, Return: at + 5*time.Millisecond, Trace: fmt.Sprintf("%032x", i+1)}
		if !ok && at >= 3*time.Second {
			op.Outcome = history.Failed
		}
		ops = append(ops, op)
	}
	return ops
}

func exchanges(service string, ops []history.Op) []history.Exchange {
	var all []history.Exchange
	for i, op := range ops {
		all = append(all, history.Exchange{Src: system.Client, Dst: service + "-1", Conn: 1, Protocol: "http/1.1", Method: "GET", Path: "/", Start: op.Call,
			First: op.Return, End: op.Return, Status: 200, Traceparent: fmt.Sprintf("00-%s-%016x-01", op.Trace, i+1), Attempt: 1})
	}
	return all
}

func back(service string) []history.Event {
	return []history.Event{{At: 6500 * time.Millisecond, Kind: history.State, Target: service + "-1", Name: "ready"}}
}

func events(service string) []history.Event {
	const s = time.Second
	number := func(key string, n int64) history.Entry {
		return history.Entry{Key: history.String(key), Val: history.Int(n)}
	}
	about := history.Event{Name: "kill(" + service + ")", Fault: 1, Target: service + "-1"}
	at := func(d time.Duration, kind history.EventKind, e history.Event) history.Event {
		e.At, e.Kind = d, kind
		return e
	}
	seen := about
	seen.OK, seen.Text = true, "gone"
	phase := func(d time.Duration, name string) history.Event {
		return at(d, history.Phase, history.Event{Name: name})
	}
	return []history.Event{phase(0, "before"), phase(3*s, "fault"), at(3*s, history.Inject, about), at(4*s, history.Effect, seen),
		at(6*s, history.Heal, about), phase(6*s, "healed"), phase(7*s, "after"), phase(10*s, "drain"),
		at(10*s, history.Note, history.Event{Name: "driver", Value: history.Map(number("lateness_p99_ns", 1), number("runs", 200), number("saturated", 0))}),
		phase(10*s, "final"), at(11*s, history.Snapshot, history.Event{Name: "rollback", OK: true, Text: "as before"}), phase(11*s, "end")}
}
