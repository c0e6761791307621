package terms

import (
	"fmt"
	"strings"
)

// judge returns what a moment has that the delivery does not allow, or "".
func (d Delivery) judge(s *schedule, m moment, at map[string]map[int]moment) string {
	before := count(s, m, delivers)
	switch {
	case m.what == delivers && before > 0 && d.Guarantee != "at-least-once":
		return fmt.Sprintf("event %d is delivered twice, and delivery is %s", m.call, d.Guarantee)
	case m.what == delivers && d.Redeliveries != nil && before > *d.Redeliveries:
		return fmt.Sprintf("event %d is delivered %d times, and %d redeliveries are the most", m.call, before+1, *d.Redeliveries)
	case m.what == delivers && before > 0 && m.at-at[delivers][m.call].at < d.RedeliverAfter:
		return fmt.Sprintf("event %d is delivered again after %s, and not before %s", m.call, short(m.at-at[delivers][m.call].at), short(d.RedeliverAfter))
	case m.what == delivers:
		return d.judgeOrder(s, m, at)
	case m.what == abandons && before == 0 && d.Guarantee != "at-most-once":
		return fmt.Sprintf("event %d is never delivered, and delivery is %s", m.call, d.Guarantee)
	case m.what == abandons && before > 0 && d.Redeliveries != nil && before <= *d.Redeliveries:
		return fmt.Sprintf("event %d is given up after %d deliveries, and %d redeliveries are promised", m.call, before, *d.Redeliveries)
	}
	return ""
}

// count returns how often something happened to the call or event of m before it.
func count(s *schedule, m moment, what string) (n int) {
	for _, other := range s.moments[:m.i] {
		if other.what == what && other.call == m.call {
			n++
		}
	}
	return n
}

// judgeOrder refuses an event that overtook one with the same value of what is ordered by.
func (d Delivery) judgeOrder(s *schedule, m moment, at map[string]map[int]moment) string {
	mine := attr(at[sends][m.call].attrs, d.OrderBy)
	for call, other := range at[sends] {
		_, arrived := at[delivers][call]
		if call < m.call && !arrived && mine != "" && attr(other.attrs, d.OrderBy) == mine {
			return fmt.Sprintf("event %d is delivered before event %d, which has the same %s", m.call, call, d.OrderBy)
		}
	}
	return ""
}

// attr returns the value of a name in "(order_id=o1 region=r1)".
func attr(attrs, name string) string {
	for _, one := range strings.Split(strings.Trim(attrs, "()"), ", ") {
		if k, v, ok := strings.Cut(one, "="); ok && k == name && name != "" {
			return v
		}
	}
	return ""
}
