package workload_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

func txn(ops ...workload.Micro) []workload.Record {
	return []workload.Record{{Op: "txn", Object: "lists", Ops: ops}}
}

// appendAndRead appends to one list and reads another one.
func appendAndRead() []workload.Record {
	return txn(workload.Micro{Op: "append", Key: `"x"`, Value: "item"}, workload.Micro{Op: "read", Key: `"y"`, Value: "body.y"})
}

func TestTransactionsAreRecorded(t *testing.T) {
	t.Parallel()
	over := hang(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			fmt.Fprint(w, `{"y": [1, "b"]}`)
		case "/none":
			fmt.Fprint(w, `{"y": null}`)
		case "/silent":
			fmt.Fprint(w, `{}`)
		case "/409":
			w.WriteHeader(409)
		case "/503":
			w.WriteHeader(503)
		default:
			over(w, r)
		}
	})
	const asked = `[["append","x","i-1"],["r","y",null]]`
	read := txn(workload.Micro{Op: "read", Key: `"y"`, Value: "body.y"})
	for _, c := range []struct {
		name    string
		call    string
		records []workload.Record
		outcome history.Outcome
		input   string
		output  string
	}{
		{"ok", "/ok", appendAndRead(), history.OK, asked, `[["append","x","i-1"],["r","y",[1,"b"]]]`},
		{"nothing there", "/none", appendAndRead(), history.OK, asked, `[["append","x","i-1"],["r","y",null]]`},
		{"the answer lacks what was read", "/silent", appendAndRead(), history.Maybe, asked, `null`},
		{"certainly not", "/409", appendAndRead(), history.Failed, asked, `null`},
		{"an error", "/503", appendAndRead(), history.Maybe, asked, `null`},
		{"no answer", "/hang", appendAndRead(), history.Maybe, asked, `null`},
		{"a read without an answer", "/hang", read, history.Failed, `[["r","y",null]]`, `null`},
		{"registers", "/ok", txn(workload.Micro{Op: "write", Key: "item", Value: "n + 1"}), history.OK, `[["w","i-1",1]]`, `[["w","i-1",1]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			step := workload.Step{Call: "POST " + url + c.call, Timeout: time.Minute, Expect: "status == 200", Failed: "status == 409", Record: c.records}
			var op history.Op
			if c.call == "/hang" {
				op = unanswered(t, step)
			} else {
				_, rec := one(t, workload.Options{}, step)
				ops := rec.kind(history.Model)
				if len(ops) != 1 {
					t.Fatalf("got %d operations, want 1", len(ops))
				}
				op = ops[0]
			}
			if op.Name != "txn" || op.Object != "lists" || op.Outcome != c.outcome || op.Input.String() != c.input || op.Output.String() != c.output {
				t.Errorf("got %s of %s, %s: %v gave %v; want %s: %s gave %s", op.Name, op.Object, op.Outcome, op.Input, op.Output, c.outcome, c.input, c.output)
			}
		})
	}
}

// What only the answer would have told cannot be recorded where there is none.
func TestTransactionErrors(t *testing.T) {
	t.Parallel()
	known := []workload.Micro{{Op: "append", Key: "1", Value: "n"}}
	for _, c := range []struct {
		name string
		step workload.Step
		want string
	}{
		{"no ops", workload.Step{Record: txn()}, "record[0]: txn needs ops, such as [{append: KEY, value: VALUE}"},
		{"a value", workload.Step{Record: []workload.Record{{Op: "txn", Object: "o", Value: "n", Ops: known}}}, "record[0]: txn needs ops, and neither key, value, from nor to"},
		{"ops of another", workload.Step{Record: []workload.Record{{Op: "append", Object: "o", Value: "n", Ops: known}}}, "record[0]: append has no ops (they belong to txn)"},
		{"no object", workload.Step{Record: []workload.Record{{Op: "txn", Ops: known}}}, "record[0]: txn names no object"},
		{"both", workload.Step{Record: txn(known[0], workload.Micro{Op: "write", Key: "1", Value: "n"})}, "record[0]: txn both appends and writes"},
		{"tried again", workload.Step{Eventually: time.Second, Record: txn(known...)}, "record[0]: txn writes, and eventually would try it again"},
		{"unknown", workload.Step{Record: txn(workload.Micro{Op: "cas", Key: "1", Value: "n"})}, `record[0].ops[0]: no micro-operation is called "cas" (allowed: append, read, write)`},
		{"no value", workload.Step{Record: txn(workload.Micro{Op: "read", Key: "1"})}, "record[0].ops[0]: read of a transaction needs a value"},
		{"a value of the answer", workload.Step{Record: txn(workload.Micro{Op: "append", Key: "1", Value: "body.id"})}, `record[0].ops[0].value: 1:1: body.id reads "body", which only the answer tells`},
		{"a value that is saved", workload.Step{Save: map[string]string{"id": "body.id"}, Record: txn(workload.Micro{Op: "append", Key: "1", Value: "id"})}, `id reads "id", which only the answer tells`},
		{"a key of the answer", workload.Step{Record: txn(workload.Micro{Op: "read", Key: "body.k", Value: "body.v"})}, `record[0].ops[0].read: 1:1: body.k reads "body"`},
	} {
		c.step.Call, c.step.Expect = "GET http://api/", "status == 200"
		_, err := workload.Compile(workload.Journey{Name: "j", Steps: []workload.Step{c.step}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	reads := workload.Step{Call: "GET http://api/", Expect: "status == 200", Eventually: time.Second, Record: txn(workload.Micro{Op: "read", Key: "1", Value: "body.v"})}
	if _, err := workload.Compile(workload.Journey{Name: "j", Steps: []workload.Step{reads}}); err != nil {
		t.Errorf("reads may be tried again: %v", err)
	}
}

// lists is a server of lists whose transactions read another list and append to one: at once, or by what they saw before somebody else's.
type lists struct {
	mu     sync.Mutex
	skewed bool
	lists  map[string][]int64
	seen   map[string][]int64 // of the transaction before, where it is skewed
}

func (l *lists) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ask struct {
		Append, Read string
		Value        int64
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	seen := append([]int64{}, l.lists[ask.Read]...)
	if l.skewed { // every second transaction sees what was there when the first one began
		seen = append([]int64{}, l.seen[ask.Read]...)
		if ask.Value%2 == 1 {
			l.seen = map[string][]int64{"x": append([]int64{}, l.lists["x"]...), "y": append([]int64{}, l.lists["y"]...)}
			l.seen[ask.Append] = append(l.seen[ask.Append], ask.Value)
		}
	}
	l.lists[ask.Append] = append(l.lists[ask.Append], ask.Value)
	json.NewEncoder(w).Encode(map[string]any{"seen": seen})
}

// The transactions of a journey are judged, and a server that answers from the past is caught.
func TestTransactionsAreJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		skewed bool
		want   verdict.Verdict
	}{{"one after the other", false, verdict.Pass}, {"from the past", true, verdict.Fail}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := &lists{skewed: c.skewed, lists: map[string][]int64{}, seen: map[string][]int64{}}
			url := serve(t, server.ServeHTTP)
			rec, _ := drive(t, 40, workload.Journey{Steps: []workload.Step{
				transact(url, "x", "y", "2 * n"), transact(url, "y", "x", "2 * n + 1"),
			}}, workload.Options{})
			res := consistency.Isolations()["serializable"]("lists").Check(t.Context(), check.Input{Ops: rec.kind(history.Model)})
			if res.Verdict != c.want || c.want == verdict.Fail && len(res.Witness) < 2 {
				t.Errorf("got %s: %s, with %d operations that show it; want %s", res.Verdict, res.Reason, len(res.Witness), c.want)
			}
		})
	}
}

func transact(url, to, from, value string) workload.Step {
	return workload.Step{Call: "POST " + url, JSON: map[string]any{"append": to, "read": from, "value": "{{" + value + "}}"}, Expect: "status == 200",
		Record: txn(workload.Micro{Op: "append", Key: `"` + to + `"`, Value: value}, workload.Micro{Op: "read", Key: `"` + from + `"`, Value: "body.seen"})}
}
