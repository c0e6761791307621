package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

const s = time.Second

// scenario is an experiment and the records of a run that went well: 20
// checkouts a second for 10 s, a fault from 3 s to 6 s that was seen to bite.
type scenario struct {
	x        Experiment
	in       check.Input
	problems []string
}

func well(faultText string) *scenario {
	f, err := fault.Parse(faultText)
	if err != nil {
		panic(err)
	}
	c := &scenario{x: Experiment{Name: "x", Load: []workload.Load{{Journey: "checkout", Rate: 20}},
		Steady: []Expectation{{Text: `success("checkout") >= 0.99`}},
		During: []Expectation{{Text: `success("checkout") >= 0.9`}},
		Method: []Action{{At: 3 * s, For: 3 * s, Fault: f}}}}
	for i := range 200 {
		c.op(time.Duration(i)*50*time.Millisecond, history.OK)
	}
	for _, p := range []struct {
		name string
		at   time.Duration
	}{{phaseBefore, 0}, {phaseFault, 3 * s}, {phaseHealed, 6 * s}, {phaseAfter, 7 * s}, {phaseDrain, 10 * s}, {phaseFinal, 10 * s}, {phaseEnd, 11 * s}} {
		c.event(history.Event{At: p.at, Kind: history.Phase, Name: p.name})
	}
	text := f.String()
	c.event(history.Event{At: 3 * s, Kind: history.Inject, Name: text, Fault: 1, Target: "orders-1 -> payments-1"})
	c.event(history.Event{At: 4 * s, Kind: history.Effect, Name: text, Fault: 1, Target: "orders-1 -> payments-1", OK: true, Text: "seen"})
	c.event(history.Event{At: 6 * s, Kind: history.Heal, Name: text, Fault: 1, Target: "orders-1 -> payments-1"})
	c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "driver", Value: driverValue(time.Millisecond, asRecorded, 0, 0)})
	c.event(history.Event{At: 11 * s, Kind: history.Snapshot, Name: "rollback", OK: true, Text: "as before"})
	return c
}

func (c *scenario) op(at time.Duration, outcome history.Outcome) {
	id := uint64(len(c.in.Ops) + 1)
	c.in.Ops = append(c.in.Ops, history.Op{ID: id, Kind: history.Journey, Client: "c1", Journey: "checkout", Name: "checkout",
		Outcome: outcome, Scheduled: at, Call: at, Return: at + 5*time.Millisecond, Trace: fmt.Sprintf("%032x", id)})
}

func (c *scenario) event(e history.Event) { c.in.Events = append(c.in.Events, e) }

func (c *scenario) without(kind history.EventKind) {
	c.in.Events = slices.DeleteFunc(c.in.Events, func(e history.Event) bool { return e.Kind == kind })
}

// badBetween makes the operations scheduled in [from, to) fail.
func (c *scenario) badBetween(from, to time.Duration) {
	for i := range c.in.Ops {
		if at := c.in.Ops[i].Scheduled; at >= from && at < to {
			c.in.Ops[i].Outcome = history.Failed
		}
	}
}

// underWay adds n operations that were scheduled at a time before the inject and failed after it.
func (c *scenario) underWay(at time.Duration, n int) {
	for range n {
		c.op(at, history.Failed)
		c.in.Ops[len(c.in.Ops)-1].Return = 4 * s
	}
}

func (c *scenario) journeys() (n int64) {
	for _, op := range c.in.Ops {
		if op.Kind == history.Journey {
			n++
		}
	}
	return n
}

// asRecorded stands for as many runs as there are records of.
const asRecorded = -1

