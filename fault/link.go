package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/system"
)

// link is a fault of the data between instances, or of the requests between them.
type link struct {
	kind     string // a system.RuleKind, or profileKind
	from, to selector
	both     bool
	rule     system.Rule  // what it does, without Match, Seed and Text; zero for a profile
	match    system.Match // which requests; the zero value means all, and for a delay that it is one of bytes
	profile  string
	pick     pick   // narrows the instances of to
	bad      string // why a constructor's arguments make no fault
}

// ofRequests says that the fault is one of requests, not of bytes and connections.
func (f link) ofRequests() bool {
	return system.Rule{Kind: f.rule.Kind}.OfRequests() || f.kind == "delay" && f.match != system.Match{}
}

// triggered says that the fault leaves out some connections, requests or moments by its own choice.
func (f link) triggered() bool { return f.rule.When != system.Trigger{} }

// String writes every argument that is set, in the order of params.
func (f link) String() string {
	arrow := " -> "
	if f.both {
		arrow = " <-> "
	}
	text := f.kind + "(" + f.from.String() + arrow + f.to.String()
	for _, p := range params(f.kind) {
		value := p.write(f)
		switch {
		case value == "":
		case p.key == "" || p.flag:
			text += ", " + value
		default:
			text += ", " + p.key + "=" + value
		}
	}
	return text + f.pick.String() + ")"
}

func (f link) Kind() string { return f.kind }

// MarshalText writes the fault in its text form.
func (f link) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func (f link) Powers() []string {
	if f.from.role != "" || f.to.role != "" {
		return []string{"Linker", "Prober"}
	}
	return []string{"Linker"}
}

// Worst turns the fault up as far as it goes, on every target, whatever the role of its ends, always, and in both directions:
// what comes late never comes, and so a delay, a throttle, a drop and a profile are a cut. Where f refuses it refuses, as a
// refused dial fails at once, which is another thing than one that hangs. A fault of requests stays one of the same
// requests, at every attempt.
func (f link) Worst() Fault {
	f.pick = pick{}
	f.from.role, f.to.role = "", ""
	f.rule.When = system.Trigger{}
	f.match.Key, f.match.Attempt = "", 0
	if f.ofRequests() {
		f.rule.Jitter, f.rule.Dist = 0, ""
		if f.kind == "delay" {
			f.rule.Delay = forever
		}
		if f.kind == "truncate" {
			f.rule.Bytes = 0
		}
		return f
	}
	f.both = true
	switch f.kind {
	case "delay", "throttle", "drop", profileKind:
		f.kind, f.profile, f.rule = "cut", "", system.Rule{Kind: system.Cut}
	case "blackhole", "reset", "limit":
		f.rule = system.Rule{Kind: f.rule.Kind}
	case "slowclose":
		f.rule.Delay = forever
	case "slice":
		f.rule = system.Rule{Kind: system.Slice, Bytes: 1, Delay: max(f.rule.Delay, time.Second)}
	}
	return f
}

func (f link) Check(sys system.System, env system.Env) error {
	if f.bad != "" {
		return &TargetError{Fault: f.String(), Msg: f.bad}
	}
	from, wrong := f.from.match(sys)
	if wrong == nil {
		var to []system.Instance
		if to, wrong = f.to.match(sys); wrong == nil {
			wrong = f.checkSides(names(from), names(to))
		}
	}
	if wrong != nil {
		wrong.Fault = f.String()
		return wrong
	}
	if env == nil {
		return nil
	}
	return f.checkPowers(sys, env)
}

func (f link) checkSides(from, to []string) *TargetError {
	if f.toYields() {
		to = without(to, from)
	}
	if wrong := enough(f.pick, f.to, len(to)); wrong != nil {
		return wrong
	}
	if f.fromYields() {
		from = without(from, to)
	}
	if len(pairs(from, to, f.both)) == 0 {
		return &TargetError{Msg: "there is no link from " + f.from.noun() + " to " + f.to.noun(), Hint: "an instance has no link to itself"}
	}
	return nil
}

