package experiment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// A plot tells what was recorded besides the load. The fault is there from 3 s to 6 s, steady after begins at 7 s,
// and the load ends at 10 s.
type plot func(*scenario)

func plots(all ...plot) plot {
	return func(c *scenario) {
		for _, p := range all {
			p(c)
		}
	}
}

// hits makes the fault one that was injected into and observed on targets.
func hits(targets ...string) plot {
	return func(c *scenario) {
		var events []history.Event
		for _, e := range c.in.Events {
			if e.Fault == 0 {
				events = append(events, e)
				continue
			}
			for _, target := range targets {
				e.Target = target
				events = append(events, e)
			}
		}
		c.in.Events = events
	}
}

// unseen takes the observation of the effect away.
func unseen(c *scenario) {
	for i := range c.in.Events {
		if c.in.Events[i].Kind == history.Effect {
			c.in.Events[i].OK = false
		}
	}
}

// says is an answer of a probe; nil is none.
func says(at time.Duration, probe, instance string, answer any) plot {
	return func(c *scenario) {
		value, err := history.Of(answer)
		if err != nil {
			panic(err)
		}
		c.event(history.Event{At: at, Kind: history.Probe, Name: probe, Target: instance, Value: value})
	}
}

func becomes(at time.Duration, instance, state string) plot {
	return func(c *scenario) {
		c.event(history.Event{At: at, Kind: history.State, Name: state, Target: instance})
	}
}

// asks is a request of the operation that was scheduled at op, from orders-1 to payments-1 unless x says other.
func asks(op, from, to time.Duration, x history.Exchange) plot {
	return func(c *scenario) {
		if x.Src == "" {
			x.Src, x.Dst = "orders-1", "payments-1"
		}
		x.Method, x.Path, x.Start, x.End = "POST", "/charge", from, to
		x.Traceparent = fmt.Sprintf("00-%032x-0000000000000001-01", uint64(op/(50*time.Millisecond))+1)
		c.in.Exchanges = append(c.in.Exchanges, x)
	}
}

const tenth = s / 10

var (
	good  = func() history.Exchange { return history.Exchange{Status: 200} }
	reset = func() history.Exchange { return history.Exchange{Error: "reset"} }
)

type modeCase struct {
	name  string
	mode  string
	fault string
	plot  plot
	want  string // of a proof; "" where nothing is proved
}

// Each proof is shown what proves its mode, and what looks like it and proves nothing.
func TestModesAreProved(t *testing.T) {
	for _, group := range [][]modeCase{retries(), timeouts(), failovers(), replications(), redeliveries(), dependencies(), restarts(),
		meetings(), partitions(), latencies(), losses(), zones(), overloads(), degradations()} {
		for _, tt := range group {
			t.Run(tt.mode+"/"+tt.name, func(t *testing.T) { tt.run(t) })
		}
	}
}

func (tt modeCase) run(t *testing.T) {
	c := well(tt.fault)
	c.x.Covers = map[string][]string{"checkout": {tt.mode}}
	tt.plot(c)
	got := c.judge()
	mode := got.Modes["checkout"][0]
	if mode.Proved != (tt.want != "") || !strings.Contains(mode.Text, tt.want) || mode.Text == "" {
		t.Errorf("proved %v (%s), want %q", mode.Proved, mode.Text, tt.want)
	}
	if want := map[bool]verdict.Verdict{true: verdict.Pass, false: verdict.Unknown}[mode.Proved]; got.Verdict != want {
		t.Errorf("verdict %s (%s), want %s", got.Verdict, got.Reason, want)
	}
}

