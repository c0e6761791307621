package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload/model"
)

func open[C any](db *memory, c C) model.Open[C] {
	return func(context.Context, int) (C, error) { db.opens.Add(1); return c, nil }
}

// record runs a workload by its name on a memory.
func record(t *testing.T, name string, db *memory, o model.Options) []history.Op {
	t.Helper()
	ctx := t.Context()
	c := client{db}
	var ops []history.Op
	var err error
	switch name {
	case "registers":
		ops, err = model.Registers(ctx, o, open[model.Register](db, c))
	case "lists":
		ops, err = model.ListAppend(ctx, o, open[model.Lists](db, c))
	case "bank":
		ops, err = model.Transfers(ctx, o, open[model.Bank](db, c))
	case "set":
		ops, err = model.Adds(ctx, o, open[model.Set](db, setClient{db}))
	case "queue":
		ops, err = model.Queues(ctx, o, open[model.Queue](db, c))
	}
	if err != nil {
		t.Fatal(err)
	}
	return ops
}

func workloads() []string { return []string{"registers", "lists", "bank", "set", "queue"} }

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		workload, defect string
		checker          check.Checker
		want             verdict.Verdict
	}{
		{"registers", "", consistency.Linearizable("registers"), verdict.Pass},
		{"registers", "lost-answers", consistency.Linearizable("registers"), verdict.Pass}, // honest: what was not answered is maybe
		{"registers", "lying", consistency.Linearizable("registers"), verdict.Fail},
		{"registers", "stale", consistency.Linearizable("registers"), verdict.Fail},
		{"registers", "drops", consistency.Linearizable("registers"), verdict.Fail},
		{"set", "", consistency.Once("set"), verdict.Pass},
		{"set", "lost-answers", consistency.Once("set"), verdict.Pass},
		{"set", "drops", consistency.NoLost("set"), verdict.Fail},
		{"queue", "", consistency.NoLost("queue"), verdict.Pass},
		{"queue", "drops", consistency.NoLost("queue"), verdict.Fail},
	} {
		t.Run(strings.Join([]string{c.workload, c.defect}, " "), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				ops := record(t, c.workload, newMemory(c.defect), model.Options{Seed: seed, Ops: 40})
				res := c.checker.Check(t.Context(), check.Input{Ops: ops})
				if res.Verdict != c.want {
					t.Fatalf("seed %d: got %s (%s), want %s", seed, res.Verdict, res.Reason, c.want)
				}
			}
		})
	}
}

// What every history promises, whatever the database does.
func TestRecords(t *testing.T) {
	t.Parallel()
	for _, name := range workloads() {
		for _, defect := range []string{"", "lost-answers", "drops"} {
			t.Run(name+" "+defect, func(t *testing.T) {
				t.Parallel()
				ops := record(t, name, newMemory(defect), model.Options{Seed: 3, Ops: 60, Clients: 8})
				free, ended, lost := map[string]time.Duration{}, map[string]bool{}, 0
				values := map[string]bool{}
				for i, op := range ops {
					if op.ID != uint64(i)+1 || op.Kind != history.Model || op.Object != name {
						t.Fatalf("operation %d: %+v", i+1, op)
					}
					if i > 0 && op.Call < ops[i-1].Call || op.Return < op.Call {
						t.Fatalf("operation %d is out of order: %+v", i+1, op)
					}
					if last, ok := free[op.Client]; ok && op.Call <= last {
						t.Fatalf("operation %d of %s touches the one before it", op.ID, op.Client)
					}
					if ended[op.Client] {
						t.Fatalf("operation %d of %s follows one of unknown outcome", op.ID, op.Client)
					}
					free[op.Client] = op.Return
					if op.Outcome == history.Maybe {
						ended[op.Client] = true
						lost++
					}
					for _, v := range written(op) {
						if values[v] {
							t.Fatalf("%s is written twice", v)
						}
						values[v] = true
					}
				}
				if want := defect == "lost-answers"; (lost > 0) != want {
					t.Errorf("%d operations of unknown outcome, want some: %v", lost, want)
				}
			})
		}
	}
}

// written are the values that an operation writes, which no other may.
func written(op history.Op) []string {
	var values []string
	switch op.Name {
	case "write", "add", "enqueue":
		values = append(values, op.Input.String())
	case "cas":
		values = append(values, op.Input.Items()[1].String())
	case "txn":
		for _, m := range op.Input.Items() {
			if m.Items()[0].Equal(history.String("append")) {
				values = append(values, m.Items()[2].String())
			}
		}
	}
	return values
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		read, write error
		wantRead    history.Outcome
		wantWrite   history.Outcome
	}{
		{"answered", nil, nil, history.OK, history.OK},
		{"lost", errors.New("reset"), errors.New("reset"), history.Failed, history.Maybe},
		{"refused", errors.New("no"), model.Refused(errors.New("no")), history.Failed, history.Failed},
		{"refused, wrapped", nil, fmt.Errorf("write k: %w", model.Refused(errors.New("no"))), history.OK, history.Failed},
		{"late", context.DeadlineExceeded, context.DeadlineExceeded, history.Failed, history.Maybe},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ops, err := model.Registers(t.Context(), model.Options{}, func(context.Context, int) (model.Register, error) { return answers{c.read, c.write}, nil })
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]int{}
			for _, op := range ops {
				seen[op.Name]++
				want := map[string]history.Outcome{"read": c.wantRead, "write": c.wantWrite, "cas": history.Failed}[op.Name]
				if op.Outcome != want || (op.Error == "") != (want == history.OK) {
					t.Fatalf("got %s (%s) for a %s, want %s", op.Outcome, op.Error, op.Name, want)
				}
			}
			if seen["read"] == 0 || seen["write"] == 0 {
				t.Errorf("operations: %v", seen)
			}
		})
	}
}

