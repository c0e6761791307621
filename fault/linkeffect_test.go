package fault_test

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

const (
	seen   = "observed"
	idle   = "idle"
	refute = "not observed"
)

// Each line is what a link counted under a fault, and what that says of the fault.
func TestWhatCountersSayOfAFault(t *testing.T) {
	t.Parallel()
	const chunk = 7 // bucket of 128 µs
	late := func(n, of int64) [system.ResidenceBuckets]int64 {
		var r [system.ResidenceBuckets]int64
		r[18], r[chunk] = n, of-n // 262 ms
		return r
	}
	cases := []struct {
		name, fault string
		counted     system.LinkStats
		want        string
	}{
		{"delay of some", "delay(L, 300ms, p=0.3)", system.LinkStats{Residence: late(1, 10)}, seen},
		{"delay of none, by chance", "delay(L, 300ms, p=0.3)", system.LinkStats{Dials: 10, Residence: late(0, 10)}, idle},
		{"delay of none, and no chance", "delay(L, 300ms, p=0.3)", system.LinkStats{Dials: 100, Residence: late(0, 100)}, refute},
		{"delay without a trigger must hit most", "delay(L, 300ms)", system.LinkStats{Residence: late(1, 10)}, refute},
		{"requests delayed", "delay(L, 300ms, path=/x)", system.LinkStats{Requests: 9, Matched: 2, Hit: 1}, seen},
		{"requests, none delayed", "delay(L, 300ms, path=/x)", system.LinkStats{Requests: 9, Matched: 2, Residence: late(9, 9)}, refute},

		{"throttled", "throttle(L, 1KB/s)", system.LinkStats{BytesIn: 1e6, BytesOut: 1e3, Throttled: time.Second}, seen},
		{"throttled, and too much passed", "throttle(L, 1KB/s)", system.LinkStats{BytesIn: 1e6, BytesOut: 1e6, Throttled: time.Second}, refute},
		{"too much passed for each", "throttle(L, 1KB/s, each)", system.LinkStats{BytesIn: 1e6, BytesOut: 1e6, Throttled: time.Second, Dials: 3}, refute},
		{"too little to throttle", "throttle(L, 1KB/s)", system.LinkStats{BytesIn: 10, BytesOut: 10}, idle},

		{"cut where triggered", "cut(L, nth=2)", system.LinkStats{BytesIn: 20, BytesOut: 10, Bent: 1}, seen},
		{"cut, and nothing triggered it", "cut(L, nth=2)", system.LinkStats{BytesIn: 20, BytesOut: 20}, idle},
		{"cut that should have been triggered", "cut(L, p=0.9)", system.LinkStats{BytesIn: 20, BytesOut: 20, Dials: 20}, refute},

		{"lost and late", "drop(L, 5%)", system.LinkStats{Lost: 1, Residence: late(1, 10)}, seen},
		{"lost and still missing", "drop(L, 5%)", system.LinkStats{BytesIn: 20, BytesOut: 10, Lost: 1, Residence: late(0, 10)}, seen},
		{"said to be lost, and on time", "drop(L, 5%)", system.LinkStats{BytesIn: 20, BytesOut: 20, Lost: 1, Residence: late(0, 10)}, refute},
		{"none lost of a few", "drop(L, 5%)", system.LinkStats{Residence: late(0, 10)}, idle},
		{"none lost of many", "drop(L, 5%)", system.LinkStats{Residence: late(0, 1000)}, refute},

		{"thrown away", "blackhole(L)", system.LinkStats{BytesIn: 10, Discarded: 10}, seen},
		{"thrown away, and some passed", "blackhole(L)", system.LinkStats{BytesIn: 10, BytesOut: 1, Discarded: 9}, refute},
		{"thrown away after so many bytes", "blackhole(L, after=1B)", system.LinkStats{BytesIn: 10, BytesOut: 1, Discarded: 9}, seen},
		{"held and not thrown away", "blackhole(L)", system.LinkStats{BytesIn: 10}, refute},

		{"reset", "reset(L)", system.LinkStats{Dials: 2, Reset: 1}, seen},
		{"dialled, and not reset", "reset(L)", system.LinkStats{Dials: 2}, refute},
		{"dialled, and not reset yet", "reset(L, wait=1h)", system.LinkStats{Dials: 2}, idle},
		{"four dials, and the third was not reset", "reset(L, nth=3)", system.LinkStats{Dials: 4}, refute},
		{"a third dial, and not reset", "reset(L, nth=3)", system.LinkStats{Dials: 2}, idle},

		{"late end", "slowclose(L, 1s)", system.LinkStats{Ends: 2, EndWait: 2 * time.Second}, seen},
		{"chunks, and no end yet", "slowclose(L, 1s)", system.LinkStats{Bent: 1}, idle},
		{"one late end of two", "slowclose(L, 1s)", system.LinkStats{Ends: 2, EndWait: time.Second}, refute},
		{"one late end of two, where triggered", "slowclose(L, 1s, nth=2)", system.LinkStats{Ends: 2, EndWait: time.Second}, seen},

		{"cut into pieces", "slice(L, 10B)", system.LinkStats{BytesOut: 100, Slices: 10, Residence: late(0, 10)}, seen},
		{"pieces, each of them a chunk before", "slice(L, 10B)", system.LinkStats{BytesOut: 100, Slices: 10, Bent: 10, Residence: late(0, 10)}, idle},
		{"too small to cut", "slice(L, 10B)", system.LinkStats{BytesOut: 50, Residence: late(0, 10)}, idle},
		{"large and not cut", "slice(L, 10B)", system.LinkStats{BytesOut: 1000, Residence: late(0, 10)}, refute},

		{"closed at the limit", "limit(L, 100B)", system.LinkStats{BytesOut: 100, Dials: 1, Closed: 1}, seen},
		{"below the limit", "limit(L, 100B)", system.LinkStats{BytesOut: 150, Dials: 2}, idle},
		{"beyond the limit", "limit(L, 100B)", system.LinkStats{BytesOut: 150, Dials: 1}, refute},

		{"answered", "abort(L, 503)", system.LinkStats{Requests: 2, Matched: 1, Hit: 1}, seen},
		{"not answered", "abort(L, 503)", system.LinkStats{Requests: 2, Matched: 1}, refute},
		{"a third request, and the second was not hit", "abort(L, 503, nth=2)", system.LinkStats{Requests: 3, Matched: 3}, refute},
		{"a third request, and nobody knows of whom", "abort(L, 503, nth=2, key=k)", system.LinkStats{Requests: 3, Matched: 3}, idle},
		{"no second request", "abort(L, 503, nth=2)", system.LinkStats{Requests: 2, Matched: 1}, idle},
		{"no second attempt", "abort(L, 503, attempt=2)", system.LinkStats{Requests: 2, Matched: 1}, idle},
		{"no request matches", "abort(L, 503, path=/x)", system.LinkStats{Requests: 2}, idle},
		{"bytes that are no requests", "abort(L, 503)", system.LinkStats{BytesIn: 10, BytesOut: 10}, refute},

		{"a profile of which all is seen", "link(L, dsl)", system.LinkStats{BytesIn: 1e6, BytesOut: 1e3, Throttled: time.Second, Residence: late(9, 10)}, seen},
		{"a profile that is only late", "link(L, dsl)", system.LinkStats{BytesIn: 10, BytesOut: 10, Residence: late(9, 10)}, seen},
		{"a profile that is not late", "link(L, dsl)", system.LinkStats{BytesIn: 1e6, BytesOut: 1e3, Throttled: time.Second, Residence: late(0, 10)}, refute},
	}
	for _, c := range cases {
		c.counted.Link = system.Link{From: "orders-1", To: "payments-1"}
		if got, text := judged(t, c.fault, c.counted, "test/1", "test/1/1", "test/1/2"); got != c.want {
			t.Errorf("%s: %s is %s, want %s: %s", c.name, c.fault, got, c.want, text)
		}
		if got, text := judged(t, c.fault, c.counted, "another"); got == seen || text == "" {
			t.Errorf("%s, by another rule of the link: %s is %s: %s", c.name, c.fault, got, text)
		}
	}
}