func retries() []modeCase {
	const refuse = "refuse(orders -> payments)"
	again := asks(4*s, 4*s+2*tenth, 4*s+3*tenth, good())
	after := func(x history.Exchange) plot { return plots(asks(4*s, 4*s, 4*s+tenth, x), again) }
	client := history.Exchange{Src: system.Client, Dst: "orders-1", Status: 200}
	refused := client
	refused.Status = 503
	keyed := func(x history.Exchange) history.Exchange { x.Idempotency = "k"; return x }
	return []modeCase{
		{"after a reset", "retry", refuse, after(reset()), "after one that ended with reset"},
		{"after no answer", "retry", refuse, after(history.Exchange{}), "no answer"},
		{"after a 503", "retry", refuse, after(history.Exchange{Status: 503}), "status 503"},
		{"after a 429", "retry", refuse, after(history.Exchange{Status: 429}), "status 429"},
		{"after UNAVAILABLE", "retry", refuse, after(history.Exchange{Status: 200, Code: "UNAVAILABLE"}), "UNAVAILABLE"},
		{"on another instance", "retry", refuse, plots(asks(4*s, 4*s, 4*s+tenth, reset()),
			asks(4*s, 4*s+2*tenth, 4*s+3*tenth, history.Exchange{Src: "orders-1", Dst: "payments-2", Status: 200})), "attempt 2"},
		{"by key, in a new trace", "retry", refuse, plots(asks(4*s, 4*s, 4*s+tenth, keyed(reset())), asks(5*s, 5*s, 5*s+tenth, keyed(good()))), "attempt 2"},
		{"under way at the inject, again after the heal", "retry", refuse,
			plots(asks(2900*s/1000, 3*s-tenth, 3*s+tenth, reset()), asks(2900*s/1000, 6*s+tenth, 6*s+2*tenth, good())), "attempt 2"},
		{"after a 200", "retry", refuse, after(good()), ""},
		{"after a 404", "retry", refuse, after(history.Exchange{Status: 404}), ""},
		{"after OK", "retry", refuse, after(history.Exchange{Status: 200, Code: "OK"}), ""},
		{"the driver polls", "retry", refuse, plots(asks(4*s, 4*s, 4*s+tenth, client), asks(4*s, 4*s+2*tenth, 4*s+3*tenth, client)), ""},
		{"the driver polls what fails", "retry", refuse, plots(asks(4*s, 4*s, 4*s+tenth, refused), asks(4*s, 4*s+2*tenth, 4*s+3*tenth, client)), ""},
		{"failed before the inject", "retry", refuse, plots(asks(2*s, 2*s, 2*s+tenth, reset()), asks(2*s, 4*s, 4*s+tenth, good())), ""},
		{"failed after the heal", "retry", refuse, plots(asks(5*s, 6*s+tenth, 6*s+2*tenth, reset()), asks(5*s, 7*s, 7*s+tenth, good())), ""},
		{"of another run", "retry", refuse, plots(asks(4*s, 4*s, 4*s+tenth, reset()), asks(5*s, 5*s, 5*s+tenth, good())), ""},
		{"beside the one that failed", "retry", refuse, plots(asks(4*s, 4*s, 4*s+3*tenth, reset()), again), ""},
		{"the last attempt fails", "retry", refuse, plots(asks(4*s, 4*s, 4*s+tenth, good()), asks(4*s, 5*s, 5*s+tenth, reset())), ""},
		{"of no effect", "retry", refuse, plots(after(reset()), unseen), ""},
	}
}

func timeouts() []modeCase {
	const delay = "delay(orders -> payments, 1s)"
	waits := func(first time.Duration) history.Exchange { return history.Exchange{Deadline: 3 * tenth, First: first} }
	gaveUp := history.Exchange{Error: "caller gave up"}
	return []modeCase{
		{"to the deadline", "timeout", delay, asks(4*s, 4*s, 4*s+3*tenth, waits(0)), "waited 300 ms"},
		{"gave up", "timeout", delay, asks(4*s, 4*s, 4*s+3*tenth, gaveUp), "its own"},
		{"begun under the fault, ended after it", "timeout", delay, asks(5*s, 6*s-tenth/2, 6*s+3*tenth, waits(0)), "waited"},
		{"of a paused instance", "timeout", "pause(payments-1)", plots(hits("payments-1"), asks(4*s, 4*s, 4*s+3*tenth, waits(0))), "waited"},
		{"answered in time", "timeout", delay, asks(4*s, 4*s, 4*s+2*tenth, waits(4*s+2*tenth)), ""},
		{"before the inject", "timeout", delay, asks(2*s, 2*s, 2*s+3*tenth, waits(0)), ""},
		{"nearly over at the inject", "timeout", delay, asks(2500*s/1000, 3*s-2*tenth, 3*s+tenth, waits(0)), ""},
		{"after the heal", "timeout", delay, asks(5*s, 6*s, 6*s+3*tenth, waits(0)), ""},
		{"of another journey", "timeout", delay, asks(99*s, 4*s, 4*s+3*tenth, waits(0)), ""},
		{"on another link", "timeout", delay, asks(4*s, 4*s, 4*s+3*tenth, history.Exchange{Src: "orders-2", Dst: "payments-1", Deadline: 3 * tenth}), ""},
		{"of a caller that was paused", "timeout", "pause(orders-1)", plots(hits("orders-1"), asks(4*s, 4*s, 4*s+3*tenth, waits(0))), ""},
		{"of no effect", "timeout", delay, plots(asks(4*s, 4*s, 4*s+3*tenth, waits(0)), unseen), ""},
	}
}

