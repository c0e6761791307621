package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// Delay makes the data from one side to the other arrive d later, whoever dialled. With a Match it delays requests that go from one
// side to the other instead.
func Delay(from, to string, d time.Duration, with ...With) Fault {
	return newLink("delay", from, to, func(f *link) { f.rule.Delay = d }, with)
}

// Throttle lets through at most rate bytes per second, of all connections together or, with Each, of each.
func Throttle(from, to string, rate int64, with ...With) Fault {
	return newLink("throttle", from, to, func(f *link) { f.rule.Rate = rate }, with)
}

// Cut stalls the data from one side to the other; new dials time out.
func Cut(from, to string, with ...With) Fault { return newLink("cut", from, to, nil, with) }

// Drop loses a share of the chunks, from above 0 to 1. They arrive as late as TCP would have sent them again.
func Drop(from, to string, share float64, with ...With) Fault {
	return newLink("drop", from, to, func(f *link) { f.rule.Loss = share }, with)
}

// Blackhole takes the data and throws it away; after With.Wait, where it is set, it closes the connection.
func Blackhole(from, to string, with ...With) Fault { return newLink("blackhole", from, to, nil, with) }

// Reset ends connections with a RST, after With.Wait.
func Reset(from, to string, with ...With) Fault { return newLink("reset", from, to, nil, with) }

// Refuse resets dials from one side to the other, and their live connections.
func Refuse(from, to string, with ...With) Fault { return newLink("refuse", from, to, nil, with) }

// SlowClose makes the end of a stream arrive d later.
func SlowClose(from, to string, d time.Duration, with ...With) Fault {
	return newLink("slowclose", from, to, func(f *link) { f.rule.Delay = d }, with)
}

// Slice lets the data arrive in pieces of bytes±With.Spread, With.Wait apart.
func Slice(from, to string, bytes int64, with ...With) Fault {
	return newLink("slice", from, to, func(f *link) { f.rule.Bytes = bytes }, with)
}

// Limit closes a connection after so many bytes.
func Limit(from, to string, bytes int64, with ...With) Fault {
	return newLink("limit", from, to, func(f *link) { f.rule.Bytes = bytes }, with)
}

// Abort answers requests in place of the side they go to: with an HTTP status ("503") or a gRPC one ("UNAVAILABLE").
func Abort(from, to, answer string, with ...With) Fault {
	return newLink("abort", from, to, func(f *link) { f.bad = setAnswer(f, answer) }, with)
}

// Truncate ends responses after so many bytes of their body.
func Truncate(from, to string, bytes int64, with ...With) Fault {
	return newLink("truncate", from, to, func(f *link) { f.rule.Bytes = bytes }, with)
}

// Body replaces the body of responses.
func Body(from, to, text string, with ...With) Fault {
	return newLink("body", from, to, func(f *link) { f.rule.Value = text }, with)
}

// Header sets a header of responses, "Retry-After: 1", or takes one away, "-Server".
func Header(from, to, header string, with ...With) Fault {
	return newLink("header", from, to, func(f *link) { f.bad = setHeader(f, header) }, with)
}

// newLink makes a fault of links. A constructor returns no error, so what is wrong is kept and reported by Check.
func newLink(kind, from, to string, set func(*link), with []With) Fault {
	f := link{kind: kind}
	if kind != profileKind {
		f.rule.Kind = system.RuleKind(kind)
	}
	if set != nil {
		set(&f)
	}
	for _, w := range with {
		f.with(w)
	}
	if _, problem := f.problem(); f.bad == "" {
		f.bad = cmp.Or(problem, f.pick.problem())
	}
	f.from, f.bad = parseSelector(from, f.bad)
	f.to, f.bad = parseSelector(to, f.bad)
	return f
}

// with puts in what narrows a fault or goes with it.
func (f *link) with(w With) {
	f.pick, f.both = w.pick(), w.Both
	f.rule.Jitter, f.rule.Dist = w.Jitter, w.Dist
	f.rule.Each, f.rule.Spread, f.rule.When = w.Each, w.Spread, w.When
	f.match = w.Match
	if w.Wait != 0 {
		if f.kind == "delay" || f.kind == "slowclose" {
			f.bad = "Wait is for blackhole, reset and slice"
			return
		}
		f.rule.Delay = w.Wait
	}
	f.normalize()
}

