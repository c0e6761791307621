package txn

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
)

// direct checks an anomaly of single reads and writes.
func (c *certifier) direct(a Anomaly) error {
	holds := false
	each := func(t int, visit func(i int, m Mop)) {
		for i, m := range c.mops[t] {
			if m.Key.Equal(a.Key) && (m.Write || m.Known && c.ok(t)) {
				visit(i, m)
			}
		}
	}
	shows := func(m Mop) bool {
		if c.h.Type() == Register {
			return !m.Write && m.Value.Equal(a.Value)
		}
		return !m.Write && indexOf(m.List, a.Value) >= 0
	}
	switch a.Name {
	case "G1a":
		each(a.Txns[0], func(_ int, m Mop) { holds = holds || shows(m) })
		holds = holds && c.h.Outcome(a.Txns[1]) == history.Failed && c.wrote(a.Txns[1], a.Key, a.Value)
	case "G1b":
		each(a.Txns[0], func(_ int, m Mop) { holds = holds || shows(m) })
		last := a.Value
		each(a.Txns[1], func(_ int, m Mop) {
			if m.Write {
				last = m.Value
			}
		})
		holds = holds && a.Txns[0] != a.Txns[1] && !last.Equal(a.Value) && c.wrote(a.Txns[1], a.Key, a.Value)
	case "garbage-read":
		each(a.Txns[0], func(_ int, m Mop) { holds = holds || shows(m) })
		for t := range c.mops {
			holds = holds && !c.wrote(t, a.Key, a.Value)
		}
	case "future-read":
		at := -1
		each(a.Txns[0], func(i int, m Mop) {
			if shows(m) && at < 0 {
				at = i
			}
			holds = holds || m.Write && m.Value.Equal(a.Value) && at >= 0
		})
	case "lost-update":
		holds = a.Txns[0] != a.Txns[1] && c.readThenWrote(a, a.Txns[0]) && c.readThenWrote(a, a.Txns[1])
	case "duplicate-elements":
		each(a.Txns[0], func(_ int, m Mop) {
			at := indexOf(m.List, a.Value)
			holds = holds || at >= 0 && indexOf(m.List[at+1:], a.Value) >= 0
		})
	case "incompatible-order":
		each(a.Txns[0], func(_ int, m Mop) {
			each(a.Txns[1], func(_ int, w Mop) {
				n := min(len(m.List), len(w.List))
				holds = holds || !m.Write && !w.Write && !slices.EqualFunc(m.List[:n], w.List[:n], history.Value.Equal)
			})
		})
	case "torn-appends":
		each(a.Txns[0], func(_ int, m Mop) { holds = holds || shows(m) && c.tears(a.Txns[1], a.Key, m.List, a.Value) })
	case "dirty-update":
		c.reads(a.Key, func(_ int, m Mop) {
			at := indexOf(m.List, a.Value)
			for _, v := range m.List[at+1:] {
				holds = holds || at >= 0 && c.wrote(a.Txns[1], a.Key, v)
			}
		})
		holds = holds && c.h.Outcome(a.Txns[0]) == history.Failed && c.wrote(a.Txns[0], a.Key, a.Value)
	case "internal":
		holds = c.internal(a)
	case "cyclic-versions":
		holds = c.cyclicVersions(a)
	default:
		return c.noOrder(a)
	}
	if !holds {
		return fmt.Errorf("the history does not show it")
	}
	return nil
}

// readThenWrote says whether the first thing a transaction did to the key was to read the version, and it wrote the key later.
func (c *certifier) readThenWrote(a Anomaly, t int) bool {
	read, any := false, false
	for _, m := range c.mops[t] {
		if !m.Key.Equal(a.Key) {
			continue
		}
		if !any && !m.Write {
			last := m.Value
			if n := len(m.List); n > 0 {
				last = m.List[n-1]
			}
			read = last.Equal(a.Value)
		}
		any = true
		if m.Write && read {
			return c.ok(t)
		}
	}
	return false
}

// tears says whether a list shows a value, and ahead of it not all that the same transaction appended before.
func (c *certifier) tears(t int, key history.Value, list []history.Value, value history.Value) bool {
	at, torn := indexOf(list, value), false
	for _, m := range c.mops[t] {
		if !m.Write || !m.Key.Equal(key) {
			continue
		}
		if m.Value.Equal(value) {
			return torn
		}
		torn = torn || indexOf(list[:at], m.Value) < 0
	}
	return false
}

// internal replays one transaction on the version it saw first.
func (c *certifier) internal(a Anomaly) bool {
	var state []history.Value
	exact := false
	for _, m := range c.mops[a.Txns[0]] {
		switch {
		case !m.Key.Equal(a.Key):
		case m.Write && c.h.Type() == Register:
			state, exact = []history.Value{m.Value}, true
		case m.Write:
			state = append(state, m.Value)
		case !m.Known:
		case c.h.Type() == Register:
			if exact && !m.Value.Equal(append(slices.Clone(state), history.Value{})[0]) {
				return true
			}
			state, exact = []history.Value{m.Value}, true
		default:
			n := len(m.List) - len(state)
			if n < 0 || exact && n > 0 || !slices.EqualFunc(m.List[n:], state, history.Value.Equal) {
				return true
			}
			state, exact = slices.Clone(m.List), true
		}
	}
	return false
}

// cyclicVersions says whether each of the transactions left what the next one read.
func (c *certifier) cyclicVersions(a Anomaly) bool {
	holds := len(a.Txns) > 1
	for i, t := range a.Txns {
		_, left := c.touched(t, a.Key)
		read, _ := c.touched(a.Txns[(i+1)%len(a.Txns)], a.Key)
		holds = holds && read.Equal(left) && !left.IsNil()
	}
	return holds
}

// touched returns what a transaction read of a key ahead of all else, and what it left.
func (c *certifier) touched(t int, key history.Value) (read, left history.Value) {
	first := true
	for _, m := range c.mops[t] {
		switch {
		case !m.Key.Equal(key):
			continue
		case m.Write:
			left = m.Value
		case m.Known && first:
			read = m.Value
		}
		first = false
	}
	return read, left
}
