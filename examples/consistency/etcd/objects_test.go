package etcd_test

import (
	"context"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/examples/consistency/etcd"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload/model"
)

// Each object is right where what was read is compared when it is written, and is caught where it is not: then two clients overwrite one
// another's numbers, or take the same one. The clients meet between the two, so this is no luck.
func TestObjects(t *testing.T) {
	c := start(t)
	o := model.Options{Seed: 1, Clients: 6, Ops: 30, Keys: 3, Timeout: 5 * time.Second}
	for name, judge := range map[string]func(t *testing.T, careless bool) (check.Result, error){
		"lists": func(t *testing.T, careless bool) (check.Result, error) {
			ops, err := model.ListAppend(t.Context(), o, open(c, t.Name(), careless, func(e *etcd.Client) model.Lists { return e }))
			return decide(t, consistency.Isolations()["strict_serializable"]("lists"), ops), err
		},
		"bank": func(t *testing.T, careless bool) (check.Result, error) {
			clients := open(c, t.Name(), careless, func(e *etcd.Client) model.Bank { return e })
			first, err := clients(t.Context(), 0)
			if err == nil {
				err = first.(*etcd.Client).Accounts(t.Context(), o.Keys, 20)
			}
			if err != nil {
				return check.Result{}, err
			}
			ops, err := model.Transfers(t.Context(), o, clients)
			res := txn.Bank(ops, 60, false)
			return check.Result{Verdict: res.Verdict, Reason: res.Reason}, err
		},
		"set": func(t *testing.T, careless bool) (check.Result, error) {
			ops, err := model.Adds(t.Context(), o, open(c, t.Name(), careless, func(e *etcd.Client) model.Set { return etcd.Set{Client: e} }))
			return decide(t, consistency.Once("set"), ops), err
		},
		"queue": func(t *testing.T, careless bool) (check.Result, error) {
			ops, err := model.Queues(t.Context(), o, open(c, t.Name(), careless, func(e *etcd.Client) model.Queue {
				return &etcd.Queue{Etcd: e.Etcd, Prefix: e.Prefix, Careless: careless, Meeting: e.Meeting}
			}))
			return decide(t, consistency.Once("queue"), ops), err
		},
	} {
		for mode, want := range map[string]verdict.Verdict{"compared": verdict.Pass, "careless": verdict.Fail} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				res, err := judge(t, mode == "careless")
				if err != nil {
					t.Fatal(err)
				}
				if res.Verdict != want {
					t.Fatalf("got %s: %s; want %s", res.Verdict, res.Reason, want)
				}
				t.Logf("%s: %s", res.Verdict, res.Reason)
			})
		}
	}
}

func decide(t *testing.T, checker check.Checker, ops []history.Op) check.Result {
	return checker.Check(t.Context(), check.Input{Ops: ops})
}

// open opens clients of all members that meet one another.
func open[C any](c *cluster, prefix string, careless bool, as func(*etcd.Client) C) model.Open[C] {
	meeting := &model.Meeting{}
	return func(ctx context.Context, client int) (C, error) {
		e, err := c.dial(ctx, client%3)
		return as(&etcd.Client{Etcd: e, Prefix: prefix + "/", Careless: careless, Meeting: meeting}), err
	}
}
