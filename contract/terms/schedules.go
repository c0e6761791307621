package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The functions of this file make the schedules of rules, from the numbers of both versions. Whether one of them allows what the other refuses
// is for the judge to say.

// patience returns how long a caller waits that goes by the deadline.
func patience(o Operation) time.Duration {
	if o.Deadline == 0 {
		return time.Second
	}
	return o.Deadline
}

func good(o Operation) string {
	if o.method() != "" {
		return "200"
	}
	return "OK"
}

// answerCode returns the first code that callers retry and that an answer can have.
func answerCode(o Operation) string {
	for _, code := range o.Retry.On {
		if code != "timeout" {
			return code
		}
	}
	return ""
}

func lateAnswer(old, new Operation) *schedule {
	end := new.Deadline
	if end == 0 {
		end = 2 * old.Deadline
	}
	s := &schedule{}
	return s.add(moment{what: calls, call: 1}).add(moment{at: old.Deadline, what: leaves, call: 1}).add(moment{at: end, what: answers, call: 1, code: good(new)})
}

func earlyCut(old, new Operation) *schedule {
	s := &schedule{}
	return s.add(moment{what: calls, call: 1}).add(moment{at: new.Deadline, what: cuts, call: 1, wait: old.Deadline})
}

func oneEffect(old, new Operation) *schedule {
	s := &schedule{}
	return s.add(moment{what: calls, call: 1}).add(moment{what: effects, call: 1})
}

// twice is a call whose answer comes too late, and that is made again with the key of the old version.
func twice(old, new Operation) *schedule {
	s := &schedule{}
	wait, backoff, key := patience(old), time.Duration(0), ""
	if old.Retry != nil {
		backoff = old.Retry.Backoff.Least(1)
	}
	if old.Key != nil {
		s.keyName, key = old.Key.Name, "k1"
		wait, backoff = min(wait, old.Key.Retention/2), min(backoff, old.Key.Retention/4)
	}
	s.add(moment{what: calls, call: 1, key: key}).add(moment{at: wait / 2, what: effects, call: 1}).add(moment{at: wait, what: leaves, call: 1})
	return s.add(moment{at: wait + backoff, what: calls, call: 2, key: key}).add(moment{at: wait + backoff + wait/2, what: effects, call: 2})
}

// twiceWithout is twice of a caller that sends no key.
func twiceWithout(old, new Operation) *schedule {
	if action, _ := old.channel(); action != "" {
		late := time.Second
		for _, o := range []Operation{old, new} {
			if o.Delivery != nil {
				late = max(late, plus(o.Delivery.Dedup, time.Second))
			}
		}
		return sentTwice(late)
	}
	old.Key = nil
	return twice(old, new)
}

func keyless(old, new Operation) *schedule { return (&schedule{}).add(moment{what: calls, call: 1}) }

// after returns a time at which the new version has forgotten what the old still knows.
func after(old, new time.Duration) time.Duration { return min(old, new+time.Second) }

func lateRetry(old, new Operation) *schedule {
	s := &schedule{keyName: old.Key.Name}
	late := after(old.Key.Retention, new.Key.Retention)
	s.add(moment{what: calls, call: 1, key: "k1"}).add(moment{what: effects, call: 1}).add(moment{at: min(patience(old), late), what: leaves, call: 1})
	return s.add(moment{at: late, what: calls, call: 2, key: "k1"}).add(moment{at: late, what: effects, call: 2})
}

// attempts are n calls that fail with a code, each as early as the terms allow.
func attempts(o Operation, n int, code string) *schedule {
	s := &schedule{}
	key := ""
	if o.Key != nil {
		s.keyName, key = o.Key.Name, "k1"
	}
	at := time.Duration(0)
	for i := 1; i <= n; i++ {
		s.add(moment{at: at, what: calls, call: i, key: key})
		if i == n {
			break
		}
		if code == "timeout" {
			at = plus(at, patience(o))
			s.add(moment{at: at, what: leaves, call: i})
		} else {
			s.add(moment{at: at, what: answers, call: i, code: code})
		}
		at = plus(at, o.Retry.Backoff.Least(i))
	}
	return s
}

func again(old, new Operation) *schedule { return attempts(old, 2, old.Retry.On[0]) }

func retryOn(old, new Operation) *schedule { return attempts(old, 2, lacking(old, new)[0]) }

// common returns a code that both versions retry where there is one, for a schedule that is about something else.
func common(old, new Operation) string {
	for _, code := range old.Retry.On {
		if slices.Contains(new.Retry.On, code) {
			return code
		}
	}
	if len(old.Retry.On) > 0 {
		return old.Retry.On[0]
	}
	return ""
}

func moreAttempts(old, new Operation) *schedule {
	return attempts(old, new.Retry.Attempts+1, common(old, new))
}

// hasty are calls of the old version up to the first that comes too soon for the new.
func hasty(old, new Operation) *schedule { return attempts(old, sooner(old, new)+1, common(old, new)) }

// full is a second, minute, hour or more of as many calls as the old limit allows.
func full(old, new Operation) *schedule {
	limit := old.Limit
	if limit == 0 {
		limit = 2 * new.Limit
	}
	for _, window := range []time.Duration{time.Second, time.Minute, time.Hour, 1000 * time.Hour} {
		if n := int(limit*window.Seconds() + 1e-9); float64(n) > new.Limit*window.Seconds() {
			return (&schedule{}).add(moment{what: loads, count: n, wait: window})
		}
	}
	return nil
}

