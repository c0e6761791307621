package fault_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

// drive sends traffic from both orders to all payments, and the other way, for two seconds.
func drive(env *fake) {
	env.load(2 * time.Second)
	for _, a := range []string{"orders-1", "orders-2"} {
		for _, b := range []string{"payments-1", "payments-2", "payments-3"} {
			for range 5 {
				env.send(a, b, 100_000)
				env.send(b, a, 10)
			}
		}
	}
}

func allKinds() []string {
	return []string{"kill(orders)", "pause(orders)", "restart(orders)", "delay(orders -> payments, 3s)", "cut(orders <-> payments)", "refuse(orders -> payments)", "surge(checkout, 3x)", "surge(*, 1.5x)",
		"delay(orders -> payments, 3s, nth=8)", "delay(orders -> payments, 3s, path=*)", "throttle(orders -> payments, 1KB/s)", "cut(orders -> payments, nth=8)",
		"drop(orders -> payments, 99.9%)", "blackhole(orders -> payments)", "reset(orders -> payments)", "slowclose(orders -> payments, 5s)",
		"slice(orders -> payments, 10KB)", "limit(orders -> payments, 1KB)", "abort(orders -> payments, 503)", "truncate(orders -> payments, 1B)",
		`body(orders -> payments, "x")`, `header(orders -> payments, "-Server")`, "link(orders -> payments, flaky)"}
}

// untold are faults of which nothing speaks where nothing is seen: their trigger may have spared all, or nothing gave occasion.
func untold(text string) bool { return strings.Contains(text, "nth=") }

func TestEffectIsObserved(t *testing.T) {
	t.Parallel()
	for _, text := range allKinds() {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			env := newFake(false)
			drive(env)
			active := inject(t, env, text)
			drive(env)
			if seen := effects(t, active); !fault.Observed(seen) {
				t.Errorf("not observed:\n%s", describe(seen))
			}
			if err := active.Heal(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// The heart of it: an injector that does nothing is never called a fault.
func TestEffectOfAnIdleInjectorIsNotObserved(t *testing.T) {
	t.Parallel()
	for _, text := range allKinds() {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			env := newFake(true)
			drive(env)
			active := inject(t, env, text)
			for range 3 {
				drive(env)
				for _, e := range effects(t, active) {
					if e.Observed || e.Idle && !untold(text) || e.Text == "" {
						t.Errorf("nothing was injected, and the effect is %+v", e)
					}
				}
			}
		})
	}
}

func TestEffectWithoutTrafficIsIdle(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"delay(orders-1 -> payments-1, 3s)": "no bytes passed on orders-1 -> payments-1 since the inject",
		"cut(orders-1 -> payments-1)":       "no bytes and no unanswered dial on orders-1 -> payments-1 since the inject",
		"refuse(orders-1 -> payments-1)":    "no bytes passed and no dial was made on orders-1 -> payments-1 since the inject",

		"throttle(orders-1 -> payments-1, 1KB/s)": "no bytes passed on orders-1 -> payments-1 since the inject",
		"drop(orders-1 -> payments-1, 5%)":        "no bytes passed on orders-1 -> payments-1 since the inject",
		"blackhole(orders-1 -> payments-1)":       "no bytes were offered to orders-1 -> payments-1 since the inject",
		"reset(orders-1 -> payments-1)":           "orders-1 -> payments-1 had no connection since the inject",
		"slowclose(orders-1 -> payments-1, 5s)":   "no end of a stream passed on orders-1 -> payments-1 since the inject",
		"slice(orders-1 -> payments-1, 1B)":       "no bytes passed on orders-1 -> payments-1 since the inject",
		"limit(orders-1 -> payments-1, 1KB)":      "0 bytes passed on 0 connections of orders-1 -> payments-1, and none reached the limit",
		"abort(orders-1 -> payments-1, 503)":      "no request was made on orders-1 -> payments-1 since the inject",
		"link(orders-1 -> payments-1, dsl)":       "no bytes passed on orders-1 -> payments-1 since the inject; no bytes passed on orders-1 -> payments-1 since the inject",
	} {
		env := newFake(false)
		drive(env)
		seen := effects(t, inject(t, env, text))
		if fault.Observed(seen) || !seen[0].Idle || seen[0].Text != want {
			t.Errorf("%s: got %+v, want idle and %q", text, seen, want)
		}
	}
}