// judged says what counters tell of a fault when all in them is the doing of the rules with these ids.
func judged(t *testing.T, text string, counted system.LinkStats, ids ...string) (got, why string) {
	t.Helper()
	env := newFake(true)
	env.link("orders-1", "payments-1")
	active := inject(t, env, replaceLink(text))
	hit := counted.Hit
	if counted.Requests == 0 {
		hit = max(counted.Bent, counted.Lost, counted.Discarded, int64(counted.Throttled), counted.Reset, counted.Slices, counted.Closed, int64(counted.EndWait), counted.Residence[18])
	}
	for _, id := range ids {
		counted.Rules = append(counted.Rules, system.RuleStats{ID: id, Matched: counted.Matched, Hit: hit})
	}
	*env.link("orders-1", "payments-1") = counted
	effect := effects(t, active)[0]
	switch {
	case effect.Observed && effect.Idle:
		return "both", effect.Text
	case effect.Observed:
		return seen, effect.Text
	case effect.Idle:
		return idle, effect.Text
	}
	return refute, effect.Text
}

// Two faults of one link, of which one has an effect: the other has none, and nothing that the first did proves it.
func TestAFaultIsNotProvedByAnother(t *testing.T) {
	t.Parallel()
	for _, texts := range [][2]string{
		{"abort(orders-1 -> payments-1, 503)", "abort(orders-1 -> payments-1, 500, nth=100)"},
		{"reset(orders-1 -> payments-1, nth=1)", "reset(orders-1 -> payments-1, nth=100)"},
		{"drop(orders-1 -> payments-1, 99%)", "drop(orders-1 -> payments-1, 99%, nth=100)"},
		{"limit(orders-1 -> payments-1, 1KB)", "limit(orders-1 -> payments-1, 2KB, nth=100)"},
	} {
		env := newFake(false)
		var all []fault.Active
		for i, text := range texts {
			active, err := mustParse(t, text).Inject(t.Context(), env, fault.Options{ID: string(rune('a' + i))})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, active)
		}
		env.send("orders-1", "payments-1", 10_000)
		if got := effects(t, all[0]); !fault.Observed(got) {
			t.Errorf("%s: %s", texts[0], describe(got))
		}
		if got := effects(t, all[1]); fault.Observed(got) {
			t.Errorf("%s is proved by %s: %s", texts[1], texts[0], describe(got))
		}
	}
}

