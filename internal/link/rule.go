package link

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/assay-dev/assay/system"
)

// armed is a rule as it was set.
type armed struct {
	id      string
	links   []system.Link
	rule    system.Rule
	set     time.Duration          // when
	before  map[system.Link]uint64 // connections that each link had had by then
	meters  map[system.Link]*meter // of a throttle that the connections of a link share
	tallies map[system.Link]*tally
	timers  []*time.Timer // of its window
}

// inForce says whether the rule's window is open.
func (a *armed) inForce(now time.Duration) bool {
	since, when := now-a.set, a.rule.When
	return since >= when.From && (when.For == 0 || since < when.From+when.For)
}

// text says what the rule does to one link, for readers.
func (a *armed) text(link system.Link) string {
	return strings.TrimRight(fmt.Sprintf("%s %s %s", a.rule.Kind, link, amountOf(a.rule)), " ")
}

// amountOf says how much, or with what, a rule does what it does; "" where its kind says all.
func amountOf(r system.Rule) string {
	spread := ""
	switch r.Kind {
	case system.Delay, system.SlowClose:
		if r.Jitter > 0 {
			spread = "±" + r.Jitter.String()
		}
		return r.Delay.String() + spread
	case system.Throttle:
		return fmt.Sprintf("%dB/s", r.Rate)
	case system.Drop:
		return fmt.Sprintf("%v", r.Loss)
	case system.Slice, system.Limit, system.Truncate:
		if r.Spread > 0 {
			spread = fmt.Sprintf("±%d", r.Spread)
		}
		return fmt.Sprintf("%d%sB", r.Bytes, spread)
	case system.Abort:
		if r.Code != "" {
			return r.Code
		}
		return strconv.Itoa(r.Status)
	case system.Header:
		if r.Value == "" {
			return "-" + r.Name
		}
		return strconv.Quote(r.Name + ": " + r.Value)
	case system.Body:
		return fmt.Sprintf("%d bytes", len(r.Value))
	}
	return ""
}

// SetRule arms rule on links, at once for live connections too. Setting an id
// again replaces it. When it returns, a cut passes no more bytes.
// On an error nothing is set, except where a front could not be closed or opened.
func (m *Mesh) SetRule(id string, links []system.Link, rule system.Rule) error {
	if len(links) == 0 {
		return fmt.Errorf("set rule %s: no links", id)
	}
	if err := cmp.Or(rule.Check(), checkRequests(rule)); err != nil {
		return fmt.Errorf("set rule %s: %w", id, err)
	}
	m.arming.Lock()
	defer m.arming.Unlock()
	touched := slices.Concat(m.disarm(id), links)
	m.rules[id] = m.arm(id, links, rule)
	if err := m.apply(touched); err != nil {
		return fmt.Errorf("set rule %s: %w", id, err)
	}
	return nil
}

// checkRequests says what rules of requests cannot do.
func checkRequests(rule system.Rule) error {
	if _, ok := codeNumber(rule.Code); rule.Code != "" && !ok {
		return fmt.Errorf("%s: gRPC has no code %q (it has %s)", rule.Kind, rule.Code, strings.Join(grpcCodes[:], ", "))
	}
	if rule.Kind == system.Header && (!httpguts.ValidHeaderFieldName(rule.Name) || !httpguts.ValidHeaderFieldValue(rule.Value)) {
		return fmt.Errorf("header: %q: %q can be no header", rule.Name, rule.Value)
	}
	return nil
}

// arm notes what a rule counts from, and when its window opens and closes. The caller holds arming.
func (m *Mesh) arm(id string, links []system.Link, rule system.Rule) *armed {
	a := &armed{id: id, links: slices.Clone(links), rule: rule, set: m.now(), before: map[system.Link]uint64{}, meters: map[system.Link]*meter{}, tallies: map[system.Link]*tally{}}
	for _, link := range links {
		a.before[link], a.meters[link], a.tallies[link] = m.lane(link.From, link.To).conns.Load(), newMeter(rule.Rate), &tally{id: id}
	}
	turn := func(after time.Duration) {
		// A timer may be early by less than the clock's step.
		a.timers = append(a.timers, time.AfterFunc(after+time.Millisecond, func() { m.turn(a) }))
	}
	if rule.When.From > 0 {
		turn(rule.When.From)
	}
	if rule.When.For > 0 {
		turn(rule.When.From + rule.When.For)
	}
	return a
}

// turn brings a rule into force or out of it.
func (m *Mesh) turn(a *armed) {
	m.arming.Lock()
	defer m.arming.Unlock()
	if m.rules[a.id] == a {
		_ = m.apply(a.links) // the next ClearRule settles again, and reports
	}
}

