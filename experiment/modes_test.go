package experiment

import (
	"fmt"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

func TestModesAreProved(t *testing.T) {
	probe := func(at time.Duration, name, instance string, v history.Value) history.Event {
		return history.Event{At: at, Kind: history.Probe, Name: name, Target: instance, Value: v}
	}
	exchange := func(op int, at time.Duration, x history.Exchange) history.Exchange {
		x.Src, x.Dst, x.Method, x.Path, x.Start = "orders-1", "payments-1", "POST", "/shop.Payments/Charge", at
		x.Traceparent = fmt.Sprintf("00-%032x-0000000000000001-01", op)
		x.End = max(x.End, at+time.Millisecond)
		return x
	}
	leader, follower := history.String("leader"), history.String("follower")
	for _, tt := range []struct {
		mode, fault string
		change      func(*scenario)
		want        bool
	}{
		{"retry", "refuse(orders -> payments)", func(c *scenario) {
			c.in.Exchanges = []history.Exchange{exchange(70, 4*s, history.Exchange{Error: "reset"}), exchange(70, 4100*time.Millisecond, history.Exchange{Status: 200})}
		}, true},
		{"retry", "refuse(orders -> payments)", func(c *scenario) { // two requests of two runs are no retry
			c.in.Exchanges = []history.Exchange{exchange(70, 4*s, history.Exchange{}), exchange(71, 4*s, history.Exchange{})}
		}, false},
		{"retry", "refuse(orders -> payments)", func(c *scenario) { // retries before the fault prove nothing of it
			c.in.Exchanges = []history.Exchange{exchange(7, 1*s, history.Exchange{}), exchange(7, 1*s, history.Exchange{})}
		}, false},
		{"timeout", "delay(orders -> payments, 1s)", func(c *scenario) {
			c.in.Exchanges = []history.Exchange{exchange(70, 4*s, history.Exchange{Deadline: 300 * time.Millisecond, End: 4300 * time.Millisecond})}
		}, true},
		{"timeout", "delay(orders -> payments, 1s)", func(c *scenario) { // slow, but answered in time
			c.in.Exchanges = []history.Exchange{exchange(70, 4*s, history.Exchange{Deadline: 300 * time.Millisecond, First: 4200 * time.Millisecond, End: 4200 * time.Millisecond})}
		}, false},
		{"failover", "kill(nats[role=leader])", func(c *scenario) {
			c.event(probe(1*s, "role", "nats-1", leader))
			c.event(probe(1*s, "role", "nats-2", follower))
			c.event(probe(5*s, "role", "nats-2", leader))
		}, true},
		{"failover", "kill(nats[role=leader])", func(c *scenario) {
			c.event(probe(1*s, "role", "nats-1", leader))
			c.event(probe(5*s, "role", "nats-1", leader))
		}, false},
		{"replication", "cut(orders <-> payments)", func(c *scenario) {
			for _, p := range []struct {
				at time.Duration
				n  string
				v  int64
			}{{1 * s, "payments-1", 10}, {1 * s, "payments-2", 10}, {5 * s, "payments-2", 20}, {9 * s, "payments-1", 30}, {9 * s, "payments-2", 30}} {
				c.event(probe(p.at, "position", p.n, history.Int(p.v)))
			}
		}, true},
		{"replication", "cut(orders <-> payments)", func(c *scenario) { // it never caught up
			c.event(probe(1*s, "position", "payments-1", history.Int(10)))
			c.event(probe(5*s, "position", "payments-2", history.Int(20)))
		}, false},
		{"replication", "cut(orders <-> payments)", func(c *scenario) { // it never fell behind
			c.event(probe(1*s, "position", "payments-1", history.Int(10)))
			c.event(probe(1*s, "position", "payments-2", history.Int(10)))
		}, false},
		{"redelivery", "kill(fulfilment)", func(c *scenario) {
			c.event(probe(1*s, "redelivered", "nats-1", history.Int(2)))
			c.event(probe(8*s, "redelivered", "nats-1", history.Int(5)))
		}, true},
		{"redelivery", "kill(fulfilment)", func(c *scenario) { c.event(probe(1*s, "redelivered", "nats-1", history.Int(2))) }, false},
		{"dependency", "kill(payments-1)", func(c *scenario) { c.in.Exchanges = []history.Exchange{exchange(7, 1*s, history.Exchange{})} }, true},
		{"dependency", "kill(payments-1)", func(c *scenario) {}, false},
		{"partition", "cut(orders <-> payments)", func(c *scenario) {}, true},
		{"partition", "delay(orders -> payments, 1s)", func(c *scenario) {}, false},
		{"restart", "kill(orders-1 )", func(c *scenario) {}, false},
	} {
		t.Run(fmt.Sprintf("%s/%v", tt.mode, tt.want), func(t *testing.T) {
			c := well(tt.fault)
			c.x.Covers = map[string][]string{"checkout": {tt.mode}}
			tt.change(c)
			got := c.judge()
			mode := got.Modes["checkout"][0]
			if mode.Proved != tt.want || mode.Text == "" {
				t.Errorf("proved %v (%s), want %v", mode.Proved, mode.Text, tt.want)
			}
			if wantVerdict := map[bool]verdict.Verdict{true: verdict.Pass, false: verdict.Unknown}[tt.want]; got.Verdict != wantVerdict {
				t.Errorf("verdict %s (%s), want %s", got.Verdict, got.Reason, wantVerdict)
			}
		})
	}
}

func TestAJourneyThatDidNotRunProvesNothing(t *testing.T) {
	c := well("cut(orders <-> payments)")
	c.x.Load = append(c.x.Load, workload.Load{Journey: "status", Rate: 1})
	c.x.Covers = map[string][]string{"status": {"partition"}}
	if got := c.judge(); got.Modes["status"][0].Proved || got.Verdict != verdict.Unknown {
		t.Errorf("%s: %+v", got.Verdict, got.Modes)
	}
}
