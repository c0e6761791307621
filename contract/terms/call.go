package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// call holds one call against the terms of its callee.
func (c *checker) call(n *node, e *edge) {
	path := "calls." + e.call.Target()
	c.bounds(n, e, path)
	if e.to == nil {
		c.gap(n, path, e.call.At, "nothing is declared of %s (add its terms, or put right its name)", e.call.Target())
		return
	}
	c.patience(n, e, path)
	if e.to.Key != nil && e.to.Key.Required && e.call.Key == "" {
		c.breaks("key-missing", n, path, "version-skew", fmt.Sprintf("sends no key to %s, which refuses calls without %s", e.to.name, e.to.Key.Name), "send one: key: fresh, or key: forward", e.call.At, keyless(e.to.Operation, e.to.Operation))
	}
	if e.call.Attempts() != 1 {
		c.repeats(n, e, path)
		c.policy(n, e, path)
	}
}

// bounds refuses a call that may take or be repeated without end.
func (c *checker) bounds(n *node, e *edge, path string) {
	if e.call.Timeout > 0 && e.call.Attempts() > 0 {
		return
	}
	where := n.name + " → " + e.call.Target()
	if p, ok := n.path(); ok {
		where = strings.Join(append(p.Operations, e.call.Target()), " → ")
	}
	if e.call.Timeout == 0 {
		s := (&schedule{}).add(moment{what: calls, call: 1}).add(moment{at: longest, what: answers, call: 1, code: "OK"})
		c.breaks("no-timeout", n, path, "timeout", "waits for "+e.call.Target()+" without end: "+where, "give the call a timeout", e.call.At, s)
	}
	if e.call.Attempts() == 0 {
		c.breaks("no-attempts", n, path, "retry", "calls "+e.call.Target()+" again without limit: "+where, "give its retry attempts", e.call.At, nil)
	}
}

// patience holds the timeout of a call against how long the callee may take.
func (c *checker) patience(n *node, e *edge, path string) {
	takes, how := e.to.Deadline, "promises to answer within"
	if takes == 0 && e.to.channelAction() == "" {
		c.gap(n, path+".timeout", e.call.At, "%s declares no deadline, so nothing says that %s are enough", e.to.name, short(e.call.Timeout))
		takes, _, _ = e.to.worst()
		how = "has no deadline, and takes up to"
	}
	if e.call.Degrades || e.call.Timeout == 0 || e.call.Timeout >= takes {
		return
	}
	s := (&schedule{}).add(moment{what: calls, call: 1}).add(moment{at: e.call.Timeout, what: leaves, call: 1}).add(moment{at: takes, what: answers, call: 1, code: good(e.to.Operation)})
	c.breaks("timeout-too-short", n, path+".timeout", "timeout", fmt.Sprintf("waits %s for %s, which %s %s", short(e.call.Timeout), e.to.name, how, short(takes)),
		"wait for longer, promise less, or say that the operation goes on without the answer (degrades: true)", e.call.At, s)
}

// terms returns the call as terms of its own, with the key as the callee calls it.
func (e *edge) terms() Operation {
	o := e.call.terms()
	if o.Key != nil && e.to.Key != nil {
		o.Key = &Key{Name: e.to.Key.Name, Required: true}
	}
	return o
}

// repeats holds a call that is made again against what the callee does with it.
func (c *checker) repeats(n *node, e *edge, path string) {
	sent, honoured := e.call.Key != "", e.to.Key != nil
	switch {
	case isTrue(e.to.idempotent()):
	case sent && honoured:
		c.retention(n, e, path)
	case e.to.idempotent() == nil && !honoured:
		c.gap(n, path+".retry", e.call.At, "calls %s again, which does not say whether it is idempotent, and honours no key", e.to.name)
	default:
		why := map[bool]string{true: "honours " + keyOf(e.to) + ", which is not sent", false: "honours no key"}[honoured]
		c.breaks("retry-unsafe", n, path+".retry", "retry redelivery", fmt.Sprintf("makes up to %s of %s, which is not idempotent, and %s", attemptsWord(e.call.Attempts()), e.to.name, why),
			"make it idempotent, or let it honour a key, and send one", e.call.At, e.doubled(0))
	}
}

func keyOf(n *node) string {
	if n.Key == nil {
		return ""
	}
	return n.Key.Name
}

func attemptsWord(n int) string {
	if n == 0 {
		return "any number of attempts"
	}
	return fmt.Sprintf("%d attempts", n)
}

