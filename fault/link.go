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

// Delay makes the data from one side to the other arrive d later, whoever dialled.
func Delay(from, to string, d time.Duration, with ...With) Fault {
	return newLink("delay", from, to, d, with)
}

// Cut stalls the data from one side to the other; new dials time out.
func Cut(from, to string, with ...With) Fault { return newLink("cut", from, to, 0, with) }

// Refuse resets dials from one side to the other, and their live connections.
func Refuse(from, to string, with ...With) Fault { return newLink("refuse", from, to, 0, with) }

// link is a fault of the data between instances.
type link struct {
	kind          string
	from, to      selector
	both          bool
	delay, jitter time.Duration
	pick          pick   // narrows the instances of to
	bad           string // why a constructor's arguments make no fault
}

func newLink(kind, from, to string, delay time.Duration, with []With) Fault {
	f := link{kind: kind, delay: delay}
	for _, w := range with {
		f.pick, f.both, f.jitter = w.pick(), w.Both, w.Jitter
	}
	f.bad = cmp.Or(f.amounts(), f.pick.problem())
	f.from, f.bad = parseSelector(from, f.bad)
	f.to, f.bad = parseSelector(to, f.bad)
	return f
}

// amounts says what is wrong with delay and jitter, or "".
func (f link) amounts() string {
	switch {
	case f.kind != "delay" && f.jitter != 0:
		return "Jitter is for delay"
	case f.kind == "delay" && f.delay <= 0:
		return "delay needs a duration above zero"
	case f.jitter < 0 || f.jitter > f.delay:
		return "jitter must be from zero to the delay"
	}
	return ""
}

func (f link) String() string {
	arrow := " -> "
	if f.both {
		arrow = " <-> "
	}
	text := f.kind + "(" + f.from.String() + arrow + f.to.String()
	if f.delay != 0 {
		text += ", " + duration(f.delay)
	}
	if f.jitter != 0 {
		text += ", jitter=" + duration(f.jitter)
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

// Worst cuts both directions of every link, whatever the role of its ends, and refuses where f refuses: a
// refused dial fails at once, which is another thing than one that hangs.
func (f link) Worst() Fault {
	if f.kind == "delay" {
		f.kind, f.delay, f.jitter = "cut", 0, 0
	}
	f.both, f.pick = true, pick{}
	f.from.role, f.to.role = "", ""
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
	active := &activeLink{fault: f, id: opts.ID, linker: linker, links: links, seen: map[system.Link]Effect{}}
	if active.id == "" {
		active.id = f.String()
	}
	active.before, active.beforeErr = statsOf(ctx, linker)
	rule := system.Rule{Kind: system.RuleKind(f.kind), Delay: f.delay, Jitter: f.jitter, Seed: lot(opts.Seed, f.String(), opts.ID), Text: f.String()}
	if err := linker.SetRule(ctx, active.id, links, rule); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: set the rule: %w", f, err), active.undo(ctx))
	}
	active.armed, active.armedErr = statsOf(ctx, linker)
	return active, nil
}
