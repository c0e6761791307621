package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/examples/consistency/postgres"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload/model"
)

func options(seed uint64) model.Options {
	return model.Options{Seed: seed, Clients: 6, Ops: 40, Keys: 2, Timeout: 5 * time.Second}
}

// expect judges what was recorded, and wants a verdict.
func expect(t *testing.T, checker check.Checker, ops []history.Op, err error, want verdict.Verdict) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	res := checker.Check(t.Context(), check.Input{Ops: ops})
	if res.Verdict != want {
		t.Fatalf("got %s: %s; want %s", res.Verdict, res.Reason, want)
	}
	t.Logf("%s: %s", res.Verdict, res.Reason)
}

// Two clients swap the same value where each compares in its own program what it read: at read committed both are told that they did.
// One statement that compares and writes is right at each level, and what the program compares is where the level holds what it read.
func TestRegister(t *testing.T) {
	server := start(t)
	for _, c := range []struct {
		careless bool
		level    pgx.TxIsoLevel
		want     verdict.Verdict
	}{
		{false, pgx.ReadCommitted, verdict.Pass},
		{true, pgx.ReadCommitted, verdict.Fail},
		{true, pgx.RepeatableRead, verdict.Pass},
		{true, pgx.Serializable, verdict.Pass},
	} {
		t.Run(fmt.Sprintf("careless=%v/%s", c.careless, c.level), func(t *testing.T) {
			fresh(t, server.url)
			meeting := &model.Meeting{}
			ops, err := model.Registers(t.Context(), options(1), func(context.Context, int) (model.Register, error) {
				return &postgres.Register{Client: postgres.Client{URL: server.url, Level: c.level, Meeting: meeting}, Careless: c.careless}, nil
			})
			expect(t, consistency.Linearizable("registers"), ops, err, c.want)
		})
	}
}

// Two workers look for the next job, and both take it.
func TestQueue(t *testing.T) {
	server := start(t)
	for _, c := range []struct {
		careless bool
		level    pgx.TxIsoLevel
		want     verdict.Verdict
	}{
		{false, pgx.ReadCommitted, verdict.Pass},
		{true, pgx.ReadCommitted, verdict.Fail},
		{true, pgx.RepeatableRead, verdict.Pass},
		{true, pgx.Serializable, verdict.Pass},
	} {
		t.Run(fmt.Sprintf("careless=%v/%s", c.careless, c.level), func(t *testing.T) {
			fresh(t, server.url)
			meeting := &model.Meeting{}
			ops, err := model.Queues(t.Context(), options(1), func(context.Context, int) (model.Queue, error) {
				return &postgres.Queue{Client: postgres.Client{URL: server.url, Level: c.level, Meeting: meeting}, Careless: c.careless}, nil
			})
			expect(t, consistency.Once("queue"), ops, err, c.want)
		})
	}
}

// The server is killed with SIGKILL when the clients have been told of 60 numbers, and started again. With synchronous_commit=off they
// were told of what was not yet written.
func TestSet(t *testing.T) {
	for _, c := range []struct {
		commit string
		want   verdict.Verdict
	}{{"on", verdict.Pass}, {"off", verdict.Fail}} {
		t.Run("synchronous_commit="+c.commit, func(t *testing.T) {
			server := start(t)
			fresh(t, server.url)
			crash := crasher{t: t, server: server, after: 60}
			ops, err := model.Adds(t.Context(), options(1), func(context.Context, int) (model.Set, error) {
				url := server.url + " synchronous_commit=" + c.commit
				return crash.set(&postgres.Set{Client: postgres.Client{URL: url, Level: pgx.ReadCommitted}}), nil
			})
			if !crash.done() { // proof of effect: else the test would say nothing
				t.Fatal("the server did not crash")
			}
			expect(t, consistency.NoLost("set"), ops, err, c.want)
		})
	}
}
