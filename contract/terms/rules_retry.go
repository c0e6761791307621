package terms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

func retryRules() []rule {
	both := func(old, new Operation) bool { return old.Retry != nil && new.Retry != nil }
	attempts := func(o Operation) any { return attemptsOf(o) }
	backoff := func(o Operation) any { return o.Retry.Backoff }
	return []rule{
		{"retry-removed", "retry", contract.Break, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool { return old.Retry != nil && new.Retry == nil && retried(old) },
			fixed("says nothing of retries any more: callers that retry do what nobody promises to take"), "keep saying what may be retried", caller, again},
		{"no-retry-removed", "retry", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.Retry != nil && new.Retry == nil && !retried(old) },
			fixed("does not say any more that nothing may be retried"), "", caller, nil},
		{"retry-added", "retry", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.Retry == nil && new.Retry != nil }, fixed("says what may be retried"), "", caller, nil},
		{"retryable-code-removed", "retry.on", contract.Break, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool { return both(old, new) && len(lacking(old, new)) > 0 },
			func(old, new Operation) string {
				return strings.Join(lacking(old, new), ", ") + " may not be retried any more: callers that do ask again for what has failed for good, or was done"
			},
			"keep the code retryable, or answer with another one", caller, retryOn},
		{"retryable-code-added", "retry.on", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return both(old, new) && len(lacking(new, old)) > 0 },
			func(old, new Operation) string { return strings.Join(lacking(new, old), ", ") + " may be retried" }, "", caller, nil},
		{"attempts-lowered", "retry.attempts", contract.Break, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool { return both(old, new) && fewer(new, old) },
			says("attempts", attempts, "callers make more than are allowed"), "let callers make fewer first", caller, moreAttempts},
		{"attempts-raised", "retry.attempts", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return both(old, new) && fewer(old, new) }, says("attempts", attempts, "callers may make more"), "", caller, nil},
		{"backoff-raised", "retry.backoff", contract.Break, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool { return both(old, new) && sooner(old, new) > 0 },
			says("backoff", backoff, "callers come back sooner than is allowed"), "let callers wait first", caller, hasty},
		{"backoff-lowered", "retry.backoff", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool {
				return both(old, new) && old.Retry.Backoff != new.Retry.Backoff && sooner(old, new) == 0
			}, says("backoff", backoff, "callers may come back as soon as before, or sooner"), "", caller, nil},
	}
}

// retried says whether callers may retry at all.
func retried(o Operation) bool { return o.Retry != nil && o.Retry.Attempts != 1 && len(o.Retry.On) > 0 }

// lacking returns the codes that old retries and new does not.
func lacking(old, new Operation) []string {
	return slices.DeleteFunc(slices.Clone(old.Retry.On), func(code string) bool { return slices.Contains(new.Retry.On, code) })
}

// fewer says whether a allows fewer attempts than b. 0 is no limit.
func fewer(a, b Operation) bool {
	return a.Retry.Attempts > 0 && (b.Retry.Attempts == 0 || a.Retry.Attempts < b.Retry.Attempts)
}

// sooner returns the first retry that old allows sooner than new does, or 0. Where attempts have no limit the first 64 are looked at:
// a backoff has reached its bound by then, or the longest duration there may be, or does not grow.
func sooner(old, new Operation) int {
	last := 64
	if old.Retry.Attempts > 0 {
		last = min(last, old.Retry.Attempts-1)
	}
	for n := 1; n <= last; n++ {
		if old.Retry.Backoff.Least(n) < new.Retry.Backoff.Least(n) {
			return n
		}
	}
	return 0
}

