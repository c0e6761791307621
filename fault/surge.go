package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// maxFactor bounds a surge: more of a load is another load.
const maxFactor = 1000

// surge is a fault of the load: more operations of a journey arrive than usual.
type surge struct {
	journey string // "*" for every journey under load
	factor  float64
}

// Surge multiplies the arrival rate of a journey, "*" for all, by factor.
func Surge(journey string, factor float64) Fault { return surge{journey, factor} }

func (f surge) String() string { return "surge(" + f.journey + ", " + times(f.factor) + ")" }

// JourneyOf returns the journey whose load f raises, "*" for all of them, and false where f is no fault of the load.
func JourneyOf(f Fault) (string, bool) {
	s, ok := f.(surge)
	return s.journey, ok
}

// times writes a factor as "3x".
func times(factor float64) string { return strconv.FormatFloat(factor, 'f', -1, 64) + "x" }

func (f surge) Kind() string { return "surge" }

// MarshalText writes the fault in its text form.
func (f surge) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func (f surge) Powers() []string { return []string{"Surger"} }

// Worst surges every journey.
func (f surge) Worst() Fault { return surge{"*", f.factor} }

// Check knows no journeys: whether one has a load is for those who read the experiment.
func (f surge) Check(_ system.System, env system.Env) error {
	if !journeyName(f.journey) {
		return &TargetError{Fault: f.String(), Msg: fmt.Sprintf("%q is no name of a journey that a fault can write", f.journey), Hint: "letters, digits, '.', '_' and '-', or *"}
	}
	if !(f.factor > 1 && f.factor <= maxFactor) {
		return &TargetError{Fault: f.String(), Msg: fmt.Sprintf("a surge needs a factor above 1 and up to %d", maxFactor)}
	}
	if env == nil {
		return nil
	}
	if _, ok := env.(system.Surger); !ok {
		return fmt.Errorf("%s: %w", f, &system.UnsupportedError{Target: "the environment", Power: "Surger"})
	}
	return nil
}

func journeyName(name string) bool {
	p := &parser{text: name}
	return name == "*" || name != "" && p.take(isNameByte) == name && !strings.ContainsRune(".-", rune(name[0]))
}

func (f surge) Targets(ctx context.Context, sys system.System, env system.Env, _ Options) ([]string, error) {
	if err := f.Check(sys, env); err != nil {
		return nil, err
	}
	if env == nil {
		return []string{f.journey}, nil
	}
	arrivals, err := env.(system.Surger).Arrivals(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return f.journeys(arrivals)
}

func (f surge) journeys(arrivals system.Arrivals) ([]string, error) {
	loaded := slices.Sorted(maps.Keys(arrivals.Due))
	switch {
	case f.journey == "*" && len(loaded) > 0:
		return loaded, nil
	case slices.Contains(loaded, f.journey):
		return []string{f.journey}, nil
	}
	return nil, fmt.Errorf("%s: the journey has no load (%s)", f, hint("", loaded))
}

func (f surge) Inject(ctx context.Context, env system.Env, opts Options) (Active, error) {
	if err := f.Check(env.System(), env); err != nil {
		return nil, err
	}
	surger := env.(system.Surger)
	before, err := surger.Arrivals(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: count the arrivals before: %w", f, err)
	}
	journeys, err := f.journeys(before)
	if err != nil {
		return nil, err
	}
	active := &activeSurge{fault: f, id: opts.ID, surger: surger, journeys: journeys, before: before}
	if active.id == "" {
		active.id = f.String()
	}
	for _, journey := range journeys {
		if err := surger.Surge(ctx, active.id, journey, f.factor); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f, err), active.Heal(context.WithoutCancel(ctx)))
		}
	}
	return active, nil
}

// activeSurge is a surge that was injected.
type activeSurge struct {
	fault    surge
	id       string
	surger   system.Surger
	journeys []string
	before   system.Arrivals

	healing sync.Mutex
	healed  bool
}

func (a *activeSurge) Targets() []string { return a.journeys }

func (a *activeSurge) Heal(ctx context.Context) error {
	a.healing.Lock()
	defer a.healing.Unlock()
	if a.healed {
		return nil
	}
	if err := a.surger.Calm(ctx, a.id); err != nil {
		return fmt.Errorf("%s: return to the usual rate: %w", a.fault, err)
	}
	a.healed = true
	return nil
}

