package experiment

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

func restarts() []modeCase {
	hit := hits("orders-1")
	return []modeCase{
		{"killed, and ready again", "restart", "kill(orders-1)", plots(hit, becomes(61*tenth, "orders-1", "ready")), "orders-1 was gone, and ready again 3100 ms after"},
		{"restarted, and ready while it is under way", "restart", "restart(orders-1)", plots(hit, becomes(35*tenth, "orders-1", "ready")), "ready again"},
		{"never ready again", "restart", "kill(orders-1)", plots(hit, becomes(61*tenth, "orders-1", "starting")), ""},
		{"ready before the inject", "restart", "kill(orders-1)", plots(hit, becomes(1*s, "orders-1", "ready")), ""},
		{"another one is ready", "restart", "kill(orders-1)", plots(hit, becomes(61*tenth, "orders-2", "ready")), ""},
		{"a pause", "restart", "pause(orders-1)", plots(hit, becomes(61*tenth, "orders-1", "ready")), ""},
		{"of no effect", "restart", "kill(orders-1)", plots(hit, becomes(61*tenth, "orders-1", "ready"), unseen), ""},
	}
}

// bothWays makes the fault one of the link between orders-1 and payments-1, in both directions.
func bothWays(c *scenario) { hits("orders-1 -> payments-1", "payments-1 -> orders-1")(c) }

// meetings are the cases of the modes that a request of the journey proves where it met one kind of fault.
func meetings() []modeCase {
	var cases []modeCase
	for _, m := range []struct {
		mode, fault, other string
		hit                plot
	}{
		{"partition", "cut(orders <-> payments)", "delay(orders -> payments, 1s)", bothWays},
		{"latency", "delay(orders -> payments, 1s)", "cut(orders <-> payments)", hits("payments-1 -> orders-1")},
		{"pause", "pause(payments-1)", "kill(payments-1)", hits("payments-1")},
	} {
		at := asks(4*s, 4*s, 4*s+tenth, good())
		cases = append(cases,
			modeCase{"a request met it", m.mode, m.fault, plots(m.hit, at), "was observed on "},
			modeCase{"no request", m.mode, m.fault, m.hit, ""},
			modeCase{"a request before", m.mode, m.fault, plots(m.hit, asks(2*s, 2*s, 2*s+tenth, good())), ""},
			modeCase{"a request after", m.mode, m.fault, plots(m.hit, asks(7*s, 7*s, 7*s+tenth, good())), ""},
			modeCase{"a request elsewhere", m.mode, m.fault, plots(m.hit, asks(4*s, 4*s, 4*s+tenth, history.Exchange{Src: "orders-2", Dst: "payments-2", Status: 200})), ""},
			modeCase{"a request of another journey", m.mode, m.fault, plots(m.hit, asks(99*s, 4*s, 4*s+tenth, good())), ""},
			modeCase{"another fault", m.mode, m.other, plots(m.hit, at), ""},
			modeCase{"of no effect", m.mode, m.fault, plots(m.hit, at, unseen), ""})
	}
	underWay := asks(2900*s/1000, 3*s-tenth, 3*s+tenth, good())
	return append(cases,
		modeCase{"under way at the inject", "partition", "cut(orders <-> payments)", plots(bothWays, underWay), "was observed"},
		modeCase{"under way at the inject", "pause", "pause(payments-1)", plots(hits("payments-1"), underWay), "was observed"},
		modeCase{"under way at the inject", "latency", "delay(orders -> payments, 1s)", underWay, ""})
}

func partitions() []modeCase {
	const cut = "cut(orders <-> payments)"
	met := plots(bothWays, asks(4*s, 4*s, 4*s+tenth, reset()))
	silent := func(c *scenario) { // nothing was offered on the way back
		for i, e := range c.in.Events {
			if e.Kind == history.Effect && e.Target == "payments-1 -> orders-1" {
				c.in.Events[i].OK, c.in.Events[i].Value = false, idleMark()
			}
		}
	}
	return []modeCase{
		{"nobody answers, so nothing goes back", "partition", cut, plots(met, silent), "orders-1 -> payments-1"},
		{"of some connections", "partition", "cut(orders <-> payments, p=0.5)", met, ""},
		{"one way", "partition", "cut(orders -> payments)", asks(4*s, 4*s, 4*s+tenth, reset()), ""},
		{"one end is gone before", "partition", cut, plots(met, becomes(2*s, "payments-1", "exited")), ""},
		{"one end goes under it", "partition", cut, plots(met, becomes(4*s, "payments-1", "exited"), becomes(5*s, "payments-1", "ready")), ""},
		{"one end was gone and came back before", "partition", cut, plots(met, becomes(1*s, "payments-1", "exited"), becomes(2*s, "payments-1", "ready")), "was observed"},
		{"one end goes after", "partition", cut, plots(met, becomes(7*s, "payments-1", "exited")), "was observed"},
		{"one end is killed, too", "partition", cut, plots(met, second("kill(payments-1)", 2*s, 4*s, "payments-1")), ""},
		{"another one is killed, too", "partition", cut, plots(met, second("kill(payments-2)", 2*s, 4*s, "payments-2")), "was observed"},
	}
}