// callRules returns what changes of a call mean for the callee. The call is seen as terms of its own (Call.terms).
func callRules() []rule {
	hastier := func(old, new Operation) bool { return old.Retry.Attempts != 1 && sooner(new, old) > 0 }
	patience := func(o Operation) any { return o.Deadline }
	all := []rule{
		{"call-timeout-lowered", "timeout", contract.Break, contract.ToUs, "timeout version-skew",
			func(old, new Operation) bool {
				return new.Deadline > 0 && new.Deadline < old.Deadline
			},
			says("timeout", patience, "an answer that came in time is not waited for"), "keep the timeout until the callee promises to be as fast", calling, impatient},
		{"call-timeout-added", "timeout", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.Deadline == 0 && new.Deadline > 0 },
			says("timeout", patience, "it waited without end"), "", calling, nil},
		{"call-timeout-raised", "timeout", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool {
				return old.Deadline > 0 && (new.Deadline == 0 || new.Deadline > old.Deadline)
			},
			says("timeout", patience, "it waits for longer"), "check the system's terms: this takes time of the operation's", calling, nil},
		{"call-key-dropped", "key", contract.Break, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool { return old.Key != nil && new.Key == nil },
			fixed("sends no key any more: a callee that recognised a repeated call does it twice"), "keep sending the key", calling, keylessCall},
		{"call-key-changed", "key", contract.Risk, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool {
				return old.Key != nil && new.Key != nil && old.Key.Name != new.Key.Name
			},
			says("key", func(o Operation) any { return o.Key.Name }, "what it is the same for is another"), "check the system's terms", calling, nil},
		{"call-key-added", "key", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.Key == nil && new.Key != nil }, fixed("sends a key"), "", calling, nil},
		{"call-attempts-raised", "retry.attempts", contract.Risk, contract.ToUs, "retry",
			func(old, new Operation) bool { return fewer(old, new) },
			says("attempts", func(o Operation) any { return attemptsOf(o) }, "the callee is called more often when it fails"), "check the system's terms: attempts multiply along a path", calling, func(old, new Operation) *schedule { return moreAttempts(new, old) }},
		{"call-attempts-lowered", "retry.attempts", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return fewer(new, old) }, says("attempts", func(o Operation) any { return attemptsOf(o) }, "it gives up sooner"), "", calling, nil},
		{"call-code-added", "retry.on", contract.Risk, contract.ToUs, "retry",
			func(old, new Operation) bool { return len(lacking(new, old)) > 0 },
			func(old, new Operation) string {
				return strings.Join(lacking(new, old), ", ") + " is retried, and was not"
			}, "check the system's terms: the callee must allow it", calling,
			func(old, new Operation) *schedule { return retryOn(new, old) }},
		{"call-code-removed", "retry.on", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return len(lacking(old, new)) > 0 },
			func(old, new Operation) string {
				return strings.Join(lacking(old, new), ", ") + " is not retried any more"
			}, "", calling, nil},
		{"call-backoff-lowered", "retry.backoff", contract.Risk, contract.ToUs, "retry",
			hastier,
			says("backoff", func(o Operation) any { return o.Retry.Backoff }, "a callee that has trouble is asked again sooner"), "check the system's terms: the callee must allow it", calling,
			func(old, new Operation) *schedule { return hasty(new, old) }},
		{"call-retry-after-dropped", "retry.retry-after", contract.Break, contract.ToUs, "retry",
			func(old, new Operation) bool { return old.RetryAfter > 0 && new.RetryAfter == 0 },
			fixed("does not honour Retry-After any more: it comes back before the callee has room"), "honour it", calling, tooEarlyCall},
		{"call-retry-after-honoured", "retry.retry-after", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.RetryAfter == 0 && new.RetryAfter > 0 }, fixed("honours Retry-After"), "", calling, nil},
		{"call-needed", "degrades", contract.Risk, contract.ToUs, "timeout",
			func(old, new Operation) bool { return isTrue(old.Safe) && !isTrue(new.Safe) },
			fixed("the operation needs the answer, and went on without it"), "keep the degraded mode", calling, nil},
		{"call-degrades", "degrades", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return !isTrue(old.Safe) && isTrue(new.Safe) }, fixed("the operation goes on without the answer"), "", calling, nil},
	}
	return append(all, rule{"call-backoff-changed", "retry.backoff", contract.Change, contract.ToUs, "",
		func(old, new Operation) bool {
			return old.Retry.Backoff != new.Retry.Backoff && !hastier(old, new)
		}, says("backoff", func(o Operation) any { return o.Retry.Backoff }, "it waits otherwise, and not for less"), "", calling, nil})
}

func attemptsOf(o Operation) string {
	if o.Retry.Attempts == 0 {
		return "without limit"
	}
	return fmt.Sprint(o.Retry.Attempts)
}
