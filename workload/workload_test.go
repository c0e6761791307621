package workload_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

const seed = 7

// A recorder collects operations.
type recorder struct {
	mu  sync.Mutex
	ops []history.Op
}

func (r *recorder) record(op history.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
}

// kind returns the operations of a kind in order of id.
func (r *recorder) kind(kind history.OpKind) []history.Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ops []history.Op
	for _, op := range r.ops {
		if op.Kind == kind {
			ops = append(ops, op)
		}
	}
	slices.SortFunc(ops, func(a, b history.Op) int { return int(int64(a.ID) - int64(b.ID)) })
	return ops
}

func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// hang keeps a request open until its client leaves or the test ends.
func hang(t testing.TB) (handler http.HandlerFunc) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}
}

// closedPort returns an address that nobody listens on.
func closedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// drive makes runs of one journey, one every 2 ms.
func drive(t testing.TB, runs int, j workload.Journey, opts workload.Options) (*recorder, workload.Stats) {
	t.Helper()
	rec := &recorder{}
	if j.Name == "" {
		j.Name = "j"
	}
	opts.Journeys, opts.Record, opts.Seed = []workload.Journey{j}, rec.record, seed
	if opts.Load == nil {
		opts.Load = []workload.Load{{Journey: j.Name, Rate: 500}}
		opts.Duration = time.Duration(runs) * 2 * time.Millisecond
	}
	stats, err := workload.Drive(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return rec, stats
}

// one makes one run of steps and returns its journey operation and all records.
func one(t testing.TB, opts workload.Options, steps ...workload.Step) (history.Op, *recorder) {
	t.Helper()
	rec, _ := drive(t, 1, workload.Journey{Steps: steps, Data: map[string]any{"item": "i-1"}}, opts)
	journeys := rec.kind(history.Journey)
	if len(journeys) != 1 {
		t.Fatalf("got %d runs, want 1", len(journeys))
	}
	return journeys[0], rec
}

func TestHTTPSteps(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var traces []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		traces = append(traces, r.Header.Get("traceparent"))
		mu.Unlock()
		switch {
		case r.Method == "POST":
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Key", r.Header.Get("Idempotency-Key"))
			w.WriteHeader(201)
			fmt.Fprintf(w, `{"id": "o-1", "got": %s, "price": 2.5, "n": 3}`, body)
		case r.URL.Path == "/orders/o-1":
			fmt.Fprint(w, `{"state": "paid"}`)
		default:
			w.WriteHeader(404)
		}
	})
	op, rec := one(t, workload.Options{},
		workload.Step{Call: "POST " + url + "/orders", Headers: map[string]string{"Idempotency-Key": "k-{{item}}"},
			JSON:   map[string]any{"sku": "{{item}}", "qty": 1, "nested": []any{"{{n}}"}},
			Expect: `status == 201 && headers["x-key"] == "k-i-1" && body.got == {"sku": "i-1", "qty": 1, "nested": [0]} && body.n == 3`,
			Save:   map[string]string{"id": "body.id"},
			Record: []workload.Record{{Op: "append", Object: "orders", Value: "id", Key: `"k"`}}},
		workload.Step{Call: "GET " + url + "/orders/{{id}}", Expect: `body.state == "paid"`,
			Record: []workload.Record{{Op: "read", Object: "orders", Value: "[id]"}}})
	if op.Outcome != history.OK || op.Error != "" {
		t.Fatalf("got %v %s", op.Outcome, op.Error)
	}
	steps, model := rec.kind(history.Step), rec.kind(history.Model)
	if len(steps) != 2 || steps[1].Name != "GET "+url+"/orders/{{id}}" || steps[0].Parent != op.ID || steps[0].Client != op.Client {
		t.Errorf("steps: %+v", steps)
	}
	if len(model) != 2 || !model[0].Input.Equal(history.String("o-1")) || !model[0].Key.Equal(history.String("k")) ||
		!model[1].Output.Equal(history.List(history.String("o-1"))) || model[0].Outcome != history.OK {
		t.Errorf("model operations: %+v", model)
	}
	if len(traces) != 2 || traces[0][3:35] != op.Trace || traces[1][3:35] != op.Trace || traces[0] == traces[1] {
		t.Errorf("traceparents %v do not share the trace %s with different spans", traces, op.Trace)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	over := hang(t)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			over(w, r)
		case "/huge":
			w.WriteHeader(200)
			for range 100 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
		case "/reset":
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		case "/409":
			w.WriteHeader(409)
		case "/202":
			w.WriteHeader(202)
		case "/503":
			w.WriteHeader(503)
			fmt.Fprint(w, "no")
		}
	})
	refused := "http://" + closedPort(t)
	tests := []struct {
		name, call string
		step       workload.Step
		want       history.Outcome
		model      history.Outcome // of a write
		message    string
	}{
		{"timeout", url + "/hang", workload.Step{Timeout: 2 * time.Second}, history.Maybe, history.Maybe, "no answer within 2s"},
		{"refused", refused, workload.Step{}, history.Failed, history.Failed, "connection refused"},
		{"reset", url + "/reset", workload.Step{}, history.Maybe, history.Maybe, ""},
		{"huge", url + "/huge", workload.Step{}, history.Maybe, history.Maybe, "reply with status 200: is larger than 4194304 bytes"},
		{"endless", url + "/endless", workload.Step{Timeout: 2 * time.Second}, history.Maybe, history.Maybe, "the reply did not end within 2s (status 200 came"},
		{"status", url + "/503", workload.Step{}, history.Failed, history.Maybe, "expected status == 201, got status 503"},
		{"no such field", url + "/503", workload.Step{Expect: `body.id != ""`}, history.Failed, history.Maybe, "(status 503)"},
		{"certain", url + "/409", workload.Step{Failed: "status == 409"}, history.Failed, history.Failed, "expected status == 201, got status 409"},
		{"degraded", url + "/202", workload.Step{Degraded: "status == 202"}, history.OK, history.OK, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := test.step
			s.Call = "POST " + test.call
			if s.Expect == "" {
				s.Expect = "status == 201"
			}
			s.Record = []workload.Record{{Op: "append", Object: "o", Value: "item"}, {Op: "read", Object: "o", Value: "item"}}
			op, rec := one(t, workload.Options{}, s)
			if op.Outcome != test.want || !strings.Contains(op.Error, test.message) {
				t.Errorf("got %v %q, want %v %q", op.Outcome, op.Error, test.want, test.message)
			}
			if op.Degraded != (s.Degraded != "") {
				t.Errorf("degraded: %v", op.Degraded)
			}
			if test.want != history.OK && !strings.HasPrefix(op.Error, "step 1 POST "+test.call+": ") {
				t.Errorf("the error does not name the step: %s", op.Error)
			}
			model := rec.kind(history.Model)
			if len(model) != 2 || model[0].Outcome != test.model || !model[0].Input.Equal(history.String("i-1")) {
				t.Fatalf("model operations: %+v", model)
			}
			if read := model[1]; read.Outcome == history.Maybe || read.Outcome != history.OK && !read.Output.IsNil() {
				t.Errorf("read: %+v", read)
			}
		})
	}
}

func TestUnknownValueOfAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) })
	op, rec := one(t, workload.Options{}, workload.Step{Call: "POST " + url, Expect: "status == 201",
		Save: map[string]string{"id": "body.id"}, Record: []workload.Record{{Op: "append", Object: "o", Value: "id"}}})
	if op.Outcome != history.Failed || !strings.Contains(op.Error, "save id") {
		t.Errorf("got %v %s", op.Outcome, op.Error)
	}
	model := rec.kind(history.Model)
	if len(model) != 1 || model[0].Outcome != history.Maybe || !model[0].Input.IsNil() || model[0].Error == "" {
		t.Errorf("got %+v, want one maybe without a value", model)
	}
}

func TestCAS(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, rec := one(t, workload.Options{}, workload.Step{Call: "PUT " + url, Expect: "status == 200",
		Record: []workload.Record{{Op: "cas", Object: "o", Key: "item", From: "1", To: "n + 2"}}})
	model := rec.kind(history.Model)
	if len(model) != 1 || !model[0].Input.Equal(history.List(history.Int(1), history.Int(2))) || !model[0].Key.Equal(history.String("i-1")) {
		t.Errorf("got %+v", model)
	}
}

func TestEventually(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := 0
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		fmt.Fprintf(w, `{"asked": %d}`, asked)
	})
	op, rec := one(t, workload.Options{}, workload.Step{Call: "GET " + url, Eventually: time.Minute, Every: time.Millisecond,
		Expect: "body.asked == 5", Record: []workload.Record{{Op: "read", Object: "o", Value: "body.asked"}}})
	if op.Outcome != history.OK {
		t.Fatal(op.Error)
	}
	step, read := rec.kind(history.Step)[0], rec.kind(history.Model)[0]
	if !read.Output.Equal(history.Int(5)) || read.Call <= step.Call || read.Return != step.Return {
		t.Errorf("the read is not the last try: step %+v read %+v", step, read)
	}
	op, _ = one(t, workload.Options{}, workload.Step{Call: "GET " + url, Eventually: 3 * time.Second, Every: 10 * time.Millisecond, Expect: "body.asked == 0"})
	if op.Outcome != history.Failed || !strings.Contains(op.Error, "expected body.asked == 0, got body.asked ") {
		t.Errorf("got %v %s", op.Outcome, op.Error)
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	rewrite := func(_ context.Context, text string) (string, error) {
		return strings.ReplaceAll(text, "orders:8080", "127.0.0.9:1"), nil
	}
	op, _ := one(t, workload.Options{Rewrite: rewrite, Env: []string{"MARK=m"}},
		workload.Step{Exec: []string{"sh", "-c", `echo "$1 $MARK $TRACEPARENT"; exit 3`, "sh", "http://orders:8080/{{item}}"},
			Expect: `exit == 3 && stdout.startsWith("http://127.0.0.9:1/i-1 m 00-")`})
	if op.Outcome != history.OK {
		t.Error(op.Error)
	}
	op, _ = one(t, workload.Options{}, workload.Step{Exec: []string{"no-such-program"}, Expect: "exit == 0"})
	if op.Outcome != history.Failed || !strings.Contains(op.Error, "no-such-program") {
		t.Errorf("got %v %s", op.Outcome, op.Error)
	}
	op, _ = one(t, workload.Options{MaxBody: 1000}, workload.Step{Exec: []string{"sh", "-c", "head -c 2000 /dev/zero"}, Expect: "exit == 0"})
	if op.Outcome != history.Maybe || !strings.Contains(op.Error, "printed more than 1000 bytes") {
		t.Errorf("got %v %s", op.Outcome, op.Error)
	}
}