func (c *scenario) judge() evidence.ExperimentResult {
	for i, e := range c.in.Events {
		if n, ok := entry(e.Value, "runs"); ok && n == asRecorded {
			late, _ := entry(e.Value, "lateness_p99_ns")
			stolen, _ := entry(e.Value, "stolen_ns")
			c.in.Events[i].Value = driverValue(time.Duration(late), c.journeys(), 0, time.Duration(stolen))
		}
	}
	c.in.Service = func(name string) string { return strings.TrimRight(name, "-0123456789") }
	slices.SortStableFunc(c.in.Events, func(a, b history.Event) int { return int(a.At - b.At) })
	return Judge(context.Background(), c.x, c.in, c.problems)
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*scenario)
		want   verdict.Verdict
		reason string
	}{
		{"all is well", func(*scenario) {}, verdict.Pass, "checks hold"},
		{"a limit is missed, and by how much", func(c *scenario) { c.badBetween(3*s, 4*s) }, verdict.Fail, `success("checkout") was 0.6667, limit >= 0.9 (missed by 0.2333)`},
		{"not healthy before the fault", func(c *scenario) { c.badBetween(1*s, 2*s) }, verdict.Unknown, "not healthy before the fault"},
		{"not healthy before beats a failure", func(c *scenario) { c.badBetween(1*s, 6*s) }, verdict.Unknown, "not healthy before the fault"},
		{"not steady after", func(c *scenario) { c.badBetween(8*s, 9*s) }, verdict.Fail, "steady after"},
		{"under way at the inject meets the fault", func(c *scenario) { c.underWay(3*s-time.Millisecond, 2) }, verdict.Pass, ""},
		{"many under way at the inject", func(c *scenario) { c.underWay(3*s-time.Millisecond, 20) }, verdict.Fail, "during"},
		{"hung before the inject", func(c *scenario) { c.underWay(2500*time.Millisecond, 2) }, verdict.Unknown, "not healthy before"},
		{"nobody looked for an effect", func(c *scenario) { c.without(history.Effect) }, verdict.Unknown, "nobody looked"},
		{"the effect was not observed", func(c *scenario) {
			for i := range c.in.Events {
				if c.in.Events[i].Kind == history.Effect {
					c.in.Events[i].OK, c.in.Events[i].Text = false, "no bytes passed"
				}
			}
		}, verdict.Unknown, "no effect was observed: no bytes passed"},
		{"one target of two was not hit", func(c *scenario) {
			c.event(history.Event{At: 5 * s, Kind: history.Effect, Fault: 1, Target: "orders-2 -> payments-1", Text: "bytes passed at once"})
		}, verdict.Unknown, "no effect"},
		{"an idle target contradicts nothing", func(c *scenario) {
			c.event(history.Event{At: 5 * s, Kind: history.Effect, Fault: 1, Target: "orders-2 -> payments-1", Value: idleMark()})
		}, verdict.Pass, ""},
		{"the fault was never injected", func(c *scenario) { c.without(history.Inject) }, verdict.Unknown, "it was not injected"},
		{"the driver was late", func(c *scenario) {
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "driver", Value: driverValue(11*time.Millisecond, asRecorded, 0, 0)})
		}, verdict.Unknown, "the load driver was overloaded"},
		{"the driver was late on a robbed machine", func(c *scenario) {
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "driver", Value: driverValue(11*time.Millisecond, asRecorded, 0, 12*time.Second)})
		}, verdict.Unknown, "gave its processors to others for 12.0 s of that time"},
		{"the driver was saturated", func(c *scenario) {
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "driver", Value: driverValue(time.Millisecond, 200, 3, 0)})
		}, verdict.Unknown, "3 operations found the driver saturated"},
		{"an operation is missing from the records", func(c *scenario) {
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "driver", Value: driverValue(time.Millisecond, 201, 0, 0)})
		}, verdict.Unknown, "201 operations were driven, and 200 are recorded"},
		{"the driver gave no figure", func(c *scenario) {
			c.without(history.Note)
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "driver", Value: history.Map()})
		}, verdict.Unknown, "did not say how late"},
		{"a final step met another answer", func(c *scenario) {
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "final", Text: "final: expected status == 200, got 500"})
			c.in.Ops = append(c.in.Ops, history.Op{ID: 999, Kind: history.Step, Name: "GET", Call: 10500 * time.Millisecond, Outcome: history.Failed})
		}, verdict.Fail, "got 500"},
		{"a final step met no answer", func(c *scenario) {
			c.event(history.Event{At: 10 * s, Kind: history.Note, Name: "final", Text: "final: no answer"})
		}, verdict.Unknown, "no answer"},
		{"an unknown checker behind an or", func(c *scenario) {
			c.x.Expect = []Expectation{{Text: `no_lost("orders") || success("checkout") >= 0.0`}}
		}, verdict.Unknown, "orders"},
		{"an expectation that reads no signal", func(c *scenario) {
			c.x.Expect = []Expectation{{Text: `true || no_lost("orders")`}}
		}, verdict.Unknown, "decides nothing"},
		{"the driver said nothing", func(c *scenario) { c.without(history.Note) }, verdict.Unknown, "did not say how late"},
		{"a connection bypassed the links", func(c *scenario) {
			c.event(history.Event{At: 5 * s, Kind: history.Leak, Target: "orders-1 -> payments-1", Text: "from 127.0.0.1"})
		}, verdict.Unknown, "bypassed the links"},
		{"links outside show nothing", func(c *scenario) {
			c.event(history.Event{At: 9 * s, Kind: history.Note, Name: noteOutside, OK: true, Text: "4 links that no fault was on show no effect"})
		}, verdict.Pass, ""},
		{"a link outside was hit", func(c *scenario) {
			c.event(history.Event{At: 9 * s, Kind: history.Note, Name: noteOutside, Text: "links were bent by what is no fault of this experiment: orders-2 -> db-1 (3 chunks bent)"})
		}, verdict.Unknown, "orders-2 -> db-1 (3 chunks bent)"},
		{"a stop condition was met", func(c *scenario) {
			c.event(history.Event{At: 5 * s, Kind: history.Stop, Name: "stop", OK: true, Text: "success was 0"})
		}, verdict.Fail, "success was 0"},
		{"the user interrupted", func(c *scenario) {
			c.event(history.Event{At: 5 * s, Kind: history.Stop, Name: "interrupted", Text: "interrupted"})
		}, verdict.Unknown, "interrupted"},
		{"the rollback left something", func(c *scenario) {
			c.without(history.Snapshot)
			c.event(history.Event{At: 11 * s, Kind: history.Snapshot, Text: "link rule x is left"})
		}, verdict.Fail, "link rule x is left"},
		{"nobody compared after the rollback", func(c *scenario) { c.without(history.Snapshot) }, verdict.Unknown, "nobody compared"},
		{"no operation at all", func(c *scenario) { c.in.Ops = nil }, verdict.Unknown, "not healthy before"},
		{"no operation during the fault", func(c *scenario) {
			c.in.Ops = slices.DeleteFunc(c.in.Ops, func(op history.Op) bool { return op.Scheduled >= 3*s && op.Scheduled < 6*s })
		}, verdict.Unknown, "during"},
		{"records were cut", func(c *scenario) { c.problems = []string{"ops.jsonl: line 7: the last record is cut short"} }, verdict.Unknown, "line 7"},
		{"the run did not reach its end", func(c *scenario) {
			c.in.Events = slices.DeleteFunc(c.in.Events, func(e history.Event) bool { return e.Name == phaseEnd })
		}, verdict.Unknown, "did not reach its end"},
		{"nothing is expected", func(c *scenario) { c.x.Steady, c.x.During = nil, nil }, verdict.Unknown, "expects nothing"},
		{"no fault in the method", func(c *scenario) { c.x.Method = nil }, verdict.Unknown, "no fault"},
		{"an object that nobody recorded", func(c *scenario) { c.x.Expect = []Expectation{{Text: `no_lost("orders")`}} }, verdict.Unknown, "orders"},
		{"a function that nobody knows", func(c *scenario) { c.x.Expect = []Expectation{{Text: `no_loss("orders")`}} }, verdict.Unknown, "no_loss"},
		{"recovery in time", func(c *scenario) { c.x.Expect = []Expectation{{Text: `recovery.from_inject_s < 2.0`}} }, verdict.Pass, ""},
		{"recovery too late", func(c *scenario) {
			c.badBetween(5900*time.Millisecond, 6200*time.Millisecond)
			c.x.Expect = []Expectation{{Text: `recovery.from_inject_s < 2.0`}}
		}, verdict.Fail, "recovery.from_inject_s was 3.15, limit < 2"},
		{"never recovered", func(c *scenario) {
			c.badBetween(6*s, 10*s)
			c.x.Steady = nil
			c.x.Expect = []Expectation{{Text: `recovery.from_heal_s < 2.0`}}
		}, verdict.Fail, "not recovered"},
		{"a claimed mode is proved", func(c *scenario) {
			c.x.Covers = map[string][]string{"checkout": {"latency"}}
			asks(4*s, 4*s, 5*s, good())(c)
		}, verdict.Pass, ""},
		{"a claimed mode without proof", func(c *scenario) { c.x.Covers = map[string][]string{"checkout": {"failover"}} }, verdict.Unknown, "no role probe named a leader"},
		{"a mode that no version proves yet", func(c *scenario) { c.x.Covers = map[string][]string{"checkout": {"skew"}} }, verdict.Unknown, "no proof for the mode skew"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := well("delay(orders -> payments, 1s)")
			tt.change(c)
			got := c.judge()
			if got.Verdict != tt.want || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("got %s: %s\nwant %s: …%s…", got.Verdict, got.Reason, tt.want, tt.reason)
			}
		})
	}
}