// Effect compares the operations that were due since the inject with those of the time before it. It asks the records,
// which hold what was started, and not the schedule, which holds what was meant.
func (a *activeSurge) Effect(ctx context.Context) ([]Effect, error) {
	now, err := a.surger.Arrivals(ctx)
	effects := make([]Effect, len(a.journeys))
	for i, journey := range a.journeys {
		effects[i] = Effect{Target: journey, Text: fmt.Sprintf("the arrivals cannot be counted: %v", err)}
		if err == nil {
			effects[i] = a.look(journey, now)
		}
	}
	return effects, ctx.Err()
}

const (
	beforeSurge = 5 * time.Second // how far back the usual rate is measured
	fewest      = 10              // arrivals on either side: less is no rate
	mostOf      = 0.9             // of the factor must be seen
)

func (a *activeSurge) look(journey string, now system.Arrivals) Effect {
	effect := Effect{Target: journey}
	inject := a.before.Now
	nBefore, before := rate(a.before.Due[journey], max(0, inject-beforeSurge), inject)
	nSince, since := rate(now.Due[journey], inject, now.Now)
	effect.Measured = history.Map(
		history.Entry{Key: history.String("before_per_s"), Val: history.Float(before)},
		history.Entry{Key: history.String("since_per_s"), Val: history.Float(since)},
		history.Entry{Key: history.String("arrivals"), Val: history.Int(int64(nSince))})
	seen := fmt.Sprintf("%.1f operations of %s arrived a second, %.1f before the inject", since, journey, before)
	switch {
	case nBefore < fewest:
		effect.Text = fmt.Sprintf("only %d operations of %s arrived before the inject, so nobody knows the usual rate", nBefore, journey)
	case nSince < fewest:
		effect.Text = fmt.Sprintf("only %d operations of %s arrived since the inject", nSince, journey)
	case since < mostOf*a.fault.factor*before:
		effect.Text = fmt.Sprintf("only %s: not %s", seen, times(a.fault.factor))
	default:
		effect.Observed, effect.Text = true, seen
	}
	return effect
}

// rate returns how many arrivals lie in [from, to), and how many that is a second. Where the first of all came later than
// from, the time before it does not count.
func rate(due []time.Duration, from, to time.Duration) (int, float64) {
	if len(due) > 0 {
		from = max(from, slices.Min(due))
	}
	n := 0
	for _, at := range due {
		if at >= from && at < to {
			n++
		}
	}
	if to <= from {
		return n, 0
	}
	return n, float64(n) / (to - from).Seconds()
}

// surge reads what follows the fault's kind.
func (p *parser) surge() (Fault, error) {
	if err := p.expect("(", "surge"); err != nil {
		return nil, err
	}
	at := p.space()
	f := surge{journey: p.take(func(b byte) bool { return isNameByte(b) || b == '*' })}
	if !journeyName(f.journey) {
		p.pos = at
		return nil, p.wrong(at, "the name of a journey, or * for all", "a journey is missing before %s", p.next())
	}
	if p.space(); !strings.HasPrefix(p.text[p.pos:], ",") {
		return nil, p.wrong(p.pos, "such as surge("+f.journey+", 3x)", "surge needs a factor, and here is %s", p.next())
	}
	p.pos++
	arg, err := p.argument()
	if err != nil {
		return nil, err
	}
	if f.factor, err = p.factor(arg); err != nil {
		return nil, err
	}
	if err := p.expect(")", "the factor of surge"); err != nil {
		return nil, err
	}
	if at := p.space(); at < len(p.text) {
		return nil, p.wrong(at, "one fault is one kind(…)", "nothing may follow the fault, and here is %s", p.next())
	}
	return f, nil
}

// factor reads "3x". What does not print as it was read would be another fault in every record.
func (p *parser) factor(arg argument) (float64, error) {
	digits, isFactor := strings.CutSuffix(arg.value, "x")
	factor, err := strconv.ParseFloat(digits, 64)
	plain := strings.Trim(digits, "0123456789.") == ""
	switch {
	case arg.key != "":
		return 0, p.wrong(arg.at, "such as surge(checkout, 3x)", "surge has no argument %q", arg.key)
	case !isFactor || !plain || err != nil:
		return 0, p.wrong(arg.valueAt, "such as 3x or 1.5x", "%q is no factor", arg.value)
	case !(factor > 1 && factor <= maxFactor):
		return 0, p.wrong(arg.valueAt, "", "a surge needs a factor above 1 and up to %d, not %s", maxFactor, arg.value)
	}
	return factor, nil
}
