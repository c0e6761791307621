package experiment

import (
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// latencies are what a delay proves by requests that were answered, and what it does not.
func latencies() []modeCase {
	const delay = "delay(orders -> payments, 1s)"
	with := func(x history.Exchange) plot { return asks(4*s, 4*s, 5*s, x) }
	return []modeCase{
		{"answered late", "latency", delay, with(good()), "answered after 1000 ms"},
		{"answered in time", "latency", delay, with(history.Exchange{Code: "OK", Deadline: 2 * s}), "answered after 1000 ms"},
		{"the caller gave up", "latency", delay, with(history.Exchange{Error: "caller gave up"}), ""},
		{"the deadline was reached", "latency", delay, with(history.Exchange{Code: "OK", Deadline: 1 * s}), ""},
		{"told that it was", "latency", delay, with(history.Exchange{Status: 200, Code: "DEADLINE_EXCEEDED", Deadline: 2 * s}), ""},
		{"no answer", "latency", delay, with(history.Exchange{}), ""},
	}
}

// losses are what a drop proves by requests that lost something, and what it does not.
func losses() []modeCase {
	const drop = "drop(orders -> payments, 5%)"
	lost := func(by ...string) history.Exchange {
		return history.Exchange{Status: 200, Faults: []string{drop}, Lost: by}
	}
	during := func(x history.Exchange) plot { return asks(4*s, 4*s, 4*s+3*tenth, x) }
	return []modeCase{
		{"lost a chunk", "loss", drop, during(lost(drop)), "under way for 300 ms and lost a chunk"},
		{"lost a chunk, and its caller gave up", "loss", drop, during(history.Exchange{Error: "caller gave up", Lost: []string{drop}}), "lost a chunk"},
		{"lost a chunk of one that leaves some alone", "loss", "drop(orders -> payments, 5%, p=0.5)", during(lost("drop(orders -> payments, 5%, p=0.5)")), "lost a chunk"},
		{"passed and lost nothing", "loss", drop, during(lost()), ""},
		{"lost by another drop", "loss", drop, during(lost("drop(orders -> payments, 6%)")), ""},
		{"a drop that hit nothing", "loss", drop, plots(during(lost()), unseen), ""},
		{"a loss that the counters do not show", "loss", drop, plots(during(lost(drop)), unseen), ""},
		{"before the drop", "loss", drop, asks(1*s, 1*s, 2*s, lost(drop)), ""},
		{"of another journey", "loss", drop, asks(99*s, 4*s, 5*s, lost(drop)), ""},
		{"elsewhere", "loss", drop, during(history.Exchange{Src: "orders-2", Dst: "payments-2", Lost: []string{drop}}), ""},
		{"of a delay", "loss", "delay(orders -> payments, 1s)", during(lost("delay(orders -> payments, 1s)")), ""},
	}
}

// surged adds n operations to each of the twenty a second that are there anyway, evenly from one time to another.
func surged(from, to time.Duration, n int, outcome history.Outcome) plot {
	return func(c *scenario) {
		for at := from; at < to; at += 50 * time.Millisecond {
			for i := range n {
				c.op(at+time.Duration(i+1)*50*time.Millisecond/time.Duration(n+1), outcome)
			}
		}
	}
}

func overloads() []modeCase {
	const surge = "surge(checkout, 3x)"
	hit, met := hits("checkout"), asks(4*s, 4*s, 4*s+tenth, good())
	three := surged(3*s, 6*s, 2, history.OK)
	saturate := func(c *scenario) {
		for i := range c.in.Ops[200:] {
			c.in.Ops[200+i].Error = workload.Saturated + ": 5 runs were in flight"
		}
	}
	return []modeCase{
		{"three times the load", "overload", surge, plots(hit, three, met), "20.0/s of checkout arrived before and 60.0/s for 3000 ms; 60.0/s ended ok, 0.0/s of them degraded, and 0.0/s did not; at most 1 at once, 1 before; p95 5 ms, 5 ms before"},
		{"some of it was turned away", "overload", surge, plots(hit, surged(3*s, 3*s+s/2, 1, history.Failed), surged(3*s+s/2, 6*s, 2, history.OK), met), "53.3/s ended ok, 0.0/s of them degraded, and 3.3/s did not"},
		{"all that was seen was turned away", "overload", surge, plots(hit, three, asks(4*s, 4*s, 4*s+tenth, history.Exchange{Status: 503})), "60.0/s"},
		{"less than twice the load", "overload", surge, plots(hit, surged(3*s, 5*s+s/2, 1, history.OK), met), ""},
		{"nobody answers", "overload", surge, plots(hit, three, asks(4*s, 4*s, 4*s+tenth, reset())), ""},
		{"answered before", "overload", surge, plots(hit, three, asks(2*s, 2*s, 2*s+tenth, good())), ""},
		{"no request was seen", "overload", surge, plots(hit, three), ""},
		{"of another journey", "overload", "surge(*, 3x)", plots(hits("status"), three, met), ""},
		{"of every journey", "overload", "surge(*, 3x)", plots(hits("status", "checkout"), three, met), "surge(*, 3x): 20.0/s of checkout"},
		{"the driver could not send it", "overload", surge, plots(hit, three, saturate, met), ""},
		{"another fault", "overload", "delay(orders -> payments, 1s)", plots(hit, three, met), ""},
		{"of no effect", "overload", surge, plots(hit, three, met, unseen), ""},
	}
}

// What waits shows in how many are open at once.
func TestAnOverloadTellsHowManyWait(t *testing.T) {
	modeCase{"", "overload", "surge(checkout, 3x)", plots(hits("checkout"), surged(3*s, 6*s, 2, history.OK), func(c *scenario) {
		for i := range c.in.Ops {
			if at := c.in.Ops[i].Scheduled; at >= 3*s && at < 6*s {
				c.in.Ops[i].Return = at + s/2
			}
		}
	}, asks(4*s, 4*s, 4*s+tenth, good())), "at most 31 at once, 1 before; p95 500 ms, 5 ms before"}.run(t)
}

// degrades makes the operations scheduled in [from, to) end ok in degraded mode.
func degrades(from, to time.Duration) plot {
	return func(c *scenario) {
		for i := range c.in.Ops {
			if at := c.in.Ops[i].Scheduled; at >= from && at < to {
				c.in.Ops[i].Degraded = true
			}
		}
	}
}

func degradations() []modeCase {
	const delay = "delay(orders -> payments, 1s)"
	return []modeCase{
		{"under the fault", "degraded", delay, degrades(4*s, 5*s), "20 of 60 operations of checkout ended ok in degraded mode under delay(orders -> payments, 1s), 0 of 60 operations before it"},
		{"hardly any before", "degraded", delay, plots(degrades(3*s, 6*s), degrades(1*s, 1*s+2*tenth)), "60 of 60 operations of checkout ended ok in degraded mode under delay(orders -> payments, 1s), 4 of 60"},
		{"under way at the inject", "degraded", delay, func(c *scenario) {
			c.in.Ops[59].Degraded, c.in.Ops[59].Return = true, 4*s
		}, "1 of 61 operations"},
		{"of two faults", "degraded", delay, plots(second("pause(payments-1)", 7*s, 8*s, "payments-1"), degrades(5*s, 6*s), degrades(7*s, 8*s)), "40 of 80 operations of checkout ended ok in degraded mode under delay(orders -> payments, 1s), pause(payments-1)"},
		{"none", "degraded", delay, func(*scenario) {}, ""},
		{"as often before", "degraded", delay, degrades(0, 6*s), ""},
		{"a fifth of it before", "degraded", delay, plots(degrades(3*s, 6*s), degrades(1*s, 1*s+6*tenth)), ""},
		{"only before", "degraded", delay, degrades(1*s, 2*s), ""},
		{"only after", "degraded", delay, degrades(8*s, 9*s), ""},
		{"failed", "degraded", delay, plots(degrades(5*s, 5*s+2*tenth), func(c *scenario) { c.badBetween(5*s, 5*s+2*tenth) }), ""},
		{"of no effect", "degraded", delay, plots(degrades(4*s, 5*s), unseen), ""},
	}
}

// Before the inject something must have run that was not degraded.
func TestDegradedNeedsATimeBefore(t *testing.T) {
	c := well("delay(orders -> payments, 1s)")
	c.x.Covers, c.x.Steady = map[string][]string{"checkout": {"degraded"}}, nil
	c.in.Ops = slices.DeleteFunc(c.in.Ops, func(op history.Op) bool { return op.Scheduled < 3*s })
	degrades(4*s, 5*s)(c)
	if got := c.judge(); got.Modes["checkout"][0].Proved || got.Verdict != verdict.Unknown {
		t.Errorf("%s: %+v", got.Verdict, got.Modes)
	}
}