func TestOneIdleLinkDoesNotSpeakAgainstAFault(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	active := inject(t, env, "cut(orders -> payments)")
	env.send("orders-2", "payments-3", 100)
	if seen := effects(t, active); !fault.Observed(seen) {
		t.Errorf("one link showed the cut, the others were idle:\n%s", describe(seen))
	}
}

func TestOneLinkThatPassesSpeaksAgainstACut(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	active := inject(t, env, "cut(orders -> payments)")
	drive(env)
	if seen := effects(t, active); !fault.Observed(seen) {
		t.Fatalf("not observed:\n%s", describe(seen))
	}
	env.rules["test/1"] = env.rules["test/1"][1:] // the first link leaks from now on
	drive(env)
	seen := effects(t, active)
	if fault.Observed(seen) || seen[0].Observed || !seen[1].Observed {
		t.Errorf("bytes passed, and the cut is still called observed:\n%s", describe(seen))
	}
}

func TestDelayIsJudgedByBuckets(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name        string
		text        string
		before, got int // buckets of ten chunks before and after the inject
		want        bool
	}{
		{"at the delay", "delay(orders-1 -> payments-1, 3s)", 8, 21, true},
		{"beyond the delay", "delay(orders-1 -> payments-1, 3s)", 8, 23, true},
		{"half of it", "delay(orders-1 -> payments-1, 3s)", 8, 20, false},
		{"as before", "delay(orders-1 -> payments-1, 100us)", 6, 6, false},
		{"too short to tell", "delay(orders-1 -> payments-1, 100us)", -1, 6, false},
		{"shortest", "delay(orders-1 -> payments-1, 1us)", -1, 0, false},
	}
	for _, c := range cases {
		env := newFake(false)
		count := env.link("orders-1", "payments-1")
		if c.before >= 0 {
			count.Residence[c.before] += 10
		}
		active := inject(t, env, c.text)
		count.Residence[c.got] += 10
		hit(count, 10)
		if seen := effects(t, active); fault.Observed(seen) != c.want {
			t.Errorf("%s: want %v: %s", c.name, c.want, describe(seen))
		}
	}
}

// A second delay is told from the system although the first one made the link slow before.
func TestADelayAfterADelay(t *testing.T) {
	t.Parallel()
	const text = "delay(orders-1 -> payments-1, 3s)"
	for _, bent := range []int64{0, 10} {
		env := newFake(true)
		count := env.link("orders-1", "payments-1")
		count.Residence[21], count.Bent = 10, 10 // by the first
		active := inject(t, env, text)
		count.Residence[21], count.Bent = 20, 10+bent
		hit(count, bent)
		if seen := effects(t, active); fault.Observed(seen) != (bent > 0) {
			t.Errorf("%d chunks bent now: %s", bent, describe(seen))
		}
	}
}

func TestDelayOnlyCountsMostChunks(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	count := env.link("orders-1", "payments-1")
	count.Residence[5] = 100
	active := inject(t, env, "delay(orders-1 -> payments-1, 3s)")
	count.Residence[5] += 5
	count.Residence[21] += 5
	hit(count, 10)
	seen := effects(t, active)
	if want := "only 5 of 10 chunks stayed 2.097152s or longer in orders-1 -> payments-1"; seen[0].Observed || seen[0].Text != want {
		t.Errorf("got %+v, want %q", seen[0], want)
	}
	count.Residence[21]++
	if seen := effects(t, active); !seen[0].Observed {
		t.Errorf("6 of 11 chunks were late: %s", describe(seen))
	}
	count.Residence[5] += 50 // once seen it stays so
	if seen := effects(t, active); !seen[0].Observed {
		t.Errorf("what was seen is forgotten: %s", describe(seen))
	}
}

func TestADialAloneIsNoProofOfACut(t *testing.T) {
	t.Parallel()
	env := newFake(true)
	active := inject(t, env, "cut(orders-1 -> payments-1)")
	env.link("orders-1", "payments-1").Dials++
	if seen := effects(t, active); seen[0].Observed {
		t.Errorf("a dial that may have been answered is called cut: %+v", seen)
	}
	env.link("orders-1", "payments-1").Stalled++
	if seen := effects(t, active); seen[0].Observed {
		t.Errorf("a dial was left unanswered by something else: %+v", seen)
	}
	hit(env.link("orders-1", "payments-1"), 1)
	if seen := effects(t, active); !seen[0].Observed {
		t.Errorf("a dial was left unanswered: %+v", seen)
	}
}

