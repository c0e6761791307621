package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
)

// A rule says what a change of one field means.
type rule struct {
	id       string
	path     string // the field
	severity contract.Severity
	flow     contract.Flow
	modes    string
	when     func(old, new Operation) bool
	text     func(old, new Operation) string
	try      string
	who      side
	schedule func(old, new Operation) *schedule // nil: no witness
}

func (r rule) applies(old, new Operation) bool { return r.when(old, new) }

func (r rule) finding(subject string, old, new Operation) contract.Finding {
	f := contract.Finding{Rule: r.id, Severity: r.severity, Flow: r.flow, Subject: subject, Path: r.path, Text: r.text(old, new), Try: r.try,
		Old: old.at(r.path), New: new.at(r.path), Modes: strings.Fields(r.modes)}
	if r.schedule != nil {
		f.Witness = witness(old, new, r.schedule(old, new), r.who)
	}
	return f
}

// rules returns what changes of an operation's terms mean.
func rules() []rule {
	return slices.Concat(timeRules(), repeatRules(), keyRules(), retryRules(), limitRules(), deliveryRules())
}

// from and says print a field of both versions.
func says[T any](what string, get func(Operation) T, why string) func(old, new Operation) string {
	return func(old, new Operation) string {
		return fmt.Sprintf("%s %v became %v: %s", what, shown(get(old)), shown(get(new)), why)
	}
}

func fixed(text string) func(old, new Operation) string {
	return func(old, new Operation) string { return text }
}

func timeRules() []rule {
	deadline := func(o Operation) any { return o.Deadline }
	return []rule{
		{"deadline-raised", "deadline", contract.Break, contract.FromUs, "timeout version-skew",
			func(old, new Operation) bool { return old.Deadline > 0 && new.Deadline > old.Deadline },
			says("deadline", deadline, "callers that wait for the old one give up before the answer"), "keep the deadline; raise those of callers first", server, lateAnswer},
		{"deadline-removed", "deadline", contract.Break, contract.FromUs, "timeout version-skew",
			func(old, new Operation) bool { return old.Deadline > 0 && new.Deadline == 0 },
			says("deadline", deadline, "callers cannot tell for how long to wait"), "keep the deadline", server, lateAnswer},
		{"deadline-lowered", "deadline", contract.Break, contract.FromUs, "timeout version-skew",
			func(old, new Operation) bool { return new.Deadline > 0 && new.Deadline < old.Deadline },
			says("deadline", deadline, "work that fitted is given up"), "keep the deadline if the work merely became faster: it is the time that work has, not that which it takes", server, earlyCut},
		{"deadline-added", "deadline", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return old.Deadline == 0 && new.Deadline > 0 },
			says("deadline", deadline, "callers know for how long to wait"), "", server, nil},
		{"work-changed", "work", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return old.Work != new.Work },
			says("work", func(o Operation) any { return o.Work }, "the deadline must have room for it"), "", server, nil},
	}
}

func repeatRules() []rule {
	return []rule{
		{"safe-dropped", "safe", contract.Break, contract.FromUs, "retry version-skew",
			func(old, new Operation) bool { return isTrue(old.safe()) && !isTrue(new.safe()) },
			fixed("is not safe any more: callers that probe, prefetch or hedge change something"), "give what has an effect a name of its own", server, oneEffect},
		{"safe-promised", "safe", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return !isTrue(old.safe()) && isTrue(new.safe()) }, fixed("is safe, and was not"), "", server, nil},
		{"idempotent-dropped", "idempotent", contract.Break, contract.FromUs, "retry redelivery version-skew",
			func(old, new Operation) bool {
				return isTrue(old.idempotent()) && !isTrue(new.idempotent()) && !keyed(old, new)
			},
			fixed("is not idempotent any more: a caller that repeats it does it twice"), "honour an idempotency key, and require it only when all callers send one", server, twiceWithout},
		{"idempotent-by-key", "idempotent", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return isTrue(old.idempotent()) && !isTrue(new.idempotent()) && keyed(old, new)
			},
			fixed("is not idempotent of itself any more; all callers send a key already"), "", server, nil},
		{"idempotent-promised", "idempotent", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return !isTrue(old.idempotent()) && isTrue(new.idempotent()) }, fixed("is idempotent, and was not"), "", server, nil},
		{"undeclared", "safe", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return tri(old.safe()) != tri(new.safe()) && !isTrue(old.safe()) && !isTrue(new.safe())
			}, fixed("says otherwise whether it is safe; neither version promises it"), "", server, nil},
		{"undeclared", "idempotent", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return tri(old.idempotent()) != tri(new.idempotent()) && !isTrue(old.idempotent()) && !isTrue(new.idempotent())
			}, fixed("says otherwise whether it is idempotent; neither version promises it"), "", server, nil},
	}
}

// keyed says whether all callers send a key that is honoured in both versions, for as long.
func keyed(old, new Operation) bool {
	return old.Key != nil && old.Key.Required && new.Key != nil && new.Key.Name == old.Key.Name && new.Key.Retention >= old.Key.Retention
}

