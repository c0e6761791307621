package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// A Radius is an Active that bends links.
type Radius interface {
	// Links returns the links that it bends.
	Links() []system.Link
	// Rules returns the ids of the rules that it set on them.
	Rules() []string
}

// Outside compares the counters of links before faults and since, and returns an effect, observed, for each link outside the
// faults' radius that shows what only a rule does. None is the proof that the faults hit nothing else.
//
// On the way back of a link inside, ends of connections are no leak, since a connection has two
// directions: it may be reset, closed or left unanswered there. Refused dials are none anywhere, as an instance that is
// dead refuses too.
//
// Inside the radius a rule that is set now and hit since, and is none of the faults' own, is a leak: what was seen there may be its doing.
func Outside(before, now []system.LinkStats, radius []system.Link, own []string) []Effect {
	then := stats{}
	for _, s := range before {
		then[s.Link] = s
	}
	var leaks []Effect
	for _, s := range now {
		if slices.Contains(radius, s.Link) {
			if text := strangers(s, then[s.Link], own); text != "" {
				leaks = append(leaks, Effect{Target: s.Link.String(), Observed: true, Text: text})
			}
			continue
		}
		back := slices.Contains(radius, system.Link{From: s.To, To: s.From})
		if text := bent(minus(s, then[s.Link]), back); text != "" {
			leaks = append(leaks, Effect{Target: s.Link.String(), Observed: true, Text: text})
		}
	}
	slices.SortFunc(leaks, func(a, b Effect) int { return cmp.Compare(a.Target, b.Target) })
	return leaks
}

// strangers lists what rules hit that are none of the faults' own.
func strangers(now, then system.LinkStats, own []string) string {
	var texts []string
	for _, r := range now.Rules {
		if n := r.Hit - then.Rule(r.ID).Hit; n > 0 && !slices.Contains(own, r.ID) {
			texts = append(texts, fmt.Sprintf("%d hits of the rule %s", n, r.ID))
		}
	}
	return strings.Join(texts, ", ")
}

// bent lists what rules did to a link, "" for nothing.
func bent(grown system.LinkStats, back bool) string {
	counts := []struct {
		n    int64
		what string
		back bool // it may come from the other direction of a connection
	}{
		{grown.Bent, "chunks bent", false},
		{grown.Lost, "chunks lost", false},
		{grown.Discarded, "bytes thrown away", false},
		{grown.Throttled.Milliseconds(), "ms waited for a rate", false},
		{grown.Slices, "pieces cut", false},
		{grown.Hit, "requests hit", false},
		{grown.Reset, "connections reset", true},
		{grown.Closed, "connections closed", true},
		{grown.Stalled, "dials left unanswered", true},
	}
	var texts []string
	for _, c := range counts {
		if c.n > 0 && !(c.back && back) {
			texts = append(texts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(texts) == 0 && grown.Throttled > 0 {
		return grown.Throttled.Round(time.Microsecond).String() + " waited for a rate"
	}
	return strings.Join(texts, ", ")
}
