package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/system"
)

// Kill ends every process of the target at once; Heal starts it again. The
// target is written as in a fault's text: "orders-1", "db[role=leader]".
func Kill(target string, with ...With) Fault { return newProcess("kill", target, with) }

// Pause stops every process of the target in its tracks; Heal lets them go on.
func Pause(target string, with ...With) Fault { return newProcess("pause", target, with) }

// Restart stops the target as its operator would and starts it again. Inject
// returns when it is ready, and there is nothing to heal.
func Restart(target string, with ...With) Fault { return newProcess("restart", target, with) }

// process is a fault of instances.
type process struct {
	kind   string
	target selector
	pick   pick
	bad    string // why a constructor's arguments make no fault
}

func newProcess(kind, target string, with []With) Fault {
	f := process{kind: kind}
	for _, w := range with {
		f.pick = w.pick()
		if w.ofLinks() {
			f.bad = "only Mode and Value are for instances, the rest is for links"
		}
	}
	f.target, f.bad = parseSelector(target, cmp.Or(f.bad, f.pick.problem()))
	if f.target.name == system.Client && f.bad == "" {
		f.bad = kind + " cannot hit the load driver"
	}
	return f
}

// parseSelector reads a constructor's target. A constructor returns no error, so
// what is wrong is kept and reported by Check.
func parseSelector(text, bad string) (selector, string) {
	p := &parser{text: text}
	s, err := p.selector()
	if err == nil && p.space() < len(p.text) {
		err = p.wrong(p.pos, "", "nothing may follow a target, and here is %s", p.next())
	}
	if err != nil {
		return selector{name: text}, cmp.Or(bad, fmt.Sprintf("target %q: %v", text, err))
	}
	return s, bad
}

func (f process) String() string { return f.kind + "(" + f.target.String() + f.pick.String() + ")" }

func (f process) Kind() string { return f.kind }

// MarshalText writes the fault in its text form.
func (f process) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func (f process) Powers() []string {
	powers := []string{f.power()}
	if f.target.role != "" {
		powers = append(powers, "Prober")
	}
	return powers
}

func (f process) power() string {
	switch f.kind {
	case "kill":
		return "Killer"
	case "pause":
		return "Pauser"
	}
	return "Restarter"
}

// Worst hits every target, whatever its role, and turns a restart into a kill:
// at its worst an instance that stops does not come back.
func (f process) Worst() Fault {
	f.pick, f.target.role = pick{}, ""
	if f.kind == "restart" {
		f.kind = "kill"
	}
	return f
}

func (f process) Check(sys system.System, env system.Env) error {
	if f.bad != "" {
		return &TargetError{Fault: f.String(), Msg: f.bad}
	}
	candidates, wrong := f.target.match(sys)
	if wrong == nil {
		wrong = enough(f.pick, f.target, len(candidates))
	}
	if wrong != nil {
		wrong.Fault = f.String()
		return wrong
	}
	if env == nil {
		return nil
	}
	return f.checkPowers(env, candidates)
}

// enough reports a mode that asks for more instances than there can be.
func enough(p pick, s selector, n int) *TargetError {
	if amount := p.amount(n); amount > n {
		return &TargetError{Part: "value", Msg: fmt.Sprintf("mode=%s asks for %d instances of %s, which has %d", p.mode, amount, s.noun(), n)}
	}
	return nil
}

func (f process) checkPowers(env system.Env, candidates []system.Instance) error {
	for _, power := range f.Powers() {
		if err := needPower(env, names(candidates), power); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

// needPower reports the first of the named nodes that lacks a power.
func needPower(env system.Env, names []string, power string) error {
	nodes, err := nodesOf(env, names)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if !hasPower(node, power) {
			return &system.UnsupportedError{Target: node.Instance().Name, Power: power}
		}
	}
	return nil
}

func hasPower(node system.Node, power string) bool {
	ok := false
	switch power {
	case "Killer":
		_, ok = node.(system.Killer)
	case "Pauser":
		_, ok = node.(system.Pauser)
	case "Restarter":
		_, ok = node.(system.Restarter)
	case "Prober":
		_, ok = node.(system.Prober)
	}
	return ok
}

func (f process) Targets(ctx context.Context, sys system.System, env system.Env, opts Options) ([]string, error) {
	if err := f.Check(sys, env); err != nil {
		return nil, err
	}
	found, err := resolve(ctx, sys, env, f.target)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	taken, err := f.pick.from(found, opts.Seed, f.String(), opts.ID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return taken, nil
}

func (f process) Inject(ctx context.Context, env system.Env, opts Options) (Active, error) {
	targets, err := f.Targets(ctx, env.System(), env, opts)
	if err != nil {
		return nil, err
	}
	nodes, err := nodesOf(env, targets)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	active := &activeProcess{fault: f, nodes: nodes, before: make([]inspected, len(nodes)), healed: make([]bool, len(nodes)), seen: make([]Effect, len(nodes))}
	each(nodes, func(i int, node system.Node) error {
		active.before[i] = inspect(ctx, node)
		return nil
	})
	done := each(nodes, func(_ int, node system.Node) error { return f.do(ctx, node) })
	if err := errors.Join(done...); err != nil {
		return nil, errors.Join(err, active.undo(ctx, done))
	}
	return active, nil
}

// do breaks one instance.
func (f process) do(ctx context.Context, node system.Node) error {
	var err error
	switch f.kind {
	case "kill":
		err = node.(system.Killer).Kill(ctx)
	case "pause":
		err = node.(system.Pauser).Pause(ctx)
	case "restart":
		err = node.(system.Restarter).Restart(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %s %s: %w", f, f.kind, node.Instance().Name, err)
	}
	return nil
}

// heal undoes what do did to one instance.
func (f process) heal(ctx context.Context, node system.Node) error {
	var err error
	switch f.kind {
	case "kill":
		err = node.(system.Killer).Start(ctx)
	case "pause":
		err = node.(system.Pauser).Resume(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: heal %s: %w", f, node.Instance().Name, err)
	}
	return nil
}

func names(instances []system.Instance) []string {
	all := make([]string, len(instances))
	for i, instance := range instances {
		all[i] = instance.Name
	}
	return all
}

// nodesOf returns env's nodes of these names, in that order.
func nodesOf(env system.Env, names []string) ([]system.Node, error) {
	all := env.Nodes()
	nodes := make([]system.Node, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(all, func(n system.Node) bool { return n.Instance().Name == name })
		if i < 0 {
			return nil, fmt.Errorf("the environment has no instance %s", name)
		}
		nodes = append(nodes, all[i])
	}
	return nodes, nil
}
