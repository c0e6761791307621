package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A term is one field that versions are compared by, as text. What differs in one of them must be found by a rule.
type term struct {
	path  string
	value func(Operation) string
}

func compared() []term {
	return []term{
		{"deadline", func(o Operation) string { return short(o.Deadline) }},
		{"work", func(o Operation) string { return short(o.Work) }},
		{"safe", func(o Operation) string { return tri(o.safe()) }},
		{"idempotent", func(o Operation) string { return tri(o.idempotent()) }},
		{"retry-after", func(o Operation) string { return short(o.RetryAfter) }},
		{"limit", func(o Operation) string { return limited(o.Limit) }},
		{"key", of(func(o Operation) *Key { return o.Key }, func(k Key) string { return k.Name })},
		{"key.required", of(func(o Operation) *Key { return o.Key }, func(k Key) string { return fmt.Sprint(k.Required) })},
		{"key.retention", of(func(o Operation) *Key { return o.Key }, func(k Key) string { return short(k.Retention) })},
		{"retry", of(func(o Operation) *Retry { return o.Retry }, func(Retry) string { return "declared" })},
		{"retry.on", of(func(o Operation) *Retry { return o.Retry }, func(r Retry) string { return strings.Join(slices.Sorted(slices.Values(r.On)), " ") })},
		{"retry.attempts", of(func(o Operation) *Retry { return o.Retry }, func(r Retry) string { return fmt.Sprint(r.Attempts) })},
		{"retry.backoff", of(func(o Operation) *Retry { return o.Retry }, func(r Retry) string { return r.Backoff.String() })},
		{"delivery", of(func(o Operation) *Delivery { return o.Delivery }, func(Delivery) string { return "declared" })},
		{"delivery.guarantee", of(func(o Operation) *Delivery { return o.Delivery }, func(d Delivery) string { return d.Guarantee })},
		{"delivery.order-by", of(func(o Operation) *Delivery { return o.Delivery }, func(d Delivery) string { return d.OrderBy })},
		{"delivery.dedup", of(func(o Operation) *Delivery { return o.Delivery }, func(d Delivery) string { return short(d.Dedup) })},
		{"delivery.redeliveries", of(func(o Operation) *Delivery { return o.Delivery }, func(d Delivery) string { return redeliveriesOf(Operation{Delivery: &d}) })},
		{"delivery.redeliver-after", of(func(o Operation) *Delivery { return o.Delivery }, func(d Delivery) string { return short(d.RedeliverAfter) })},
	}
}

func of[T any](part func(Operation) *T, text func(T) string) func(Operation) string {
	return func(o Operation) string {
		if p := part(o); p != nil {
			return text(*p)
		}
		return ""
	}
}

// retryTime returns the longest that a call takes with all its attempts, each up to timeout: a limit on attempts must be declared.
func retryTime(r Retry, timeout, asked time.Duration) time.Duration {
	total := times(r.Attempts, timeout)
	for n := 1; n < r.Attempts; n++ {
		total = plus(total, max(r.Backoff.Most(n), asked))
	}
	return total
}
