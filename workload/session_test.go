package workload_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	rec, _ := drive(t, 60, workload.Journey{Steps: steps}, workload.Options{})
	checkSessions(t, rec.kind(history.Model))
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
	if first, third := ops[0].Client, ops[2].Client; third != first+".2" {
		t.Errorf("client %s went on as %s after an operation of unknown outcome", first, third)
	}
}

// checkSessions fails if a client did anything after an operation of unknown outcome, or took a new name without one.
func checkSessions(t *testing.T, ops []history.Op) {
	t.Helper()
	ended, renamed := map[string]time.Duration{}, 0
	outcomes := map[history.Outcome]int{}
	for _, op := range ops {
		outcomes[op.Outcome]++
		if call, ok := ended[op.Client]; ok && call != op.Call { // the records of one step stand beside each other
			t.Fatalf("operation %d of %s follows one of unknown outcome", op.ID, op.Client)
		}
		if op.Outcome == history.Maybe {
			ended[op.Client] = op.Call
		}
		if strings.Contains(op.Client, ".") {
			renamed++
		}
	}
	if outcomes[history.Maybe] == 0 || outcomes[history.OK] == 0 || renamed == 0 {
		t.Errorf("outcomes %v, %d operations of renamed clients", outcomes, renamed)
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
			timeout := 5 * time.Second
			if path == "/hang" {
				timeout = 50 * time.Millisecond
			}
			_, rec := one(t, workload.Options{}, workload.Step{Call: "POST " + url + path, Timeout: timeout, Expect: "status == 200", Record: []workload.Record{c.record}})
			op := rec.kind(history.Model)[0]
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
