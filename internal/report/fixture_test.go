package report

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// shape says what a made-up run is like.
type shape struct {
	journey  string // name of the journey that fails
	rate     int    // journeys a second
	length   time.Duration
	failing  float64 // share of checkouts that fail under the fault
	error    string
	verdict  verdict.Verdict
	cut      bool   // killed with -9: no seal, no judgement, a torn last line
	early    string // the run broke with this reason before the system was up
	observed bool
	exchange int                        // exchanges of each operation
	judged   *evidence.ExperimentResult // what was concluded; nil is as the rest of the shape says
}

func failing() shape {
	return shape{journey: "checkout", rate: 40, length: 12 * time.Second, failing: 0.5, verdict: verdict.Fail, observed: true, exchange: 2,
		error: "step 1 POST http://orders:8080/orders: expected status == 201, got status 503"}
}

// make stores a run of this shape and returns it.
func (s shape) make(t testing.TB) *evidence.Run {
	t.Helper()
	store, err := evidence.OpenStore(filepath.Join(t.TempDir(), "store"))
	check0(t, err)
	run, err := store.Create(evidence.Meta{Version: "v0.3.0", Seed: 7, OS: "linux", Arch: "amd64", Grade: evidence.GradeStream, Environment: "plain", Commit: "33336d6"})
	check0(t, err)
	check0(t, run.WriteFile("plan.json", []byte(s.plan())))
	check0(t, run.WriteJSON("declaration.json", evidence.Declaration{System: "shop", Journeys: []evidence.Journey{{Name: s.journey, Owner: "team-orders"}, {Name: "status", Owner: "team-orders"}},
		Cells: []evidence.Cell{{Journey: s.journey, Mode: "retry", Experiment: "refusing"}, {Journey: "status", Mode: "timeout", Experiment: "slow"}}}))
	if s.early != "" {
		check0(t, run.Seal(evidence.End{Ended: time.Now().UTC(), Reason: s.early, Exit: 4}))
		return run
	}
	check0(t, run.WriteJSON("subjects.json", []evidence.Subject{{Service: "orders", Instances: []string{"orders-1", "orders-2"}, Binary: "bin/orders", SHA256: "sha256:00ff"}}))
	dir, err := run.Experiment("refusing")
	check0(t, err)
	s.records(t, dir)
	if s.cut {
		check0(t, run.Close())
		return run
	}
	check0(t, run.AddJudgement("refusing", s.result()))
	check0(t, run.WriteJSON("timings.json", []Lap{{"started", time.Second}, {"teardown", 70 * time.Millisecond}}))
	check0(t, run.Seal(evidence.End{Ended: time.Now().UTC(), Verdict: s.verdict, Exit: int(s.verdict)}))
	return run
}