// second adds another fault, observed on targets from one time to another.
func second(text string, from, to time.Duration, targets ...string) plot {
	return func(c *scenario) {
		f, err := fault.Parse(text)
		if err != nil {
			panic(err)
		}
		c.x.Method = append(c.x.Method, Action{At: from, For: to - from, Fault: f})
		for _, target := range targets {
			e := history.Event{Name: text, Fault: len(c.x.Method), Target: target}
			e.At, e.Kind = from, history.Inject
			c.event(e)
			e.At, e.Kind, e.OK = from+(to-from)/2, history.Effect, true
			c.event(e)
			e.At, e.Kind, e.OK = to, history.Heal, false
			c.event(e)
		}
	}
}

// zoned gives instances their zones: pairs of instance and zone.
func zoned(pairs ...string) plot {
	return func(c *scenario) {
		c.in.Zones = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			c.in.Zones[pairs[i]] = pairs[i+1]
		}
	}
}

func zones() []modeCase {
	const kill = "kill(*[zone=a])"
	two := zoned("orders-1", "a", "nats-1", "a", "orders-2", "b", "payments-1", "")
	from := func(at time.Duration) plot {
		return asks(at, at, at+tenth, history.Exchange{Src: system.Client, Dst: "orders-1", Status: 200})
	}
	hit := hits("orders-1", "nats-1")
	cut := hits("orders-1 -> orders-2", "orders-2 -> orders-1", "orders-1 -> payments-1", "payments-1 -> orders-1",
		"nats-1 -> orders-2", "orders-2 -> nats-1", "nats-1 -> payments-1", "payments-1 -> nats-1")
	return []modeCase{
		{"all of it was killed", "zone", kill, plots(two, hit, from(2*s)), "all of zone a (nats-1, orders-1) was broken for 3000 ms, and requests of checkout went through it before"},
		{"of two faults that overlap", "zone", "kill(orders-1)", plots(two, hits("orders-1"), from(2*s), second("pause(nats-1)", 2*s, 5*s, "nats-1")), "broken for 2000 ms"},
		{"cut off as a whole", "zone", "cut(*[zone=a] <-> *)", plots(two, cut, from(2*s)), "all of zone a"},
		{"only some connections were cut off", "zone", "cut(*[zone=a] <-> *, p=0.5)", plots(two, cut, from(2*s)), ""},
		{"one instance of it lives", "zone", "kill(orders-1)", plots(two, hits("orders-1"), from(2*s)), ""},
		{"one after the other", "zone", "kill(orders-1)", plots(two, hits("orders-1"), from(2*s), second("kill(nats-1)", 7*s, 9*s, "nats-1")), ""},
		{"not cut off from all", "zone", "cut(*[zone=a] <-> orders-2)", plots(two, hits("orders-1 -> orders-2", "orders-2 -> orders-1", "nats-1 -> orders-2", "orders-2 -> nats-1"), from(2*s)), ""},
		{"cut off one way", "zone", "cut(*[zone=a] -> *)", plots(two, hits("orders-1 -> orders-2", "orders-1 -> payments-1", "nats-1 -> orders-2", "nats-1 -> payments-1"), from(2*s)), ""},
		{"slow", "zone", "delay(*[zone=a] <-> *, 1s)", plots(two, cut, from(2*s)), ""},
		{"there is no other zone", "zone", kill, plots(zoned("orders-1", "a", "nats-1", "a"), hit, from(2*s)), ""},
		{"nobody knows the zones", "zone", kill, plots(hit, from(2*s)), ""},
		{"no request of the journey before", "zone", kill, plots(two, hit), ""},
		{"a request only under it", "zone", kill, plots(two, hit, from(4*s)), ""},
		{"a request elsewhere", "zone", kill, plots(two, hit, asks(2*s, 2*s, 2*s+tenth, history.Exchange{Src: system.Client, Dst: "orders-2"})), ""},
		{"a request of another journey", "zone", kill, plots(two, hit, asks(99*s, 2*s, 2*s+tenth, history.Exchange{Src: system.Client, Dst: "orders-1"})), ""},
		{"of no effect", "zone", kill, plots(two, hit, from(2*s), unseen), ""},
	}
}

// A surge names journeys where other faults name instances: a service of the same name was not broken.
func TestASurgeBreaksNoInstance(t *testing.T) {
	modeCase{"", "dependency", "surge(payments, 3x)", plots(hits("payments"), asks(4*s, 4*s, 4*s+tenth, history.Exchange{Src: "orders-1", Dst: "payments"})), ""}.run(t)
}
