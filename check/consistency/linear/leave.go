package linear

import "github.com/assay-dev/assay/history"

// withoutUnseen leaves out pending operations that no order needs: what they put nobody saw.
func (m Model) withoutUnseen(ops []history.Op, part []int32) []int32 {
	maybe := make([]bool, len(part))
	some := false
	for i, at := range part {
		maybe[i] = ops[at].Outcome == history.Maybe
		some = some || maybe[i]
	}
	if !some || m.touch == nil {
		return part
	}
	return m.leaveOut(ops, part, maybe)
}

// leaveOut returns the part without those of the chosen operations that soundly can be left out: where the part has an order, so has
// the rest.
func (m Model) leaveOut(ops []history.Op, part []int32, chosen []bool) []int32 {
	var rest []int32
	if m.touch == nil {
		for i, at := range part {
			if !chosen[i] || !m.reads(&ops[at]) {
				rest = append(rest, at)
			}
		}
		return rest
	}
	c := cast{seen: map[string]int{}, put: map[string]int{}}
	for i, at := range part {
		if !chosen[i] {
			c.count(m.touch(&ops[at]))
		}
	}
	out := append([]bool(nil), chosen...)
	for again := true; again; {
		again = false
		for i, at := range part {
			if out[i] && !c.mayGo(m, &ops[at]) {
				out[i], again = false, true
				c.count(m.touch(&ops[at]))
			}
		}
	}
	for i, at := range part {
		if !out[i] {
			rest = append(rest, at)
		}
	}
	return rest
}

// A cast is what the operations that stay have to do with values.
type cast struct {
	seen, put map[string]int
	any       int
	text      []byte
}

func (c *cast) key(v history.Value) []byte {
	c.text = appendValue(c.text[:0], v)
	return c.text
}

func (c *cast) count(t Touch) {
	for _, v := range t.Puts {
		c.put[string(c.key(v))]++
	}
	for _, v := range t.Shows {
		c.seen[string(c.key(v))]++
	}
	for _, v := range t.Takes {
		c.seen[string(c.key(v))]++
	}
	if t.Any {
		c.any++
	}
}

// mayGo says whether an operation can be left out while those that were counted stay.
func (c *cast) mayGo(m Model, op *history.Op) bool {
	if m.reads(op) {
		return true
	}
	t := m.touch(op)
	if t.Fixed || len(t.Puts) > 0 && c.any > 0 {
		return false
	}
	for _, v := range t.Puts {
		if c.seen[string(c.key(v))] > 0 {
			return false
		}
	}
	for _, v := range t.Takes {
		if c.put[string(c.key(v))] > 0 {
			return false
		}
	}
	return len(t.Puts)+len(t.Takes) > 0
}