// disarm forgets a rule, and returns the links that it was on. The caller holds arming.
func (m *Mesh) disarm(id string) []system.Link {
	a := m.rules[id]
	if a == nil {
		return nil
	}
	for _, timer := range a.timers {
		timer.Stop()
	}
	for _, t := range a.tallies {
		t.cleared.Store(true)
	}
	delete(m.rules, id)
	return a.links
}

// ClearRule removes the rule: held bytes flow, fronts listen again. An id that is
// not set is no error.
func (m *Mesh) ClearRule(id string) error {
	m.arming.Lock()
	defer m.arming.Unlock()
	if err := m.apply(m.disarm(id)); err != nil {
		return fmt.Errorf("clear rule %s: %w", id, err)
	}
	return nil
}

// Rules returns one line for each link of each rule that is set, sorted, such as
// "slow/1: delay api-1 -> pricing-1 3s".
func (m *Mesh) Rules() []string {
	m.arming.Lock()
	defer m.arming.Unlock()
	var lines []string
	for id, a := range m.rules {
		for _, link := range a.links {
			lines = append(lines, id+": "+a.text(link))
		}
	}
	slices.Sort(lines)
	return lines
}

// apply computes the effects of the touched links anew and brings them to live
// connections and to fronts. The caller holds arming.
func (m *Mesh) apply(touched []system.Link) error {
	var lanes []*lane
	for _, link := range touched {
		l := m.lane(link.From, link.To)
		if !slices.Contains(lanes, l) {
			lanes = append(lanes, l)
		}
	}
	m.countAttempts()
	m.lookForGates()
	for _, f := range m.openFronts() {
		f.harvest() // while the rules are those that the dials met
	}
	for _, l := range lanes {
		next := m.effectOn(l.link)
		if !next.refuse || !l.effect.Load().refuse {
			l.proven.Store(false)
		}
		l.effect.Store(next)
		l.set.Store(m.talliesOn(l.link))
	}
	for _, l := range lanes {
		l.announce(m.opts.Seed)
	}
	var errs []error
	for _, f := range m.openFronts() {
		errs = append(errs, f.settle())
	}
	return errors.Join(errs...)
}

// countAttempts begins or ends the count of attempts. The caller holds arming.
func (m *Mesh) countAttempts() {
	wanted := false
	for _, a := range m.rules {
		wanted = wanted || a.rule.Match != nil && a.rule.Match.Attempt > 0
	}
	switch {
	case !wanted:
		m.attempts.Store(nil)
	case m.attempts.Load() == nil:
		m.attempts.Store(newAttempts())
	}
}

// talliesOn returns the counters of the rules that are set on the link, sorted by id. The caller holds arming.
func (m *Mesh) talliesOn(link system.Link) *[]*tally {
	var tallies []*tally
	for _, id := range slices.Sorted(maps.Keys(m.rules)) {
		if t := m.rules[id].tallies[link]; t != nil {
			tallies = append(tallies, t)
		}
	}
	return &tallies
}

func (m *Mesh) effectOn(link system.Link) *effect {
	e := &effect{}
	now := m.now()
	for _, id := range slices.Sorted(maps.Keys(m.rules)) {
		a := m.rules[id]
		if !slices.Contains(a.links, link) || !a.inForce(now) {
			continue
		}
		r := ruling{Rule: a.rule, id: id, key: hash(id, ""), before: a.before[link], meter: a.meters[link], tally: a.tallies[link]}
		r.Text = cmp.Or(r.Text, a.text(link))
		if r.OfRequests() {
			e.requests = append(e.requests, &r)
			continue
		}
		e.rules = append(e.rules, r)
		if r.Kind == system.Cut && r.ofAll() {
			e.cut, e.cuts = true, append(e.cuts, r.tally)
		}
		e.refuse = e.refuse || r.Kind == system.Refuse && r.ofAll()
	}
	return e
}

// announce brings the lane's effect to its live connections. It returns when no
// write that a cut forbids is under way.
func (l *lane) announce(seed uint64) {
	pumps := l.bendAll(seed)
	for _, p := range pumps {
		b := p.bend.Load()
		p.conn.tap.faulted(b.texts)
		if b.cut {
			p.interrupt()
		}
		p.poke()
		if e := p.conn.editing.Load(); e != nil {
			e.healed()
		}
		p.attend(b)
	}
	for _, p := range pumps {
		b := p.bend.Load()
		if b.cut {
			p.quiesce()
		}
		if b.refuse && p.up {
			p.conn.refuseLive()
		}
		if p.starved.Load() && !b.has(system.Blackhole) { // what was thrown away cannot be given any more
			p.conn.resetByRule(p.lane, nil)
		}
	}
}
