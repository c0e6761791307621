package txn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
)

// How many transactions may be part of an inference that is certified: it takes time with the third power of them.
const certifyMost = 150

// A relation says which transaction comes before which.
type relation [][]bool

// close adds what follows: if a is before b and b before c, then a is before c. It says whether one is before itself.
func (r relation) close() (cyclic bool) {
	for m := range r {
		for a := range r {
			if !r[a][m] {
				continue
			}
			for b := range r {
				r[a][b] = r[a][b] || r[m][b]
			}
		}
	}
	for a := range r {
		cyclic = cyclic || r[a][a]
	}
	return cyclic
}

// later holds a step between two versions of a register against what the history says of their order: the version that From left
// or read is replaced, at once or later, by the one that To wrote. How much counts for that is up to the anomaly: see footing.
func (c *certifier) later(st Step, name string) error {
	on := onSingle
	switch {
	case strings.HasPrefix(name, "G0"), strings.HasPrefix(name, "G1c"):
		on = onData
	case strings.HasPrefix(name, "G2"):
		on = onSerial
	}
	l := byData
	if strings.HasSuffix(name, "-process") {
		l = byProcess
	} else if strings.HasSuffix(name, "-realtime") {
		l = byTime
	}
	if st.Kind == "rw" && c.readInitial(st) {
		return nil
	}
	if c.h.Len() > certifyMost {
		return fmt.Errorf("%w: the order of versions of key %v is inferred of %d transactions, too many to infer it again", ErrNotChecked, st.Key, c.h.Len())
	}
	for v := range c.versionsOf(st) {
		for level := byData; level <= l; level++ {
			for foot := onData; foot <= on; foot++ {
				if c.laterThan(st.Key.String(), v, st.Value.String(), c.inferred(level, foot), level, foot) {
					return nil
				}
			}
		}
	}
	if c.contradictory[fmt.Sprint(l, on)] {
		return nil // whatever the order of these two: that of all makes a cycle of the class
	}
	return fmt.Errorf("nothing says that %v of key %v is a later version", st.Value, st.Key)
}

func (c *certifier) readInitial(st Step) bool {
	return slices.ContainsFunc(c.mops[st.From], func(m Mop) bool { return !m.Write && m.Known && m.Key.Equal(st.Key) && m.Value.IsNil() })
}

// versionsOf returns what From wrote to the key of a step, or read of it.
func (c *certifier) versionsOf(st Step) map[string]bool {
	versions := map[string]bool{}
	for _, m := range c.mops[st.From] {
		if m.Key.Equal(st.Key) && m.Write == (st.Kind == "ww") && !m.Value.IsNil() {
			versions[m.Value.String()] = true
		}
	}
	return versions
}

// A view is what a transaction read first of a key, and what it left, as text; "" for nothing and for the first version.
type view struct {
	txn         int
	read, wrote string
}

// views returns what all transactions that took effect did to a key.
func (c *certifier) views(key string) []view {
	if c.keyViews == nil {
		c.keyViews = map[string][]view{}
		for t, mops := range c.mops {
			if !c.ok(t) && !c.seen(t) {
				continue
			}
			at := map[string]int{} // by key: 1 + its view
			for _, m := range mops {
				k := m.Key.String()
				first := at[k] == 0
				if first {
					c.keyViews[k] = append(c.keyViews[k], view{txn: t})
					at[k] = len(c.keyViews[k])
				}
				switch x := &c.keyViews[k][at[k]-1]; {
				case m.Write:
					x.wrote = m.Value.String()
				case first && m.Known && c.ok(t) && !m.Value.IsNil():
					x.read = m.Value.String()
				}
			}
		}
	}
	return c.keyViews[key]
}

