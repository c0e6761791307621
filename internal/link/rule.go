package link

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/system"
)

// armed is a rule as it was set.
type armed struct {
	links []system.Link
	rule  system.Rule
}

// text says what the rule does to one link, for readers.
func (a armed) text(link system.Link) string {
	text := fmt.Sprintf("%s %s", a.rule.Kind, link)
	if a.rule.Kind != system.Delay {
		return text
	}
	text += " " + a.rule.Delay.String()
	if a.rule.Jitter > 0 {
		text += "±" + a.rule.Jitter.String()
	}
	return text
}

// An effect is what all rules of one link amount to. It is never changed, only replaced.
type effect struct {
	cut, refuse bool
	delays      []system.Rule
	texts       []string // the rules, for Exchange.Faults
}

// free says that bytes need not wait.
func (e *effect) free() bool { return !e.cut && len(e.delays) == 0 }

// delay returns how long a chunk stays: the sum of all delays, each with its own
// jitter. The choice is keyed by link, connection and chunk, so that traffic
// elsewhere changes nothing.
func (e *effect) delay(seed uint64, link system.Link, conn, chunk uint64) time.Duration {
	var sum time.Duration
	for i, rule := range e.delays {
		sum += rule.Delay
		if rule.Jitter > 0 {
			draw := mix(mix(mix(mix(seed, rule.Seed), hash(link.From, link.To)), conn), chunk+uint64(i)<<56)
			unit := float64(draw>>11)/(1<<52) - 1 // [-1, 1)
			sum += time.Duration(unit * float64(rule.Jitter))
		}
	}
	return max(sum, 0)
}

// mix is the finalizer of splitmix64 over a combination of both.
func mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 + b + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func hash(from, to string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(from))
	h.Write([]byte{0})
	h.Write([]byte(to))
	return h.Sum64()
}

// SetRule arms rule on links, at once for live connections too. Setting an id
// again replaces it. When it returns, a cut passes no more bytes.
// On an error nothing is set, except where a front could not be closed or opened.
func (m *Mesh) SetRule(id string, links []system.Link, rule system.Rule) error {
	if err := checkRule(rule, links); err != nil {
		return fmt.Errorf("set rule %s: %w", id, err)
	}
	m.arming.Lock()
	defer m.arming.Unlock()
	touched := slices.Concat(m.rules[id].links, links)
	m.rules[id] = armed{slices.Clone(links), rule}
	if err := m.apply(touched); err != nil {
		return fmt.Errorf("set rule %s: %w", id, err)
	}
	return nil
}

// ClearRule removes the rule: held bytes flow, fronts listen again. An id that is
// not set is no error.
func (m *Mesh) ClearRule(id string) error {
	m.arming.Lock()
	defer m.arming.Unlock()
	touched := m.rules[id].links
	delete(m.rules, id)
	if err := m.apply(touched); err != nil {
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

func checkRule(rule system.Rule, links []system.Link) error {
	if len(links) == 0 {
		return errors.New("no links")
	}
	return rule.Check()
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
	for _, f := range m.openFronts() {
		f.harvest() // while the rules are those that the dials met
	}
	for _, l := range lanes {
		next := m.effectOn(l.link)
		if !next.refuse || !l.effect.Load().refuse {
			l.proven.Store(false)
		}
		l.effect.Store(next)
	}
	for _, l := range lanes {
		l.announce()
	}
	var errs []error
	for _, f := range m.openFronts() {
		errs = append(errs, f.settle())
	}
	return errors.Join(errs...)
}

func (m *Mesh) effectOn(link system.Link) *effect {
	e := &effect{}
	for _, id := range slices.Sorted(maps.Keys(m.rules)) {
		a := m.rules[id]
		if !slices.Contains(a.links, link) {
			continue
		}
		switch a.rule.Kind {
		case system.Cut:
			e.cut = true
		case system.Refuse:
			e.refuse = true
		case system.Delay:
			e.delays = append(e.delays, a.rule)
		}
		text := a.rule.Text
		if text == "" {
			text = a.text(link)
		}
		e.texts = append(e.texts, text)
	}
	return e
}

// announce brings the lane's effect to its live connections. It returns when no
// write that a cut forbids is under way.
func (l *lane) announce() {
	e := l.effect.Load()
	pumps := l.live()
	for _, p := range pumps {
		p.conn.tap.faulted(e.texts)
		if e.cut {
			p.interrupt()
		}
		p.poke()
	}
	for _, p := range pumps {
		if e.cut {
			p.quiesce()
		}
		if e.refuse && p.up {
			p.conn.refuseLive()
		}
	}
}