// doubled is a call that takes effect though its answer comes too late, and takes effect again. Late is when it is made again, 0: by its backoff.
func (e *edge) doubled(late time.Duration) *schedule {
	s, key := &schedule{}, ""
	if e.call.Key != "" && e.to.Key != nil {
		s.keyName, key = e.to.Key.Name, "k1"
	}
	gone := e.call.Timeout
	if gone == 0 {
		gone = time.Second
	}
	number := 2
	if late == 0 {
		late = plus(gone, e.call.Retry.Backoff.Most(1))
	} else {
		number = max(2, e.call.Attempts())
	}
	s.add(moment{what: calls, call: 1, key: key}).add(moment{what: effects, call: 1}).add(moment{at: min(gone, late), what: leaves, call: 1})
	return s.add(moment{at: late, what: calls, call: number, key: key}).add(moment{at: late, what: effects, call: number})
}

// retention holds the time for which a key is recognised against the time within which calls carry it.
func (c *checker) retention(n *node, e *edge, path string) {
	if e.call.Attempts() == 0 || e.call.Timeout == 0 {
		return // said already
	}
	spread, ok := e.spread()
	switch {
	case e.call.Key == "forward" && n.Key == nil && n.channelAction() == "":
		c.gap(n, path+".key", e.call.At, "forwards its callers' key to %s, and declares none itself", e.to.name)
	case spread > e.to.Key.Retention:
		c.breaks("key-retention-short", n, path+".key", "retry", fmt.Sprintf("calls %s with the same key for up to %s, and the key is recognised for %s", e.to.name, short(spread), short(e.to.Key.Retention)),
			"keep keys for longer, or retry for less long", e.call.At, e.doubled(spread))
	case !ok:
		c.gap(n, path+".key", e.call.At, "forwards a key to %s, and nothing says for how long its own callers come again with the same one (deadline and retry.attempts of the operation that they begin with)", e.to.name)
	}
}

// policy holds when and how often a call is made again against what the callee allows.
func (c *checker) policy(n *node, e *edge, path string) {
	r, allowed := e.call.Retry, e.to.Retry
	if len(r.On) == 0 {
		c.gap(n, path+".retry.on", e.call.At, "does not say what it calls %s again on", e.to.name)
	}
	if answered := answeredCodes(r.On); len(answered) > 0 {
		c.answers(n, e, path, answered)
	}
	if allowed == nil {
		return
	}
	if allowed.Attempts > 0 && r.Attempts > allowed.Attempts {
		c.breaks("attempts-exceeded", n, path+".retry.attempts", "retry", fmt.Sprintf("makes %d attempts of %s, which allows %d", r.Attempts, e.to.name, allowed.Attempts), "make fewer", e.call.At,
			attempts(e.terms(), allowed.Attempts+1, common(e.terms(), e.to.Operation)))
	}
	if k := sooner(e.terms(), e.to.Operation); k > 0 {
		c.breaks("backoff-too-short", n, path+".retry.backoff", "retry", fmt.Sprintf("makes attempt %d of %s after %s, which asks for %s", k+1, e.to.name, short(r.Backoff.Least(k)), short(allowed.Backoff.Least(k))), "wait for longer", e.call.At,
			hasty(e.terms(), e.to.Operation))
	}
}

func answeredCodes(codes []string) []string {
	return slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return code == "timeout" || code == "connection" })
}

// answers holds the codes that a call is made again on against those that the callee says, and what it asks with them.
func (c *checker) answers(n *node, e *edge, path string, codes []string) {
	var not []string
	if e.to.Retry == nil || len(e.to.Retry.On) == 0 {
		c.gap(n, path+".retry.on", e.call.At, "is made again on %s, and %s does not say what may be retried", strings.Join(codes, ", "), e.to.name)
	} else {
		not = slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return slices.Contains(e.to.Retry.On, code) })
	}
	if len(not) > 0 {
		c.breaks("code-not-retryable", n, path+".retry.on", "retry", fmt.Sprintf("calls %s again on %s, which it does not say may be retried", e.to.name, strings.Join(not, ", ")), "do not retry them, or say that they may be", e.call.At,
			attempts(e.terms(), 2, not[0]))
	}
	switch honours := e.call.Retry.RetryAfter; {
	case e.to.RetryAfter == 0 || isTrue(honours):
	case honours == nil:
		c.gap(n, path+".retry.retry-after", e.call.At, "does not say whether it honours the Retry-After of %s, up to %s", e.to.name, short(e.to.RetryAfter))
	default:
		s := attempts(e.terms(), 2, codes[0])
		s.moments[1].wait = e.to.RetryAfter
		c.breaks("retry-after-ignored", n, path+".retry.retry-after", "retry overload", fmt.Sprintf("calls %s again after %s, whatever Retry-After says, up to %s", e.to.name, short(e.call.Retry.Backoff.Most(1)), short(e.to.RetryAfter)),
			"honour it", e.call.At, s)
	}
}