// A guard can fail an experiment, and no control has to break it.
func TestGuard(t *testing.T) {
	c := well("cut(orders <-> payments)")
	c.x.Guard = []Expectation{{Text: `success("checkout") >= 0.99`}}
	held := c.judge()
	if held.Verdict != verdict.Pass {
		t.Errorf("%s: %s", held.Verdict, held.Reason)
	}
	for _, check := range CannotFail(held, []evidence.ExperimentResult{held}) {
		if check.Phase == PartGuard {
			t.Errorf("a guard must be able to fail: %+v", check)
		}
	}
	c.badBetween(4*s, 4*s+2*tenth)
	if got := c.judge(); got.Verdict != verdict.Fail || got.Reason != `guard: success("checkout") was 0.98, limit >= 0.99 (missed by 0.01)` {
		t.Errorf("%s: %s", got.Verdict, got.Reason)
	}
	c.x.Steady, c.x.During = nil, nil
	if got := c.judge(); !strings.Contains(got.Reason, "expects nothing") {
		t.Errorf("guards alone: %s: %s", got.Verdict, got.Reason)
	}
}

func TestCannotFail(t *testing.T) {
	held := func(check string) evidence.Checked {
		return evidence.Checked{Phase: PartExpect, Result: checkResult(check, verdict.Pass)}
	}
	result := evidence.ExperimentResult{Checks: []evidence.Checked{held("a"), held("b"), held("c")}}
	controls := []evidence.ExperimentResult{
		{Checks: []evidence.Checked{{Phase: PartExpect, Result: checkResult("a", verdict.Fail)}, held("b")}},
		{Checks: []evidence.Checked{{Phase: PartExpect, Result: checkResult("c", verdict.Unknown)}, held("b")}},
	}
	var got []string
	for _, c := range CannotFail(result, controls) {
		got = append(got, c.Check)
	}
	if want := []string{"b", "c"}; !slices.Equal(got, want) {
		t.Errorf("cannot fail: %v, want %v: an unknown is no failure", got, want)
	}
}

func checkResult(name string, v verdict.Verdict) check.Result {
	return check.Result{Check: name, Verdict: v}
}

func TestActionRoundTrip(t *testing.T) {
	c := well("delay(orders -> payments, 1s)")
	text, err := c.x.Method[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Action
	if err := back.UnmarshalJSON(text); err != nil || back.Fault.String() != c.x.Method[0].Fault.String() || back.At != 3*s {
		t.Errorf("%s came back as %+v, %v", text, back, err)
	}
	if err := back.UnmarshalJSON([]byte(`{"fault": "dealy(a -> b, 1s)"}`)); err == nil {
		t.Error("a fault that nobody knows was read")
	}
}