func failovers() []modeCase {
	const kill = "kill(nats[role=leader])"
	leads := func(at time.Duration, instance string) plot { return says(at, "role", instance, "leader") }
	before := plots(hits("nats-1"), leads(1*s, "nats-1"), says(1*s, "role", "nats-2", "follower"))
	unhealed := func(c *scenario) {
		c.in.Events = slices.DeleteFunc(c.in.Events, func(e history.Event) bool { return e.Name == phaseAfter })
		c.x.Steady = nil
	}
	return []modeCase{
		{"another one leads", "failover", kill, plots(before, leads(5*s, "nats-2")), "changed from nats-1 to nats-2, 2000 ms after"},
		{"while it settles", "failover", kill, plots(before, leads(6500*s/1000, "nats-2")), "changed"},
		{"settles without a steady after", "failover", kill, plots(unhealed, before, leads(7500*s/1000, "nats-2")), "changed"},
		{"the same one leads", "failover", kill, plots(before, leads(5*s, "nats-1")), ""},
		{"long after the heal", "failover", kill, plots(before, leads(8*s, "nats-2")), ""},
		{"before the inject", "failover", kill, plots(before, says(2*s, "role", "nats-1", "follower"), leads(2*s, "nats-2")), ""},
		{"another one led once", "failover", kill, plots(leads(tenth, "nats-2"), before), ""},
		{"nobody led", "failover", kill, plots(hits("nats-1"), leads(5*s, "nats-2")), ""},
		{"of another service", "failover", kill, plots(before, leads(5*s, "db-2")), ""},
		{"of a leader that was not hit", "failover", "kill(nats-3)", plots(before, hits("nats-3"), leads(5*s, "nats-2")), ""},
		{"of no effect", "failover", kill, plots(before, leads(5*s, "nats-2"), unseen), ""},
	}
}

func replications() []modeCase {
	const cut = "cut(nats-1 <-> nats-2)"
	at := func(t time.Duration, instance string, position any) plot {
		return says(t, "position", instance, position)
	}
	linked := hits("nats-1 -> nats-2", "nats-2 -> nats-1")
	before := plots(at(1*s, "nats-1", 10), at(1*s, "nats-2", 10))
	moves := plots(at(4*s, "nats-1", 20), at(5*s, "nats-1", 30))
	after := plots(at(9*s, "nats-1", 50), at(9*s, "nats-2", 50))
	return []modeCase{
		{"a cut one stands still and catches up", "replication", cut, plots(linked, before, moves, after), "nats-2 was at 10 when nats-1 was at 30, and caught up to 50"},
		{"a killed one does not answer", "replication", "kill(nats-2)", plots(hits("nats-2"), before, moves, at(32*tenth, "nats-2", nil), after), "nats-2 was at 10"},
		{"a paused one", "replication", "pause(nats-2)", plots(hits("nats-2"), before, moves, after), "nats-2 was at 10"},
		{"what was on its way at the inject arrives", "replication", cut, plots(linked, before, at(34*tenth, "nats-2", 12), moves, after), "nats-2 was at 12"},
		{"it moves, too, a probe later", "replication", cut, plots(linked, before, moves, at(42*tenth, "nats-2", 20), at(52*tenth, "nats-2", 29), after), ""},
		{"two probes of different moments", "replication", cut, plots(linked, before, at(58*tenth, "nats-1", 30), after), ""},
		{"nobody moves", "replication", cut, plots(linked, before, after), ""},
		{"it was behind before, and nobody moves", "replication", cut, plots(linked, at(1*s, "nats-1", 10), at(1*s, "nats-2", 5), after), ""},
		{"moved before it took hold", "replication", cut, plots(linked, before, at(31*tenth, "nats-1", 20), at(31*tenth, "nats-2", 20), after), ""},
		{"it never caught up", "replication", cut, plots(linked, before, moves, at(9*s, "nats-1", 50), at(9*s, "nats-2", 49)), ""},
		{"it is gone at the end", "replication", cut, plots(linked, before, moves, after, at(95*tenth, "nats-2", nil)), ""},
		{"it had no position before", "replication", cut, plots(linked, at(1*s, "nats-1", 10), at(1*s, "nats-2", nil), moves, after), ""},
		{"the one that moves had none before", "replication", cut, plots(linked, at(1*s, "nats-2", 10), moves, after), ""},
		{"the one that moves is of another service", "replication", "kill(nats-2)", plots(hits("nats-2"), at(1*s, "nats-2", 10), at(1*s, "db-1", 10), at(4*s, "db-1", 20), at(9*s, "nats-2", 20)), ""},
		{"the one that stands still was not hit", "replication", "kill(nats-3)", plots(hits("nats-3"), before, moves, after), ""},
		{"a delay", "replication", "delay(nats-1 -> nats-2, 1s)", plots(linked, before, moves, after), ""},
		{"of no effect", "replication", cut, plots(linked, before, moves, after, unseen), ""},
	}
}

