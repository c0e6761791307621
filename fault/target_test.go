package fault_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want []string
	}{
		{"kill(orders)", []string{"orders-1", "orders-2"}},
		{"kill(orders[*])", []string{"orders-1", "orders-2"}},
		{"kill(orders-2)", []string{"orders-2"}},
		{"kill(*[zone=a])", []string{"db-1", "orders-1"}},
		{"kill(*[owner=team-payments])", []string{"payments-1", "payments-2", "payments-3"}},
		{"kill(orders[zone=b,owner=team-orders])", []string{"orders-2"}},
		{"kill(*)", []string{"db-1", "db-2", "db-3", "orders-1", "orders-2", "payments-1", "payments-2", "payments-3"}},
		{"kill(db[role=leader])", []string{"db-1"}},
		{"kill(*[role=follower])", []string{"db-2", "db-3"}},
		{"delay(orders -> payments-1, 1s)", []string{"orders-1 -> payments-1", "orders-2 -> payments-1"}},
		{"delay(client -> orders, 1s)", []string{"client -> orders-1", "client -> orders-2"}},
		{"cut(orders-1 <-> payments-2)", []string{"orders-1 -> payments-2", "payments-2 -> orders-1"}},
		{"cut(orders -> orders)", []string{"orders-1 -> orders-2", "orders-2 -> orders-1"}},
		{"cut(db-1 -> *)", []string{"db-1 -> db-2", "db-1 -> db-3", "db-1 -> orders-1", "db-1 -> orders-2", "db-1 -> payments-1", "db-1 -> payments-2", "db-1 -> payments-3"}},
		{"cut(orders -> *)", []string{"orders-1 -> db-1", "orders-1 -> db-2", "orders-1 -> db-3", "orders-1 -> payments-1", "orders-1 -> payments-2", "orders-1 -> payments-3",
			"orders-2 -> db-1", "orders-2 -> db-2", "orders-2 -> db-3", "orders-2 -> payments-1", "orders-2 -> payments-2", "orders-2 -> payments-3"}},
		{"cut(*[zone=a] -> *[zone=b])", []string{"db-1 -> db-2", "db-1 -> orders-2", "orders-1 -> db-2", "orders-1 -> orders-2"}},
		{"cut(* -> *[zone=c])", []string{"db-1 -> db-3", "db-2 -> db-3", "orders-1 -> db-3", "orders-2 -> db-3", "payments-1 -> db-3", "payments-2 -> db-3", "payments-3 -> db-3"}},
		{"cut(db[role=leader] -> db)", []string{"db-1 -> db-2", "db-1 -> db-3"}},
	}
	env := newFake(false)
	for _, c := range cases {
		got, err := mustParse(t, c.text).Targets(t.Context(), env.System(), env, fault.Options{})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s hits %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

func TestTargetsWithoutEnvNameTheRole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"kill(db[role=leader])":           {"db[role=leader]"},
		"kill(*[role=leader,zone=a])":     {"db[role=leader,zone=a]"},
		"cut(db[role=leader] -> orders)":  {"db[role=leader] -> orders-1", "db[role=leader] -> orders-2"},
		"kill(db[role=leader], mode=one)": {"db[role=leader]"},
	} {
		got, err := mustParse(t, text).Targets(t.Context(), shop(), nil, fault.Options{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s hits %q, %v, want %q", text, got, err, want)
		}
	}
}

func targets(t *testing.T, text string, opts fault.Options) string {
	t.Helper()
	got, err := mustParse(t, text).Targets(t.Context(), shop(), nil, opts)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Join(got, " ")
}

func TestModeTakesItsAmount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"kill(*, mode=one)":                                  1,
		"kill(*, mode=fixed, value=3)":                       3,
		"kill(payments, mode=fixed-percent, value=1)":        1, // at least one
		"kill(payments, mode=fixed-percent, value=34)":       2, // rounded up
		"kill(payments, mode=fixed-percent, value=33)":       1,
		"kill(payments, mode=fixed-percent, value=100)":      3,
		"cut(* -> payments, mode=one)":                       7, // one payments, cut off all others
		"delay(orders -> payments, 1s, mode=fixed, value=2)": 4,
	} {
		f := mustParse(t, text)
		got, err := f.Targets(t.Context(), shop(), nil, fault.Options{Seed: 3})
		if err != nil || len(got) != want {
			t.Errorf("%s hits %d %q, %v, want %d", text, len(got), got, err, want)
		}
	}
}

func TestSeedDecidesTargets(t *testing.T) {
	t.Parallel()
	const text = "kill(*, mode=fixed, value=2)"
	bySeed, byID := map[string]bool{}, map[string]bool{}
	for i := range 20 {
		opts := fault.Options{Seed: uint64(i), ID: "x/1"}
		if a, b := targets(t, text, opts), targets(t, text, opts); a != b {
			t.Fatalf("seed %d hits %s, and then %s", i, a, b)
		}
		bySeed[targets(t, text, opts)] = true
		byID[targets(t, text, fault.Options{Seed: 1, ID: fmt.Sprint(i)})] = true
	}
	if len(bySeed) < 5 || len(byID) < 5 {
		t.Errorf("20 seeds give %d choices, 20 ids %d: they hardly decide", len(bySeed), len(byID))
	}
}

func TestAnotherInstanceChangesNoOtherChoice(t *testing.T) {
	t.Parallel()
	more := shop()
	more.Services[2].Replicas++
	f := mustParse(t, "kill(payments, mode=one)")
	for seed := range uint64(30) {
		before := targets(t, f.String(), fault.Options{Seed: seed})
		after, err := f.Targets(t.Context(), more, nil, fault.Options{Seed: seed})
		if err != nil || (after[0] != before && after[0] != "payments-4") {
			t.Errorf("seed %d: a fourth instance moved the choice from %s to %q, %v", seed, before, after, err)
		}
	}
}

func TestCheckSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want string }{
		{"kill(ordrs)", `kill(ordrs): no service or instance is called "ordrs" (did you mean "orders"? services: db, orders, payments)`},
		{"kill(orders-9)", `kill(orders-9): no service or instance is called "orders-9" (did you mean "orders-1"? services: db, orders, payments)`},
		{"cut(client -> mainframe)", `cut(client -> mainframe): no service or instance is called "mainframe" (services: db, orders, payments)`},
		{"kill(orders-1[zone=a])", `kill(orders-1[zone=a]): orders-1 is one instance, and takes no brackets (write orders-1)`},
		{"kill(orders[zone=c])", `kill(orders[zone=c]): no instance of orders has the zone "c" (did you mean "a"? allowed: a, b)`},
		{"kill(payments[zone=a])", `kill(payments[zone=a]): no instance of payments has the zone "a" (there are none)`},
		{"kill(*[owner=team-order])", `kill(*[owner=team-order]): no instance of any service has the owner "team-order" (did you mean "team-orders"? allowed: team-data, team-orders, team-payments)`},
		{"kill(*[zone=c,owner=team-orders])", `kill(*[zone=c,owner=team-orders]): no instance of any service has the owner "team-orders" (allowed: team-data)`},
		{"kill(orders[role=leader])", `kill(orders[role=leader]): orders declares no probe "role" (add x-assay.probes.role to the service)`},
		{"kill(orders, mode=fixed, value=3)", `kill(orders, mode=fixed, value=3): mode=fixed asks for 3 instances of orders, which has 2`},
		{"cut(orders-1 -> orders-1)", `cut(orders-1 -> orders-1): there is no link from orders-1 to orders-1 (an instance has no link to itself)`},
	}
	for _, c := range cases {
		err := mustParse(t, c.text).Check(shop(), nil)
		var wrong *fault.TargetError
		if !errors.As(err, &wrong) || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestCheckAsksForPowers(t *testing.T) {
	t.Parallel()
	for text, power := range map[string]string{
		"kill(orders)":                  "Killer",
		"pause(orders)":                 "Pauser",
		"restart(orders)":               "Restarter",
		"cut(orders -> payments)":       "Linker",
		"delay(orders -> payments, 1s)": "Linker",
		"refuse(orders -> payments)":    "Linker",
	} {
		f := mustParse(t, text)
		if got := f.Powers(); !reflect.DeepEqual(got, []string{power}) {
			t.Errorf("%s asks for %q, want %s", text, got, power)
		}
		err := f.Check(shop(), powerless{shop()})
		var unsupported *system.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Power != power || !strings.HasPrefix(err.Error(), text+": ") {
			t.Errorf("%s: got %v, want an UnsupportedError for %s after the fault's text", text, err, power)
		}
		if err := f.Check(shop(), newFake(false)); err != nil {
			t.Errorf("%s on an environment with all powers: %v", text, err)
		}
	}
	if got := mustParse(t, "cut(db[role=leader] -> *)").Powers(); !reflect.DeepEqual(got, []string{"Linker", "Prober"}) {
		t.Errorf("a link of a role asks for %q", got)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"kill(orders, mode=one)":                             "kill(orders)",
		"pause(orders, mode=one)":                            "pause(orders)",
		"restart(orders, mode=one)":                          "kill(orders)",
		"delay(orders -> payments, 3s, jitter=1s, mode=one)": "cut(orders <-> payments)",
		"cut(orders -> payments, mode=fixed, value=2)":       "cut(orders <-> payments)",
		"refuse(orders -> payments)":                         "refuse(orders <-> payments)",
	} {
		if got := mustParse(t, text).Worst(); got != mustParse(t, want) {
			t.Errorf("the worst of %s is %s, want %s", text, got, want)
		}
	}
}

func TestRoleIsAskedAtTheInject(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	f := mustParse(t, "kill(db[role=leader])")
	plan, err := f.Targets(t.Context(), env.System(), nil, fault.Options{})
	if err != nil || plan[0] != "db[role=leader]" {
		t.Fatalf("plan: %q, %v", plan, err)
	}
	env.byName["db-1"].role, env.byName["db-3"].role = "follower", "leader" // the leader moves
	active := inject(t, env, f.String())
	if got := active.Targets(); !reflect.DeepEqual(got, []string{"db-3"}) {
		t.Errorf("hit %q, want the leader of now, db-3", got)
	}
	if !env.byName["db-1"].running || env.byName["db-3"].running {
		t.Error("killed another instance than it says")
	}
}

func TestRoleIsWaitedFor(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.byName["db-1"].role = "candidate"
	env.byName["db-2"].mute = true
	third := env.byName["db-3"]
	third.onProbe = func(n int) { // elected while it is asked the third time
		third.mu.Lock()
		defer third.mu.Unlock()
		if n == 2 {
			third.role = "leader"
		}
	}
	if got := inject(t, env, "kill(db[role=leader])").Targets(); !reflect.DeepEqual(got, []string{"db-3"}) {
		t.Errorf("hit %q, want db-3", got)
	}
}

func TestRoleThatNobodyHas(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.byName["db-1"].role = "follower"
	env.byName["db-2"].mute = true
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := mustParse(t, "kill(db[role=leader])").Inject(ctx, env, fault.Options{})
	want := "kill(db[role=leader]): no instance of db has the role leader (db-1: follower, db-2: no answer: connection refused, db-3: follower)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