func keyRules() []rule {
	both := func(old, new Operation) bool { return old.Key != nil && new.Key != nil }
	less := func(old, new Operation) bool { return both(old, new) && new.Key.Retention < old.Key.Retention }
	lowered := func(old, new Operation) bool { return less(old, new) && !isTrue(new.idempotent()) }
	renamed := func(old, new Operation) bool { return both(old, new) && old.Key.Name != new.Key.Name }
	required := func(o Operation) bool { return o.Key != nil && o.Key.Required }
	retention := says("retention of the key", func(o Operation) any { return o.Key.Retention }, "a call that comes again later is done again")
	return []rule{
		{"key-dropped", "key", contract.Break, contract.FromUs, "retry version-skew",
			func(old, new Operation) bool { return old.Key != nil && new.Key == nil && !isTrue(new.idempotent()) },
			fixed("honours no key any more: a caller that repeats a call does it twice"), "keep honouring the key", server, twice},
		{"key-unneeded", "key", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return (old.Key != nil && new.Key == nil || renamed(old, new)) && isTrue(new.idempotent())
			}, fixed("does not honour the key any more, and need not: it is idempotent"), "", server, nil},
		{"key-renamed", "key", contract.Break, contract.Both, "retry version-skew",
			func(old, new Operation) bool { return renamed(old, new) && !isTrue(new.idempotent()) },
			says("key", func(o Operation) any { return o.Key.Name }, "callers send the old one, which is not looked at"), "honour both for as long as callers send the old one", server, twice},
		{"key-required", "key.required", contract.Break, contract.ToUs, "version-skew",
			func(old, new Operation) bool { return !required(old) && required(new) },
			fixed("refuses calls without a key"), "require the key when all callers send one", caller, keyless},
		{"key-optional", "key.required", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return required(old) && new.Key != nil && !required(new) }, fixed("takes calls without a key"), "", caller, nil},
		{"key-retention-lowered", "key.retention", contract.Break, contract.FromUs, "retry version-skew",
			func(old, new Operation) bool { return lowered(old, new) && !covers(old, new.Key.Retention) },
			retention, "keep keys for longer than callers retry", server, lateRetry},
		{"key-retention-lowered", "key.retention", contract.Risk, contract.FromUs, "retry version-skew",
			func(old, new Operation) bool { return lowered(old, new) && covers(old, new.Key.Retention) },
			retention, "keep keys for as long as before: callers that keep to the attempts are done by then, others need not be", server, lateRetry},
		{"key-unneeded", "key.retention", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return less(old, new) && isTrue(new.idempotent()) },
			says("retention of the key", func(o Operation) any { return o.Key.Retention }, "it is idempotent without"), "", server, nil},
		{"key-retention-raised", "key.retention", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return both(old, new) && new.Key.Retention > old.Key.Retention },
			says("retention of the key", func(o Operation) any { return o.Key.Retention }, "calls are recognised for longer"), "", server, nil},
		{"key-honoured", "key", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return old.Key == nil && new.Key != nil }, fixed("honours a key"), "", server, nil},
	}
}

// covers says whether callers that keep to the policy are done with their retries within the retention.
func covers(o Operation, retention time.Duration) bool {
	if o.Retry == nil || o.Retry.Attempts == 0 || o.Deadline == 0 {
		return false
	}
	return retryTime(*o.Retry, o.Deadline, o.RetryAfter) <= retention
}

func limitRules() []rule {
	limit := func(o Operation) any { return limited(o.Limit) }
	return []rule{
		{"limit-lowered", "limit", contract.Break, contract.ToUs, "version-skew",
			func(old, new Operation) bool { return old.Limit > 0 && new.Limit > 0 && new.Limit < old.Limit },
			says("limit", limit, "callers that keep to the old one are refused"), "keep the limit, or ask callers first", caller, full},
		{"limit-added", "limit", contract.Risk, contract.ToUs, "version-skew",
			func(old, new Operation) bool { return old.Limit == 0 && new.Limit > 0 },
			says("limit", limit, "callers may call more often than that"), "see how often callers call", caller, full},
		{"limit-raised", "limit", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.Limit > 0 && new.Limit > old.Limit }, says("limit", limit, "callers may call more often"), "", caller, nil},
		{"limit-removed", "limit", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return old.Limit > 0 && new.Limit == 0 }, says("limit", limit, "none is declared"), "", caller, nil},
		{"retry-after-raised", "retry-after", contract.Break, contract.FromUs, "retry version-skew",
			func(old, new Operation) bool { return old.RetryAfter > 0 && new.RetryAfter > old.RetryAfter },
			says("Retry-After", func(o Operation) any { return o.RetryAfter }, "callers wait for longer than they have planned"), "keep it", server, longWait},
		{"retry-after-added", "retry-after", contract.Break, contract.ToUs, "retry version-skew",
			func(old, new Operation) bool { return asksAnew(old, new) && unready(old, new) },
			says("Retry-After", func(o Operation) any { return o.RetryAfter }, "callers that retry after their own backoff come too early"), "let callers honour it first", caller, tooEarly},
		{"retry-after-declared", "retry-after", contract.Change, contract.ToUs, "",
			func(old, new Operation) bool { return asksAnew(old, new) && !unready(old, new) },
			says("Retry-After", func(o Operation) any { return o.RetryAfter }, "callers that keep to the terms wait for as long already, or do not retry"), "", caller, nil},
		{"retry-after-lowered", "retry-after", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return new.RetryAfter < old.RetryAfter },
			says("Retry-After", func(o Operation) any { return o.RetryAfter }, "callers are asked to wait for less"), "", server, nil},
	}
}

func asksAnew(old, new Operation) bool { return old.RetryAfter == 0 && new.RetryAfter > 0 }

// unready says whether callers may retry an answer before the Retry-After of the new version is over.
func unready(old, new Operation) bool {
	return retried(old) && answerCode(old) != "" && old.Retry.Backoff.Least(1) < new.RetryAfter
}