func longWait(old, new Operation) *schedule {
	code := "503"
	if new.Retry != nil && answerCode(new) != "" {
		code = answerCode(new)
	}
	return (&schedule{}).add(moment{what: calls, call: 1}).add(moment{what: answers, call: 1, code: code, wait: new.RetryAfter})
}

// tooEarly is a retry by the backoff of the one, where the other waits for what an answer asks.
func tooEarly(old, new Operation) *schedule { return asked(old, new.RetryAfter) }

func tooEarlyCall(old, new Operation) *schedule {
	return asked(new, max(time.Second, 2*new.Retry.Backoff.Least(1)))
}

// asked is a retry by the backoff alone after an answer that asks for a longer wait.
func asked(o Operation, wait time.Duration) *schedule {
	if !retried(o) || answerCode(o) == "" {
		return nil
	}
	s := attempts(o, 2, answerCode(o))
	s.moments[1].wait = wait
	return s
}

func impatient(old, new Operation) *schedule {
	s := attempts(new, 1, "")
	s.add(moment{at: new.Deadline, what: leaves, call: 1})
	return s.add(moment{at: old.Deadline, what: answers, call: 1, code: "OK"})
}

func keylessCall(old, new Operation) *schedule { return keyless(old, new) }

// unpromised is something that the terms exclude, and that no terms allow.
func unpromised(o Operation) *schedule {
	none := bare(o.Name)
	switch {
	case o.Deadline > 0:
		return lateAnswer(o, none)
	case isTrue(o.safe()):
		return oneEffect(o, none)
	case isTrue(o.idempotent()) || o.Key != nil:
		return twice(o, none)
	case o.Delivery != nil:
		return unsaid(o, none)
	}
	return nil
}

func sent(attrs string) *schedule {
	return (&schedule{}).add(moment{what: sends, call: 1, attrs: attrs})
}

// unsaid is what the guarantee excludes.
func unsaid(old, new Operation) *schedule {
	if old.Delivery.Guarantee == "at-most-once" {
		return sent("").add(moment{what: delivers, call: 1}).add(moment{at: time.Second, what: delivers, call: 1})
	}
	return sent("").add(moment{what: abandons, call: 1})
}

func guaranteeBroken(old, new Operation) *schedule {
	weaker := new.Delivery.Guarantee
	if action, _ := old.channel(); action == "receive" {
		weaker = old.Delivery.Guarantee
	}
	if weaker == "at-most-once" {
		return sent("").add(moment{what: abandons, call: 1})
	}
	return sent("").add(moment{what: delivers, call: 1}).add(moment{at: pause(old, new), what: delivers, call: 1})
}

// overtaken are two events with the same value of what one version orders by, and different ones of what the other does.
func overtaken(old, new Operation) *schedule {
	from, to := old.Delivery.OrderBy, new.Delivery.OrderBy
	if action, _ := old.channel(); action == "receive" {
		from, to = to, from
	}
	attrs := func(n int) string {
		if to == "" {
			return fmt.Sprintf("(%s=a)", from)
		}
		return fmt.Sprintf("(%s=a, %s=b%d)", from, to, n)
	}
	s := sent(attrs(1)).add(moment{what: sends, call: 2, attrs: attrs(2)})
	return s.add(moment{what: delivers, call: 2}).add(moment{what: delivers, call: 1})
}

func repeated(old, new Operation) *schedule {
	return sentTwice(after(old.Delivery.Dedup, new.Delivery.Dedup))
}

func sentTwice(late time.Duration) *schedule {
	s := sent("").add(moment{what: effects, call: 1})
	return s.add(moment{at: late, what: sends, call: 1}).add(moment{at: late, what: effects, call: 1})
}

// delivered is an event that is delivered n times, as often as both versions allow.
func delivered(n int, gap time.Duration) *schedule {
	s := sent("")
	for i := range n {
		s.add(moment{at: times(i, gap), what: delivers, call: 1})
	}
	return s
}

func abandoned(old, new Operation) *schedule {
	n := 1
	if new.Delivery.Redeliveries != nil {
		n += *new.Delivery.Redeliveries
	}
	s := delivered(n, pause(old, new))
	return s.add(moment{at: times(n, pause(old, new)), what: abandons, call: 1})
}

func anotherDelivery(old, new Operation) *schedule {
	if old.Delivery.Redeliveries == nil {
		return nil
	}
	return delivered(*old.Delivery.Redeliveries+2, pause(old, new))
}

func early(old, new Operation) *schedule { return delivered(2, new.Delivery.RedeliverAfter) }

// shown prints a value of a term as a file has it, or that there is none.
func shown(v any) string {
	switch v := v.(type) {
	case time.Duration:
		if v == 0 {
			return "(none)"
		}
		return short(v)
	case Backoff:
		return v.String()
	case int:
		return fmt.Sprint(v)
	}
	if text := fmt.Sprint(v); text != "" {
		return text
	}
	return "(none)"
}

// String returns the backoff as a file has it.
func (b Backoff) String() string {
	if b.Initial == 0 {
		return "(none)"
	}
	parts := []string{"initial " + short(b.Initial), fmt.Sprintf("factor %g", b.Factor)}
	if b.Max > 0 {
		parts = append(parts, "max "+short(b.Max))
	}
	if b.Jitter > 0 {
		parts = append(parts, fmt.Sprintf("jitter %g", b.Jitter))
	}
	return strings.Join(parts, " ")
}

func limited(perSecond float64) string {
	if perSecond == 0 {
		return ""
	}
	return rate(perSecond)
}

func tri(b *bool) string {
	if b == nil {
		return ""
	}
	return fmt.Sprint(*b)
}