// laterThan says whether w is a later version of a key than v, by one transaction that read v and left w, or by two of which one
// saw v and comes before another that saw w.
func (c *certifier) laterThan(key, v, w string, before relation, l level, on footing) bool {
	for _, x := range c.views(key) {
		if x.read == v && x.wrote == w {
			return true
		}
		for _, y := range c.views(key) {
			if on == onData || x.txn == y.txn || x.read != v && x.wrote != v || y.read != w && y.wrote != w {
				continue
			}
			last, first := x.wrote == v || x.wrote == "", y.read == w || y.read == ""
			direct := l >= byProcess && c.processBefore(x.txn, y.txn) || l >= byTime && c.returnsBefore(x.txn, y.txn)
			if last && first && direct || before[x.txn][y.txn] {
				return true
			}
		}
	}
	return false
}

// inferred returns which transaction comes before which, by a fixed point of that and of the order of versions.
func (c *certifier) inferred(l level, on footing) relation {
	name := fmt.Sprint(l, on)
	if r, ok := c.relations[name]; ok {
		return r
	}
	n := c.h.Len()
	r := make(relation, n)
	for t := range r {
		r[t] = make([]bool, n)
		for u := range n {
			r[t][u] = c.mayMatter(t) && c.mayMatter(u) && (l >= byProcess && c.processBefore(t, u) || l >= byTime && c.returnsBefore(t, u))
		}
	}
	keys := map[string]bool{}
	for t, mops := range c.mops {
		for _, m := range mops {
			keys[m.Key.String()] = true
			for u := range n {
				wr := !m.Write && m.Known && c.ok(t) && !m.Value.IsNil() && c.wrote(u, m.Key, m.Value)
				rw := !m.Write && m.Known && c.ok(t) && m.Value.IsNil() && on == onSerial && (c.ok(u) || c.seen(u)) && c.writes(u, m.Key)
				r[u][t], r[t][u] = r[u][t] || wr && t != u, r[t][u] || rw && t != u
			}
		}
	}
	for on > onData {
		was := c.count(r)
		next := clone(r)
		if next.close() {
			c.contradictory[name] = true // and says nothing more
			break
		}
		for key := range keys {
			c.order(key, next, l, on)
		}
		r = next
		if c.count(r) == was {
			break
		}
	}
	c.relations[name] = r
	return r
}

// order adds to a relation what the order of the versions of a key says.
func (c *certifier) order(key string, r relation, l level, on footing) {
	was := clone(r)
	for _, x := range c.views(key) {
		for _, y := range c.views(key) {
			if x.txn == y.txn || y.wrote == "" {
				continue
			}
			for _, m := range c.mops[y.txn] { // what was written over may have been read
				if m.Write && m.Key.String() == key && c.sawBefore(x, key, m.Value.String(), was, l, on) {
					r[x.txn][y.txn] = true
				}
			}
		}
	}
}

// sawBefore says whether a transaction left a version that w is later than, or read one where that counts.
func (c *certifier) sawBefore(x view, key, w string, r relation, l level, on footing) bool {
	if x.wrote != "" && c.laterThan(key, x.wrote, w, r, l, on) {
		return true
	}
	return on == onSerial && c.ok(x.txn) && slices.ContainsFunc(c.mops[x.txn], func(m Mop) bool {
		return !m.Write && m.Known && !m.Value.IsNil() && m.Key.String() == key && !c.wrote(x.txn, m.Key, m.Value) && c.laterThan(key, m.Value.String(), w, r, l, on)
	})
}

func (c *certifier) writes(t int, key history.Value) bool {
	return slices.ContainsFunc(c.mops[t], func(m Mop) bool { return m.Write && m.Key.Equal(key) })
}

func (c *certifier) mayMatter(t int) bool { return c.h.Outcome(t) != history.Failed }

func (c *certifier) count(r relation) int {
	n := 0
	for a := range r {
		for _, is := range r[a] {
			if is {
				n++
			}
		}
	}
	return n
}

func clone(r relation) relation {
	out := make(relation, len(r))
	for i := range r {
		out[i] = slices.Clone(r[i])
	}
	return out
}
