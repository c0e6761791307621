package nats_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/examples/consistency/nats"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload/model"
)

func options() model.Options {
	return model.Options{Seed: 1, Clients: 6, Ops: 30, Keys: 3, Timeout: 5 * time.Second}
}

// expect wants a verdict.
func expect(t *testing.T, res check.Result, err error, want verdict.Verdict) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != want {
		t.Fatalf("got %s: %s; want %s", res.Verdict, res.Reason, want)
	}
	t.Logf("%s: %s", res.Verdict, res.Reason)
}

func decide(t *testing.T, checker check.Checker, ops []history.Op) check.Result {
	return checker.Check(t.Context(), check.Input{Ops: ops})
}

// What is read and written again is right where the key's revision is compared, and clients overwrite one another's where it is not.
// They meet between the two, so this is no luck.
func TestDocument(t *testing.T) {
	s := solo(t)
	for mode, want := range map[string]verdict.Verdict{"compared": verdict.Pass, "careless": verdict.Fail} {
		meeting := &model.Meeting{}
		document := func(ctx context.Context, key string) (*nats.Document, error) {
			kv, err := s.bucket(ctx, "documents", jetstream.FileStorage)
			return &nats.Document{KV: kv, Key: key, Careless: mode == "careless", Meeting: meeting}, err
		}
		t.Run("lists/"+mode, func(t *testing.T) {
			ops, err := model.ListAppend(t.Context(), options(), func(ctx context.Context, _ int) (model.Lists, error) { return document(ctx, "lists-"+mode) })
			expect(t, decide(t, consistency.Isolations()["strict_serializable"]("lists"), ops), err, want)
		})
		t.Run("bank/"+mode, func(t *testing.T) {
			first, err := document(t.Context(), "bank-"+mode)
			if err == nil {
				err = first.Open(t.Context(), 20, 20, 20)
			}
			if err != nil {
				t.Fatal(err)
			}
			// Whole documents are overwritten, so no balance is ever wrong: what is lost is a transfer. The program that gave the
			// money away kept its word to a caller, and the next read does not show it.
			ops, err := model.Transfers(t.Context(), options(), func(ctx context.Context, _ int) (model.Bank, error) { return document(ctx, "bank-"+mode) })
			if res := txn.Bank(ops, 60, false); res.Verdict != verdict.Pass {
				t.Fatalf("the balances: got %s: %s", res.Verdict, res.Reason)
			}
			expect(t, decide(t, consistency.LinearizableAs("accounts", "counter"), balances(ops)), err, want)
		})
	}
}

// balances are the operations of a bank as those on a counter for each account.
func balances(ops []history.Op) []history.Op {
	var all []history.Op
	add := func(op history.Op, account int64, name string, input, output history.Value) {
		op.ID, op.Object, op.Key, op.Name, op.Input, op.Output = uint64(len(all)+1), "accounts", history.Int(account), name, input, output
		all = append(all, op)
	}
	for _, op := range ops {
		if op.Name == "read" {
			for _, e := range op.Output.Entries() {
				account, _ := e.Key.AsInt()
				add(op, account, "read", history.Value{}, e.Val)
			}
			continue
		}
		parts := map[string]int64{}
		for _, e := range op.Input.Entries() {
			name, _ := e.Key.AsString()
			parts[name], _ = e.Val.AsInt()
		}
		add(op, parts["from"], "add", history.Int(-parts["amount"]), history.Value{})
		add(op, parts["to"], "add", history.Int(parts["amount"]), history.Value{})
	}
	return all
}

// The server is restarted when its clients have been told of 60 numbers. What a bucket kept in memory is gone.
func TestSet(t *testing.T) {
	for name, c := range map[string]struct {
		storage jetstream.StorageType
		want    verdict.Verdict
	}{"file": {jetstream.FileStorage, verdict.Pass}, "memory": {jetstream.MemoryStorage, verdict.Fail}} {
		t.Run(name, func(t *testing.T) {
			s := solo(t)
			crash := &crasher{server: s, after: 60}
			o := options()
			o.Timeout = time.Second // as long as the answers take that went with the server
			ops, err := model.Adds(t.Context(), o, func(ctx context.Context, _ int) (model.Set, error) {
				kv, err := s.bucket(ctx, "set", c.storage)
				return fragile{nats.Set{KV: kv}, crash}, err
			})
			if !crash.done() { // proof of effect: else the test would say nothing
				t.Fatal("the server was not restarted")
			}
			expect(t, decide(t, consistency.NoLost("set"), ops), err, c.want)
		})
	}
}

// The answer to every fifth number that is published is lost with its connection, so it is published again. The server knows it by its
// id, and without one it is there twice.
func TestQueue(t *testing.T) {
	for mode, want := range map[string]verdict.Verdict{"with ids": verdict.Pass, "careless": verdict.Fail} {
		t.Run(mode, func(t *testing.T) {
			s := solo(t)
			lost := &losses{}
			ops, err := model.Queues(t.Context(), options(), func(ctx context.Context, _ int) (model.Queue, error) {
				line := &line{losses: lost}
				js, err := s.dial(line)
				if err != nil {
					return nil, err
				}
				stream, err := js.CreateOrUpdateStream(ctx, nats.Stream("queue"))
				if err != nil {
					return nil, err
				}
				consumer, err := stream.CreateOrUpdateConsumer(ctx, nats.Worker())
				return forgetful{&nats.Queue{JetStream: js, Consumer: consumer, Name: "queue", Careless: mode == "careless"}, line}, err
			})
			if lost.count() == 0 { // proof of effect: else the test would say nothing
				t.Fatal("no answer was lost")
			}
			expect(t, decide(t, consistency.Once("queue"), ops), err, want)
		})
	}
}