func redeliveries() []modeCase {
	const kill = "kill(fulfilment)"
	counts := func(t time.Duration, instance string, n any) plot { return says(t, "redelivered", instance, n) }
	return []modeCase{
		{"the count rises", "redelivery", kill, plots(counts(1*s, "nats-1", 2), counts(8*s, "nats-1", 5)), "3 messages"},
		{"of one instance", "redelivery", kill, plots(counts(1*s, "nats-1", 9), counts(1*s, "nats-2", 2), counts(8*s, "nats-2", 3)), "1 messages were delivered again since the inject, says nats-2"},
		{"the count stays", "redelivery", kill, plots(counts(1*s, "nats-1", 2), counts(8*s, "nats-1", 2)), ""},
		{"nobody counted before", "redelivery", kill, counts(8*s, "nats-1", 5), ""},
		{"no answer before", "redelivery", kill, plots(counts(1*s, "nats-1", nil), counts(8*s, "nats-1", 5)), ""},
		{"no number before", "redelivery", kill, plots(counts(1*s, "nats-1", "none"), counts(8*s, "nats-1", 5)), ""},
		{"another instance counted before", "redelivery", kill, plots(counts(1*s, "nats-1", 2), counts(8*s, "nats-2", 5)), ""},
		{"rose before the inject", "redelivery", kill, plots(counts(1*s, "nats-1", 2), counts(2*s, "nats-1", 5)), ""},
		{"of no effect", "redelivery", kill, plots(counts(1*s, "nats-1", 2), counts(8*s, "nats-1", 5), unseen), ""},
	}
}

// late moves the whole fault and what follows it, so that there is a long time before it.
func late(c *scenario) {
	for i := range c.in.Events {
		if e := &c.in.Events[i]; e.Fault != 0 || e.Name == phaseFault {
			e.At += 35 * tenth
		}
		if c.in.Events[i].Name == phaseHealed || c.in.Events[i].Name == phaseAfter {
			c.in.Events[i].At = 96 * tenth
		}
	}
}

func dependencies() []modeCase {
	const kill = "kill(payments-1)"
	hit := hits("payments-1")
	return []modeCase{
		{"reached before", "dependency", kill, plots(hit, asks(2*s, 2*s, 2*s+tenth, good())), "payments-1 was broken"},
		{"reached while it was there", "dependency", kill, plots(hit, asks(4*s, 4*s, 4*s+tenth, reset())), "payments-1 was broken"},
		{"asks others", "dependency", "kill(orders-1)", plots(hits("orders-1"), asks(2*s, 2*s, 2*s+tenth, good())), "orders-1 was broken"},
		{"over the link", "dependency", "cut(orders <-> payments)", asks(2*s, 2*s, 2*s+tenth, good()), "orders-1 -> payments-1 was broken"},
		{"reached by nobody", "dependency", kill, hit, ""},
		{"reached after the heal", "dependency", kill, plots(hit, asks(8*s, 8*s, 8*s+tenth, good())), ""},
		{"reached long before", "dependency", kill, plots(hit, late, asks(1*s, 1*s, 1*s+tenth, good())), ""},
		{"reached by another journey", "dependency", kill, plots(hit, asks(99*s, 2*s, 2*s+tenth, good())), ""},
		{"only one end of the link was reached", "dependency", "cut(orders <-> payments)",
			asks(2*s, 2*s, 2*s+tenth, history.Exchange{Src: system.Client, Dst: "orders-1", Status: 201}), ""},
		{"of no effect", "dependency", kill, plots(hit, asks(2*s, 2*s, 2*s+tenth, good()), unseen), ""},
	}
}

// Requests that carry no trace are nobody's, also where the driver sent none.
func TestARequestWithoutATraceIsNoJourneys(t *testing.T) {
	modeCase{"", "partition", "cut(orders <-> payments)", plots(bothWays, asks(4*s, 4*s, 4*s+tenth, good()), func(c *scenario) {
		c.in.Exchanges[0].Traceparent = ""
		for i := range c.in.Ops {
			c.in.Ops[i].Trace = ""
		}
	}), ""}.run(t)
}

func TestAJourneyThatDidNotRunProvesNothing(t *testing.T) {
	c := well("cut(orders <-> payments)")
	bothWays(c)
	asks(4*s, 4*s, 4*s+tenth, good())(c)
	c.x.Load = append(c.x.Load, workload.Load{Journey: "status", Rate: 1})
	c.x.Covers = map[string][]string{"status": {"partition"}}
	if got := c.judge(); got.Modes["status"][0].Proved || got.Verdict != verdict.Unknown {
		t.Errorf("%s: %+v", got.Verdict, got.Modes)
	}
}