func check0(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plan has a second experiment, which was not run, unless all passed.
func (s shape) plan() string {
	second := `,
{"name":"slow","title":"Slow payments","load":[],"method":[{"at":1,"fault":"delay(orders -> payments, 3s)"}],"pos":"experiments/slow.yaml:1:1"}`
	if s.verdict == verdict.Pass {
		second = ""
	}
	return fmt.Sprintf(`{"system":{"name":"shop","services":[{"name":"orders"},{"name":"payments"}]},"seed":7,
"journeys":[{"name":%[1]q,"steps":[{"record":[{"object":"orders"}]}]},{"name":"status","steps":[]}],
"experiments":[{"name":"refusing","title":"Checkout retries","owner":"team-orders","load":[{"journey":%[1]q}],
"during":[{"text":"success(\"checkout\") >= 0.95","pos":"experiments/refusing.yaml:5:10"}],
"method":[{"at":3000000000,"fault":"refuse(orders -> payments)","pos":"experiments/refusing.yaml:9:10"}],
"covers":{%[1]q:["retry"]},"pos":"experiments/refusing.yaml:1:1"}%[2]s]}`, s.journey, second)
}

func (s shape) result() evidence.ExperimentResult {
	if s.judged != nil {
		return *s.judged
	}
	r := evidence.ExperimentResult{Name: "refusing", Title: "Checkout retries", Owner: "team-orders", Verdict: s.verdict, Reason: "2 of 2 checks hold",
		Replay: "assay run examples/shop --experiment refusing --seed 7",
		Checks: []evidence.Checked{
			{Phase: "steady before", Result: check.Result{Check: `p95_ms("checkout") < 500`, Verdict: verdict.Pass, Reason: "p95_ms(\"checkout\") was 66.8, limit < 500", Limit: "< 500", Measured: "66.8"}},
			{Phase: "during", Result: check.Result{Check: `success("checkout") >= 0.95`, Verdict: s.verdict, Reason: `success("checkout") was 0.52, limit >= 0.95 (missed by 0.43)`, Limit: ">= 0.95", Measured: "0.52"}},
		},
		Modes:   map[string][]evidence.Mode{s.journey: {{Name: "retry", Proved: s.verdict == verdict.Pass, Text: "a second attempt was seen"}}},
		Effects: []evidence.Effect{{Fault: "refuse(orders -> payments)", Target: "orders-1 -> payments-1", Observed: s.observed, Text: "3 connections reset"}}}
	if s.verdict != verdict.Pass {
		r.Reason = "during: " + r.Checks[1].Reason
		r.Checks[1].Witness = []history.Op{{ID: uint64(1 + s.rate*4*3), Journey: s.journey}}
	}
	from, to := s.window()
	r.Recovery = &evidence.Recovery{Recovered: true, FromInject: to - from}
	return r
}

// window is when the fault was there.
func (s shape) window() (from, to time.Duration) { return s.length / 4, s.length / 2 }

func (s shape) records(t testing.TB, dir string) {
	t.Helper()
	from, to := s.window()
	write(t, dir, "events.jsonl", func(w io.Writer) {
		line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
		line(`{"at":1000000,"kind":"phase","name":"before"}`)
		line(`{"at":%d,"kind":"phase","name":"fault"}`, from)
		line(`{"at":%d,"kind":"inject","name":"refuse(orders -\u003e payments)","fault":1,"target":"orders-1 -\u003e payments-1"}`, from)
		line(`{"at":%d,"kind":"effect","name":"refuse(orders -\u003e payments)","fault":1,"target":"orders-1 -\u003e payments-1","ok":%v,"value":{"reset":3},"text":"3 connections reset"}`, from+5e6, s.observed)
		if s.cut {
			fmt.Fprint(w, `{"at":123`)
			return
		}
		line(`{"at":%d,"kind":"heal","name":"refuse(orders -\u003e payments)","fault":1,"target":"orders-1 -\u003e payments-1"}`, to)
		line(`{"at":%d,"kind":"phase","name":"healed"}`, to)
		line(`{"at":%d,"kind":"phase","name":"after"}`, s.length*3/4)
		line(`{"at":%d,"kind":"phase","name":"drain"}`, s.length)
		line(`{"at":%d,"kind":"phase","name":"end"}`, s.length+50*time.Millisecond)
	})
	write(t, dir, "env.jsonl", func(w io.Writer) {
		for i, name := range []string{"orders-1", "orders-2", "payments-1", "nats-1"} {
			fmt.Fprintf(w, `{"at":%d,"kind":"state","name":"ready","target":"%s"}`+"\n", 1000+i, name)
		}
		fmt.Fprintf(w, `{"at":%d,"kind":"probe","name":"role","target":"nats-1","value":"leader"}`+"\n", 5000)
		fmt.Fprintf(w, `{"at":%d,"kind":"state","name":"exited","target":"nats-1","text":"killed"}`+"\n", from)
		fmt.Fprintf(w, `{"at":%d,"kind":"state","name":"ready","target":"nats-1"}`+"\n", to)
		fmt.Fprintf(w, `{"at":%d,"kind":"probe","name":"role","target":"nats-1","value":"follower"}`+"\n", to+1000)
	})
	write(t, dir, "series.jsonl", func(w io.Writer) {
		for i := range int(s.length/time.Second) + 1 {
			for _, name := range []string{"orders-1", "nats-1"} {
				fmt.Fprintf(w, `{"at":%d,"name":"cpu_seconds","labels":{"instance":%q},"value":%.2f}`+"\n", time.Duration(i)*time.Second, name, float64(i)/4)
				fmt.Fprintf(w, `{"at":%d,"name":"rss_bytes","labels":{"instance":%q},"value":%d}`+"\n", time.Duration(i)*time.Second, name, 20e6+i*1000)
			}
		}
	})
	ops, exchanges := create(t, dir, "ops.jsonl"), create(t, dir, "exchanges.jsonl")
	s.operations(ops, exchanges)
	if s.cut {
		fmt.Fprint(ops, `{"id":99999999,"kind":"jour`)
	}
	check0(t, ops.Flush())
	check0(t, exchanges.Flush())
}

// operations writes a journey as the driver does: its model operation and steps first, itself last.
func (s shape) operations(ops, exchanges io.Writer) {
	random := rand.New(rand.NewPCG(7, 7))
	from, to := s.window()
	total := int(s.length.Seconds() * float64(s.rate))
	for i := range total {
		id, at := uint64(1+4*i), time.Duration(i)*time.Second/time.Duration(s.rate)
		took := time.Duration(float64(2*time.Millisecond) * (1 + random.ExpFloat64()))
		journey, outcome, err, status := s.journey, "ok", "", 201
		if i%4 == 3 {
			journey = "status"
		}
		if at >= from && at < to {
			took *= 20
			if journey == s.journey && random.Float64() < s.failing {
				outcome, err, status = "failed", s.error, 503
			}
		}
		trace := fmt.Sprintf("%032x", i+1)
		tail := fmt.Sprintf(`"scheduled":%d,"call":%d,"return":%d`, at, at+20000, at+took)
		if err != "" {
			tail += fmt.Sprintf(`,"error":%q`, err)
		}
		for step := range 2 {
			fmt.Fprintf(ops, `{"id":%d,"parent":%d,"kind":"step","client":"c%d","journey":%q,"name":"POST http://orders:8080/orders","outcome":%q,%s,"trace":%q}`+"\n",
				id+uint64(1+step), id, i%8, journey, outcome, tail, trace)
		}
		fmt.Fprintf(ops, `{"id":%d,"kind":"journey","client":"c%d","journey":%q,"name":%q,"outcome":%q,%s,"trace":%q}`+"\n", id, i%8, journey, journey, outcome, tail, trace)
		for n := range s.exchange {
			src, dst := "client", "orders-1"
			if n > 0 {
				src, dst = "orders-1", "payments-1"
			}
			fmt.Fprintf(exchanges, `{"src":%q,"dst":%q,"conn":%d,"protocol":"http/1.1","method":"POST","path":"/orders","start":%d,"first":%d,"end":%d,"status":%d,"request_bytes":20,"response_bytes":180,"traceparent":"00-%s-15ba08a423de75a9-01","idempotency":"k%015x","header":{"content-length":"20","content-type":"application/json","host":"orders:8080","idempotency-key":"[redacted]","traceparent":"00-%s-15ba08a423de75a9-01","user-agent":"assay"},"faults":["refuse(orders -\u003e payments)"]}`+"\n",
				src, dst, i%16, at+time.Duration(n)*200000, at+took/2, at+took, status, trace, i, trace)
		}
	}
}

func create(t testing.TB, dir, name string) *bufio.Writer {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, name))
	check0(t, err)
	t.Cleanup(func() { file.Close() })
	return bufio.NewWriterSize(file, 1<<20)
}

func write(t testing.TB, dir, name string, content func(io.Writer)) {
	t.Helper()
	w := create(t, dir, name)
	content(w)
	check0(t, w.Flush())
}