func TestSetupSteps(t *testing.T) {
	t.Parallel()
	rec := &recorder{}
	d, err := workload.New(workload.Options{Record: rec.record})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.RunSteps(t.Context(), "setup", []workload.Step{{Exec: []string{"true"}}, {Exec: []string{"sh", "-c", "echo why >&2; exit 2"}}, {Exec: []string{"true"}}}); err == nil ||
		err.Error() != `setup: step 2 exec sh -c echo why >&2; exit 2: expected exit == 0, got exit 2` {
		t.Errorf("got %v", err)
	}
	steps := rec.kind(history.Step)
	if len(steps) != 2 || steps[0].Journey != "" || steps[0].Outcome != history.OK || steps[1].Outcome != history.Failed {
		t.Errorf("got %+v", steps)
	}
}

func TestFunc(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("traceparent")) })
	rec, stats := drive(t, 4, workload.Journey{Func: func(ctx context.Context, run *workload.Run) error {
		switch run.N() {
		case 0:
			p, err := run.Begin("append", "o", nil, run.UUID())
			if err != nil {
				return err
			}
			status, body, err := run.HTTP(ctx, "GET", url, nil)
			if err != nil || status != 200 || !strings.Contains(string(body), run.Trace()) {
				return fmt.Errorf("%d %s %w", status, body, err)
			}
			run.Degraded()
			return p.OK(nil)
		case 1:
			_, err := run.Begin("append", "o", nil, 1)
			return err
		case 2:
			panic("oops")
		}
		return context.DeadlineExceeded
	}}, workload.Options{})
	if stats.Runs != 4 || stats.OK != 2 || stats.Degraded != 1 || stats.Failed != 1 || stats.Maybe != 1 {
		t.Errorf("got %+v: %+v", stats, rec.kind(history.Journey))
	}
	model := rec.kind(history.Model)
	outcomes := map[history.Outcome]int{}
	for _, op := range model {
		outcomes[op.Outcome]++
	}
	if len(model) != 2 || outcomes[history.OK] != 1 || outcomes[history.Maybe] != 1 {
		t.Errorf("got %+v", model)
	}
}

// With one run at a time, each lane needs one connection, and each connection one answer.
func TestResolveOncePerConnection(t *testing.T) {
	t.Parallel()
	url := strings.TrimPrefix(serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }), "http://")
	var asked atomic.Int64
	resolve := resolver(func(host string, port int) string {
		asked.Add(1)
		if host != "orders" || port != 8080 {
			t.Errorf("asked for %s:%d", host, port)
		}
		return url
	})
	steps := []workload.Step{{Call: "GET http://orders:8080/", Expect: `body == "orders:8080"`}}
	_, stats := drive(t, 200, workload.Journey{Steps: steps}, workload.Options{Resolve: resolve, MaxInFlight: 1, Lanes: 2, ConnAge: time.Hour})
	if stats.OK+stats.Saturated != stats.Runs || stats.OK < 2 || asked.Load() != 2 {
		t.Errorf("resolved %d times for 2 lanes: %+v", asked.Load(), stats)
	}
}

func resolver(address func(host string, port int) string) func(context.Context, string, int) (string, error) {
	return func(_ context.Context, host string, port int) (string, error) { return address(host, port), nil }
}