// normalize puts what can be said in two ways into its one form.
func (f *link) normalize() {
	if f.rule.Dist == system.Uniform {
		f.rule.Dist = ""
	}
	if f.rule.When.P == 1 {
		f.rule.When.P = 0
	}
}

// problem says what is wrong with the amounts, and with which argument; "" for nothing.
func (f link) problem() (key, msg string) {
	if key, msg := f.misplaced(); msg != "" {
		return key, msg
	}
	if key, msg := f.wrongAmount(); msg != "" {
		return key, msg
	}
	for _, rule := range f.rules() {
		if err := rule.Check(); err != nil {
			return "", err.Error()
		}
	}
	return "", ""
}

// misplaced names an argument that this kind of fault does not have.
func (f link) misplaced() (key, msg string) {
	own := params(f.kind)
	for _, p := range allParams() {
		if p.key == "" || slices.ContainsFunc(own, func(o param) bool { return o.key == p.key }) {
			continue
		}
		if slices.Contains([]string{"wait", "close", "gap"}, p.key) { // one field, by the kind's name for it
			continue
		}
		if p.write(f) != "" {
			return p.key, cmp.Or(p.goFor, p.key+" is not for "+f.kind)
		}
	}
	return "", ""
}

func (f link) wrongAmount() (key, msg string) {
	r := f.rule
	switch {
	case f.kind == profileKind && !slices.Contains(profileNames(), f.profile):
		return "", fmt.Sprintf("no link is called %q (%s)", f.profile, hint(f.profile, profileNames()))
	case f.kind == "delay" && r.Delay <= 0:
		return "", "delay needs a duration above zero"
	case f.kind == "slowclose" && r.Delay <= 0:
		return "", "slowclose needs a duration above zero"
	case r.Jitter != 0 && f.kind != "delay":
		return "jitter", "Jitter is for delay"
	case r.Spread != 0 && f.kind != "slice":
		return "", "Spread is for slice"
	case r.Delay != 0 && !slices.Contains([]string{"delay", "slowclose", "blackhole", "reset", "slice"}, f.kind):
		return "", "Wait is for blackhole, reset and slice"
	case r.Jitter < 0:
		return "jitter", "a jitter cannot be negative"
	case r.Jitter > r.Delay && r.Dist != system.Pareto:
		return "jitter", fmt.Sprintf("jitter %s is more than the delay of %s", duration(r.Jitter), duration(r.Delay))
	case r.Dist != "" && r.Jitter == 0:
		return "dist", "dist says how the jitter is spread, and there is none: such as 200ms±50ms"
	case r.Rate > maxSize || r.Bytes > maxSize || r.Spread > maxSize || r.When.After > maxSize:
		return "", "no size is above " + size(maxSize)
	case f.match.Attempt < 0:
		return "attempt", "attempts count from 1"
	}
	return f.wrongText()
}

// wrongText looks at what would not be read back, or would not pass through a protocol.
func (f link) wrongText() (key, msg string) {
	m := f.match
	switch {
	case f.kind == "header" && (!token(f.rule.Name) || strings.HasPrefix(f.rule.Name, "-")):
		return "", fmt.Sprintf("%q is no name of a header", f.rule.Name)
	case f.kind == "header" && !headerValue(f.rule.Value):
		return "", fmt.Sprintf("%q is no value of a header", f.rule.Value)
	case f.kind == "abort" && f.rule.Code != "" && !slices.Contains(codes(), f.rule.Code):
		return "", fmt.Sprintf("no gRPC status is called %q (%s)", f.rule.Code, hint(f.rule.Code, codes()))
	case m.Header == "" && m.Value != "":
		return "header", "a header is matched by its name, and by its value besides"
	case m.Header != "" && (!token(m.Header) || !headerValue(m.Value)):
		return "header", fmt.Sprintf("%q is no header", headerText(m.Header, m.Value))
	case m.Key != "" && !token(m.Key):
		return "key", fmt.Sprintf("%q is no name of a header", m.Key)
	case m.Method != "" && !token(m.Method):
		return "method", fmt.Sprintf("%q is no method", m.Method)
	}
	return "", ""
}