func TestRefuseSeesConnectionsResetWhileTheRuleIsSet(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	resetting := resettingEnv{env}
	active, err := mustParse(t, "refuse(orders-1 -> payments-1)").Inject(t.Context(), resetting, fault.Options{ID: "test/1"})
	if err != nil {
		t.Fatal(err)
	}
	if seen := effects(t, active); !seen[0].Observed {
		t.Errorf("a live connection was reset: %+v", seen)
	}
}

// resettingEnv resets a live connection of every link that a rule is set on.
type resettingEnv struct{ *fake }

func (e resettingEnv) SetRule(ctx context.Context, id string, links []system.Link, rule system.Rule) error {
	for _, l := range links {
		e.link(l.From, l.To).Reset++
		hit(e.link(l.From, l.To), 1)
	}
	return e.fake.SetRule(ctx, id, links, rule)
}

func TestWhatWasSeenOfAKillStays(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	active := inject(t, env, "pause(orders-1)")
	if seen := effects(t, active); !fault.Observed(seen) {
		t.Fatal(describe(seen))
	}
	env.byName["orders-1"].stopped = false
	if seen := effects(t, active); !fault.Observed(seen) {
		t.Errorf("the pause was seen before: %s", describe(seen))
	}
}

func TestAPauseOfWhatWasPausedIsNotObserved(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.byName["orders-1"].stopped = true
	seen := effects(t, inject(t, env, "pause(orders-1)"))
	if seen[0].Observed || !strings.Contains(seen[0].Text, "before the inject already") {
		t.Errorf("got %+v", seen[0])
	}
}

// blind has powers but lets nobody look: no Inspector, no counters.
type blind struct{ *fake }

type blindNode struct{ n *node }

func (b blindNode) Instance() system.Instance                       { return b.n.Instance() }
func (b blindNode) State(ctx context.Context) (system.State, error) { return b.n.State(ctx) }
func (b blindNode) Kill(ctx context.Context) error                  { return b.n.Kill(ctx) }
func (b blindNode) Start(ctx context.Context) error                 { return b.n.Start(ctx) }

func (b blind) Nodes() []system.Node {
	var nodes []system.Node
	for _, n := range b.fake.nodes {
		nodes = append(nodes, blindNode{n.(*node)})
	}
	return nodes
}

func (b blind) LinkStats(context.Context) ([]system.LinkStats, error) {
	return nil, errors.New("not counted")
}

func TestEffectThatCannotBeLookedAtIsNotObserved(t *testing.T) {
	t.Parallel()
	env := blind{newFake(false)}
	for text, want := range map[string]string{
		"kill(orders-1)":              "its processes could not be inspected before the inject: orders-1 is no system.Inspector in this environment",
		"cut(orders-1 -> payments-1)": "the counters of links cannot be read: not counted",
	} {
		seen := effects(t, inject(t, env, text))
		if seen[0].Observed || seen[0].Idle || !strings.HasPrefix(seen[0].Text, want) {
			t.Errorf("%s: got %+v, want %q", text, seen[0], want)
		}
	}
}

func TestObservedOfNothingIsFalse(t *testing.T) {
	t.Parallel()
	if fault.Observed(nil) || fault.Observed([]fault.Effect{{Idle: true}}) || fault.Observed([]fault.Effect{{Observed: true}, {}}) {
		t.Error("nothing seen is called observed")
	}
}

// fading is an environment whose counters are there until they are not.
type fading struct {
	*fake
	gone bool
}

func (f *fading) LinkStats(ctx context.Context) ([]system.LinkStats, error) {
	if f.gone {
		return nil, errors.New("the holder died")
	}
	return f.fake.LinkStats(ctx)
}

// What was seen stays seen, by the amounts of the last look; of a fault that lets nothing pass nobody knows without one.
func TestEffectByTheLastLook(t *testing.T) {
	t.Parallel()
	for text, stays := range map[string]bool{"abort(orders-1 -> payments-1, 503)": true, "cut(orders-1 -> payments-1)": false} {
		env := &fading{fake: newFake(false)}
		active := inject(t, env, text)
		env.send("orders-1", "payments-1", 100)
		first := effects(t, active)
		env.send("orders-1", "payments-1", 100)
		second := effects(t, active)
		if !fault.Observed(first) || !fault.Observed(second) || first[0].Text == second[0].Text {
			t.Errorf("%s: seen once %+v, seen twice %+v", text, first, second)
		}
		env.gone = true
		if last := effects(t, active); fault.Observed(last) != stays || stays && last[0].Text != second[0].Text {
			t.Errorf("%s: without counters %+v", text, last)
		}
	}
}
