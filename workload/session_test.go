package workload_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// After an operation of unknown outcome a client goes on under a new name: what it did may still be on its way.
func TestAnUnknownOutcomeEndsASession(t *testing.T) {
	t.Parallel()
	over := hang(t)
	var n atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			over(w, r)
		case 1:
			w.WriteHeader(409)
		default:
			fmt.Fprint(w, `{"v": 1}`)
		}
	})
	steps := []workload.Step{{Call: "PUT " + url, Timeout: 50 * time.Millisecond, Expect: "status == 200", Failed: "status == 409",
		Record: []workload.Record{{Op: "write", Object: "a", Value: "n"}, {Op: "put", Object: "b", Key: "1", Value: "n"}}},
		{Call: "GET " + url, Timeout: 50 * time.Millisecond, Expect: "status == 200", Record: []workload.Record{{Op: "read", Object: "a", Value: "body.v"}}}}
	for rate := 500.0; ; rate /= 2 { // on a busy machine all run at once, and no client comes again
		rec, _ := drive(t, 0, workload.Journey{Steps: steps}, workload.Options{Load: []workload.Load{{Journey: "j", Rate: rate}}, Duration: time.Duration(60 / rate * float64(time.Second))})
		if ops := rec.kind(history.Model); renamed(ops) > 0 || rate < 10 {
			checkSessions(t, ops)
			return
		}
	}
}

func TestAnUnknownOutcomeOfAFunction(t *testing.T) {
	t.Parallel()
	rec, _ := drive(t, 30, workload.Journey{Func: func(_ context.Context, run *workload.Run) error {
		for i := range 3 {
			p, err := run.Begin("write", "a", nil, int64(run.N())*3+int64(i))
			switch {
			case err != nil:
				return err
			case i == 1:
				p.Maybe(errors.New("no answer"))
			default:
				_ = p.OK(nil)
			}
		}
		return nil
	}}, workload.Options{})
	ops := rec.kind(history.Model)
	checkSessions(t, ops)
	run := slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool { return op.Trace != ops[0].Trace })
	if first, third := run[0].Client, run[2].Client; third != first+".2" {
		t.Errorf("client %s went on as %s after an operation of unknown outcome", first, third)
	}
}

// renamed counts the operations of clients that go on under a new name.
func renamed(ops []history.Op) (n int) {
	for _, op := range ops {
		if strings.Contains(op.Client, ".") {
			n++
		}
	}
	return n
}

// checkSessions fails if a client did anything after an operation of unknown outcome, or took a new name without one.
func checkSessions(t *testing.T, ops []history.Op) {
	t.Helper()
	ended := map[string]time.Duration{}
	outcomes := map[history.Outcome]int{}
	for _, op := range ops {
		outcomes[op.Outcome]++
		if call, ok := ended[op.Client]; ok && call != op.Call { // the records of one step stand beside each other
			t.Fatalf("operation %d of %s follows one of unknown outcome", op.ID, op.Client)
		}
		if op.Outcome == history.Maybe {
			ended[op.Client] = op.Call
		}
	}
	if outcomes[history.Maybe] == 0 || outcomes[history.OK] == 0 || renamed(ops) == 0 {
		t.Errorf("outcomes %v, %d operations of renamed clients", outcomes, renamed(ops))
	}
	for client := range ended {
		base, life, _ := strings.Cut(client, ".")
		before := map[string]string{"2": base, "3": base + ".2"}[life]
		if _, ok := ended[before]; before != "" && !ok {
			t.Errorf("%s was renamed, and no operation of it was of unknown outcome", client)
		}
	}
}

// Sets and key-value stores are recorded with the outcomes and values of their kind.
func TestRecordsOfStores(t *testing.T) {
	t.Parallel()
	over := hang(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			over(w, r)
			return
		}
		fmt.Fprint(w, `{"v": 7, "was": true}`)
	})
	for _, c := range []struct {
		record      workload.Record
		want, asked string // the operation when it is answered, and when it is not
	}{
		{workload.Record{Op: "add", Object: "o", Value: "n"}, "ok 0 null", "maybe 0 null"},
		{workload.Record{Op: "remove", Object: "o", Value: "n"}, "ok 0 null", "maybe 0 null"},
		{workload.Record{Op: "put", Object: "o", Key: "1", Value: "n"}, "ok 0 null", "maybe 0 null"},
		{workload.Record{Op: "get", Object: "o", Key: "1", Value: "body.v"}, "ok null 7", "failed null null"},
		{workload.Record{Op: "delete", Object: "o", Key: "1"}, "ok null null", "maybe null null"},
		{workload.Record{Op: "delete", Object: "o", Key: "1", Value: "body.was"}, "ok null true", "maybe null null"},
	} {
		for path, want := range map[string]string{"/": c.want, "/hang": c.asked} {
			step := workload.Step{Call: "POST " + url + path, Timeout: time.Minute, Expect: "status == 200", Record: []workload.Record{c.record}}
			ask := func() history.Op {
				_, rec := one(t, workload.Options{}, step)
				return rec.kind(history.Model)[0]
			}
			if path == "/hang" {
				ask = func() history.Op { return unanswered(t, step) }
			}
			op := ask()
			if got := fmt.Sprint(op.Outcome, " ", op.Input, " ", op.Output); got != want || op.Name != c.record.Op {
				t.Errorf("%s %s: got %s %s, want %s", c.record.Op, path, op.Name, got, want)
			}
		}
	}
	for _, wrong := range []workload.Record{{Op: "add", Object: "o"}, {Op: "get", Object: "o", Key: "1"}, {Op: "put", Object: "o", Value: "n", To: "n"}} {
		_, err := workload.Compile(workload.Journey{Name: "j", Steps: []workload.Step{{Call: "GET " + url, Expect: "status == 200", Record: []workload.Record{wrong}}}})
		if err == nil || !strings.Contains(err.Error(), wrong.Op+" needs a value") {
			t.Errorf("%s: got %v", wrong.Op, err)
		}
	}
}

// unanswered makes a request that nobody answers and returns its operation. A busy machine may take longer than the timeout to connect, and then
// the request was certainly not made: it gets more time.
func unanswered(t *testing.T, step workload.Step) history.Op {
	t.Helper()
	for step.Timeout = 50 * time.Millisecond; ; step.Timeout *= 3 {
		op, rec := one(t, workload.Options{}, step)
		if ops := rec.kind(history.Model); op.Outcome == history.Maybe || step.Timeout > 10*time.Second {
			if len(ops) != 1 {
				t.Fatalf("got %d operations, want 1", len(ops))
			}
			return ops[0]
		}
	}
}
