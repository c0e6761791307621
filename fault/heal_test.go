package fault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

func TestHealIsDoneOnce(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	active := inject(t, env, "kill(orders)")
	for range 2 {
		if err := active.Heal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"orders-1", "orders-2"} {
		if n := env.byName[name]; !n.running || n.heals != 1 {
			t.Errorf("%s: running %v after %d heals, want true after 1", name, n.running, n.heals)
		}
	}
}

func TestHealTriesAllTargetsAndAgainThoseThatFailed(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	active := inject(t, env, "pause(orders)")
	env.byName["orders-1"].healFail = errors.New("no such process")
	err := active.Heal(t.Context())
	if want := "pause(orders): heal orders-1: no such process"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if env.byName["orders-2"].stopped {
		t.Error("orders-2 was left stopped because orders-1 failed")
	}
	env.byName["orders-1"].healFail = nil
	if err := active.Heal(t.Context()); err != nil || env.byName["orders-1"].stopped || env.byName["orders-2"].heals != 1 {
		t.Errorf("second heal: %v, orders-1 stopped %v, orders-2 healed %d times", err, env.byName["orders-1"].stopped, env.byName["orders-2"].heals)
	}
}

func TestInjectThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.byName["orders-2"].fail = errors.New("not permitted")
	_, err := mustParse(t, "kill(orders)").Inject(t.Context(), env, fault.Options{})
	if want := "kill(orders): kill orders-2: not permitted"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if n := env.byName["orders-1"]; !n.running || n.heals != 1 {
		t.Errorf("orders-1: running %v after %d heals: the half that was injected stays", n.running, n.heals)
	}
	if n := env.byName["orders-2"]; n.heals != 0 {
		t.Error("orders-2 was never killed, and was started a second time")
	}
}

func TestInjectThatFailsJoinsTheErrorOfItsUndo(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.byName["orders-2"].fail = errors.New("not permitted")
	env.byName["orders-1"].healFail = errors.New("never ready")
	_, err := mustParse(t, "kill(orders)").Inject(t.Context(), env, fault.Options{})
	if err == nil || !strings.Contains(err.Error(), "not permitted") || !strings.Contains(err.Error(), "heal orders-1: never ready") {
		t.Errorf("got %v, want both errors", err)
	}
}

func TestLinkRules(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	active := inject(t, env, "delay(orders-1 -> payments, 200ms, jitter=50ms)")
	rule := env.rule["test/1"]
	if rule.Kind != system.Delay || rule.Delay.String() != "200ms" || rule.Jitter.String() != "50ms" || rule.Seed == 0 || rule.Text != "delay(orders-1 -> payments, 200ms±50ms)" {
		t.Errorf("rule is %+v", rule)
	}
	if got := len(env.rules["test/1"]); got != 3 {
		t.Errorf("set on %d links, want 3", got)
	}
	env.fail = errors.New("socket closed")
	if err := active.Heal(t.Context()); err == nil || !strings.Contains(err.Error(), "clear the rule: socket closed") {
		t.Errorf("got %v", err)
	}
	env.fail = nil
	if err := active.Heal(t.Context()); err != nil || len(env.rules) != 0 {
		t.Errorf("second heal: %v, rules %v", err, env.rules)
	}
}

func TestLinkRuleThatCannotBeSetIsCleared(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.fail = errors.New("socket closed")
	_, err := mustParse(t, "cut(orders -> payments)").Inject(t.Context(), env, fault.Options{})
	if err == nil || !strings.Contains(err.Error(), "set the rule: socket closed") || !strings.Contains(err.Error(), "clear the rule: socket closed") {
		t.Errorf("got %v, want both errors", err)
	}
}
