package fault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

func TestOutside(t *testing.T) {
	t.Parallel()
	in := system.Link{From: "a", To: "b"}
	back := system.Link{From: "b", To: "a"}
	other := system.Link{From: "a", To: "c"}
	cases := []struct {
		name string
		now  system.LinkStats
		want string
	}{
		{"the fault itself", system.LinkStats{Link: in, Bent: 9, Lost: 1, Reset: 2}, ""},
		{"the fault's own rule", system.LinkStats{Link: in, Rules: []system.RuleStats{{ID: "own", Hit: 3}, {ID: "idle"}}}, ""},
		{"somebody else's rule on its link", system.LinkStats{Link: in, Rules: []system.RuleStats{{ID: "own", Hit: 3}, {ID: "hand", Hit: 2}}}, "2 hits of the rule hand"},
		{"traffic elsewhere", system.LinkStats{Link: other, BytesIn: 9, BytesOut: 9, Dials: 2, Ends: 1, EndWait: time.Second, Requests: 2}, ""},
		{"an instance that is dead", system.LinkStats{Link: other, Refused: 2}, ""},
		{"the other direction of its connections", system.LinkStats{Link: back, Reset: 1, Closed: 1, Stalled: 1}, ""},
		{"a chunk of the other direction", system.LinkStats{Link: back, Bent: 1}, "1 chunks bent"},
		{"a chunk elsewhere", system.LinkStats{Link: other, Bent: 1}, "1 chunks bent"},
		{"everything elsewhere", system.LinkStats{Link: other, Lost: 1, Discarded: 2, Throttled: time.Second, Slices: 3, Hit: 4, Reset: 5, Closed: 6, Stalled: 7},
			"1 chunks lost, 2 bytes thrown away, 1000 ms waited for a rate, 3 pieces cut, 4 requests hit, 5 connections reset, 6 connections closed, 7 dials left unanswered"},
		{"a moment elsewhere", system.LinkStats{Link: other, Throttled: time.Microsecond}, "1µs waited for a rate"},
	}
	for _, c := range cases {
		got := ""
		for _, leak := range fault.Outside(nil, []system.LinkStats{c.now}, []system.Link{in}, []string{"own"}) {
			if leak.Target != c.now.Link.String() || !leak.Observed {
				t.Errorf("%s: %+v", c.name, leak)
			}
			got = leak.Text
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		// What was so before the fault is none of its doing.
		if leaks := fault.Outside([]system.LinkStats{c.now}, []system.LinkStats{c.now}, []system.Link{in}, []string{"own"}); len(leaks) > 0 {
			t.Errorf("%s: nothing grew, and it is a leak: %+v", c.name, leaks)
		}
	}
}

// A planted leak: the rule is set on one link more than the fault names.
func TestOutsideFindsARuleOnALinkTooMany(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"delay(orders-1 -> payments-1, 3s)", "cut(orders-1 -> payments-1)", "throttle(orders-1 -> payments-1, 1KB/s)",
		"drop(orders-1 -> payments-1, 5%)", "blackhole(orders-1 -> payments-1)", "reset(orders-1 -> payments-1)", "abort(orders-1 -> payments-1, 503)", "limit(orders-1 -> payments-1, 1B)"} {
		env := newFake(false)
		before, _ := env.LinkStats(t.Context())
		active := inject(t, env, text)
		radius := active.(fault.Radius).Links()
		drive(env)
		now, _ := env.LinkStats(t.Context())
		if leaks := fault.Outside(before, now, radius, active.(fault.Radius).Rules()); len(leaks) > 0 {
			t.Errorf("%s: %+v", text, leaks)
		}
		env.rules["test/1"] = append(slices.Clone(env.rules["test/1"]), system.Link{From: "orders-2", To: "payments-3"})
		drive(env)
		now, _ = env.LinkStats(t.Context())
		if leaks := fault.Outside(before, now, radius, active.(fault.Radius).Rules()); len(leaks) != 1 || leaks[0].Target != "orders-2 -> payments-3" {
			t.Errorf("%s leaks to orders-2 -> payments-3, and what is found is %+v", text, leaks)
		}
	}
}