// answers is a register that answers always the same.
type answers struct{ read, write error }

func (a answers) Read(context.Context, string) (int64, bool, error) { return 0, false, a.read }
func (a answers) Write(context.Context, string, int64) error        { return a.write }
func (a answers) Txn(context.Context, []model.Micro) error          { return a.write }
func (a answers) Transfer(context.Context, int, int, int64) error   { return a.write }
func (a answers) Balances(context.Context) ([]int64, error)         { return nil, a.read }
func (a answers) Enqueue(context.Context, int64) error              { return a.write }
func (a answers) Dequeue(context.Context) (int64, bool, error)      { return 0, false, a.write }

// An item of a dequeue that was not answered may be gone, though nothing was written.
func TestADequeueIsNoRead(t *testing.T) {
	t.Parallel()
	ops, err := model.Queues(t.Context(), model.Options{Ops: 10}, func(context.Context, int) (model.Queue, error) { return answers{write: errors.New("reset")}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if op.Outcome != history.Maybe {
			t.Fatalf("got %s for %s, want maybe", op.Outcome, op.Name)
		}
	}
}

// A transaction that only reads has no effect.
func TestALostTransaction(t *testing.T) {
	t.Parallel()
	ops, err := model.ListAppend(t.Context(), model.Options{}, func(context.Context, int) (model.Lists, error) { return answers{write: errors.New("reset")}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		want := history.Failed
		if len(written(op)) > 0 {
			want = history.Maybe
		}
		if op.Outcome != want {
			t.Fatalf("got %s for %v, want %s", op.Outcome, op.Input, want)
		}
	}
}

func TestTransfersKeepTheTotal(t *testing.T) {
	t.Parallel()
	for defect, want := range map[string]bool{"": true, "lost-answers": true, "drops": false} {
		ops := record(t, "bank", newMemory(defect), model.Options{Seed: 1})
		kept := true
		for _, op := range ops {
			sum := int64(0)
			for _, e := range op.Output.Entries() {
				balance, _ := e.Val.AsInt()
				sum += balance
			}
			kept = kept && (op.Name != "read" || op.Outcome != history.OK || sum == 60)
		}
		if kept != want {
			t.Errorf("%q: the total was kept: %v, want %v", defect, kept, want)
		}
		if first := ops[0]; first.Name != "read" || first.Client != "before" {
			t.Errorf("the first operation is %+v, want a read that says what the total is", first)
		}
	}
}

// What a client does follows from the seed alone, where it does not depend on what it saw.
func TestSeeds(t *testing.T) {
	t.Parallel()
	for _, name := range workloads() {
		inputs := func(seed uint64, clients int) string {
			var texts []string
			for _, op := range record(t, name, newMemory(""), model.Options{Seed: seed, Clients: clients, Ops: 30}) {
				if op.Client == "c1" && op.Name != "cas" {
					texts = append(texts, fmt.Sprint(op.Name, op.Key, op.Input))
				}
			}
			return strings.Join(texts, " ")
		}
		if a, b := inputs(1, 1), inputs(1, 1); a != b {
			t.Errorf("%s: the same seed gives other operations:\n%s\n%s", name, a, b)
		}
		if a, b := inputs(1, 1), inputs(2, 1); a == b {
			t.Errorf("%s: another seed gives the same operations: %s", name, a)
		}
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	t.Run("a client that cannot be opened", func(t *testing.T) {
		t.Parallel()
		_, err := model.Adds(t.Context(), model.Options{}, func(_ context.Context, n int) (model.Set, error) {
			if n == 2 {
				return nil, errors.New("no route")
			}
			return setClient{newMemory("")}, nil
		})
		if err == nil || !strings.Contains(err.Error(), "open client c3: no route") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a context that ends", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int64
		ops, err := model.Queues(ctx, model.Options{Ops: 1e9}, func(context.Context, int) (model.Queue, error) {
			return slow{func() {
				if n.Add(1) == 50 {
					cancel()
				}
			}}, nil
		})
		if !errors.Is(err, context.Canceled) || len(ops) < 50 {
			t.Errorf("got %d operations and %v", len(ops), err)
		}
	})
	t.Run("a client that is down for a while", func(t *testing.T) {
		t.Parallel()
		db := newMemory("lost-answers")
		var n atomic.Int64
		ops, err := model.Adds(t.Context(), model.Options{Clients: 1, Ops: 40}, func(context.Context, int) (model.Set, error) {
			if n.Add(1)%3 == 0 {
				return nil, errors.New("starting up")
			}
			return setClient{db}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range ops {
			if op.Outcome == history.Failed {
				t.Errorf("%+v: want it to wait for the database", op)
			}
		}
	})
}

// slow is a queue that waits for its context where it is asked to.
type slow struct{ called func() }

func (s slow) Enqueue(ctx context.Context, _ int64) error { s.called(); return ctx.Err() }
func (s slow) Dequeue(ctx context.Context) (int64, bool, error) {
	s.called()
	return 0, false, ctx.Err()
}