func (f link) checkPowers(sys system.System, env system.Env) error {
	if _, ok := env.(system.Linker); !ok {
		return fmt.Errorf("%s: %w", f, &system.UnsupportedError{Target: "the environment", Power: "Linker"})
	}
	for _, side := range []selector{f.from, f.to} {
		if side.role == "" {
			continue
		}
		candidates, _ := side.match(sys) // Check has seen that it matches
		if err := needPower(env, names(candidates), "Prober"); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

// toYields says that to is a "*" which stands for every instance but those of
// from. With keys it yields to no other "*": *[zone=a] <-> * cuts zone a off the rest.
func (f link) toYields() bool { return yields(f.to, f.from) }

func (f link) fromYields() bool { return yields(f.from, f.to) }

func yields(side, other selector) bool {
	return side.name == "*" && (other.name != "*" || side.bare() && !other.bare())
}

func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// pairs returns the links from each of from to each of to, sorted, none twice.
func pairs(from, to []string, both bool) []system.Link {
	var links []system.Link
	for _, a := range from {
		for _, b := range to {
			if a == b {
				continue
			}
			links = append(links, system.Link{From: a, To: b})
			if both {
				links = append(links, system.Link{From: b, To: a})
			}
		}
	}
	slices.SortFunc(links, func(a, b system.Link) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return slices.Compact(links)
}

// links resolves both sides.
func (f link) links(ctx context.Context, sys system.System, env system.Env, opts Options) ([]system.Link, error) {
	if err := f.Check(sys, env); err != nil {
		return nil, err
	}
	from, err := resolve(ctx, sys, env, f.from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	to, err := resolve(ctx, sys, env, f.to)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	links, err := f.narrow(from, to, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return links, nil
}

// narrow picks among to before a "*" on the other side yields: in
// cut(* <-> nats, mode=one) one nats is cut off all the rest, other nats included.
func (f link) narrow(from, to []string, opts Options) ([]system.Link, error) {
	if f.toYields() {
		to = without(to, from)
	}
	to, err := f.pick.from(to, opts.Seed, f.String(), opts.ID)
	if err != nil {
		return nil, err
	}
	if f.fromYields() {
		from = without(from, to)
	}
	links := pairs(from, to, f.both)
	if len(links) == 0 {
		return nil, errors.New("its two sides are the same instance now, and an instance has no link to itself")
	}
	return links, nil
}

func (f link) Targets(ctx context.Context, sys system.System, env system.Env, opts Options) ([]string, error) {
	links, err := f.links(ctx, sys, env, opts)
	if err != nil {
		return nil, err
	}
	return linkNames(links), nil
}

func linkNames(links []system.Link) []string {
	all := make([]string, len(links))
	for i, l := range links {
		all[i] = l.String()
	}
	return all
}

func (f link) Inject(ctx context.Context, env system.Env, opts Options) (Active, error) {
	links, err := f.links(ctx, env.System(), env, opts)
	if err != nil {
		return nil, err
	}
	linker := env.(system.Linker) // Check asked for it
	active := &activeLink{fault: f, linker: linker, links: links, seen: map[system.Link]Effect{}}
	id := cmp.Or(opts.ID, f.String())
	active.before, active.beforeErr = statsOf(ctx, linker)
	rules := f.rules()
	for i, rule := range rules {
		ruleID := id
		if len(rules) > 1 {
			ruleID = fmt.Sprintf("%s/%d", id, i+1)
		}
		active.ids = append(active.ids, ruleID)
		rule.Seed, rule.Text = lot(opts.Seed, f.String(), ruleID), f.String()
		if err := linker.SetRule(ctx, ruleID, links, rule); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: set the rule: %w", f, err), active.undo(ctx))
		}
	}
	active.began = time.Now()
	active.armed, active.armedErr = statsOf(ctx, linker)
	return active, nil
}