// A request that nobody could read may have been one that the fault means: the link was not idle.
func TestWhatCannotBeEditedIsSaid(t *testing.T) {
	t.Parallel()
	const why = "; 2 connections passed as they were: TLS, no HTTP, or what can be read in two ways"
	for _, c := range []struct {
		counted system.LinkStats
		want    string
		text    string
	}{
		{system.LinkStats{Requests: 3, Unedited: 2}, refute, "3 requests passed on orders-1 -> payments-1, and none matches" + why},
		{system.LinkStats{BytesIn: 10, Unedited: 2}, refute, "10 bytes passed on orders-1 -> payments-1, and no request was recognised in them" + why},
		{system.LinkStats{Requests: 3, Matched: 3, Hit: 1, Unedited: 2}, seen, "1 of 3 requests on orders-1 -> payments-1 were hit, 3 matched" + why},
	} {
		c.counted.Link = system.Link{From: "orders-1", To: "payments-1"}
		if got, text := judged(t, "abort(L, 503)", c.counted, "test/1"); got != c.want || text != c.text {
			t.Errorf("got %s: %s\nwant %s: %s", got, text, c.want, c.text)
		}
	}
}

func replaceLink(text string) string {
	for i := range text {
		if text[i] == 'L' {
			return text[:i] + "orders-1 -> payments-1" + text[i+1:]
		}
	}
	return text
}

// What must let nothing pass is asked anew: one that leaks later was none.
func TestABlackholeThatLeaksLaterWasNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"blackhole(orders-1 -> payments-1)", "throttle(orders-1 -> payments-1, 1KB/s)", "cut(orders-1 -> payments-1)"} {
		env := newFake(false)
		active := inject(t, env, text)
		env.send("orders-1", "payments-1", 100_000)
		if !fault.Observed(effects(t, active)) {
			t.Fatalf("%s: not observed", text)
		}
		clear(env.rules)
		env.send("orders-1", "payments-1", 100_000)
		if fault.Observed(effects(t, active)) {
			t.Errorf("%s: bytes passed, and it is still called observed", text)
		}
	}
}
