package terms

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
)

// Terms are what one service declares.
type Terms struct {
	Service    string
	Operations []Operation // in the order of the file
	At         contract.Place
}

// An Operation is what callers may rely on, and the calls that it makes itself. Zero is: not declared.
type Operation struct {
	Name       string        // "POST /orders", "shop.v1.Orders/Place", "send orders.paid", "receive orders.paid"
	Deadline   time.Duration // work that fits is answered, nothing is answered later
	Work       time.Duration // at most, beside its calls
	Safe       *bool         // has no effect
	Idempotent *bool         // has its effect once, however often it is called
	Key        *Key
	Retry      *Retry        // what callers may do
	RetryAfter time.Duration // the longest that an answer asks callers to wait for, who must
	Limit      float64       // calls per second that it takes
	Delivery   *Delivery
	Stages     [][]Call // one after the other; the calls of a stage all at once
	At         contract.Place

	places map[string]contract.Place // of its keys, as in "retry.attempts"
}

// A Key makes calls that carry the same one count once.
type Key struct {
	Name      string        // "header Idempotency-Key", "field request_id"
	Required  bool          // calls without one are refused
	Retention time.Duration // for how long it is recognised
}

// A Retry is how often, when and on what a call is made again.
type Retry struct {
	On         []string // HTTP statuses, gRPC codes, "timeout", "connection"
	Attempts   int      // with the first; 0: no limit is declared
	Backoff    Backoff
	RetryAfter *bool // of a call: whether what callees ask for is waited
}

// A Backoff is the wait before each retry: Initial, times Factor each time, up to Max. A share of it, Jitter, is left to chance.
type Backoff struct {
	Initial, Max   time.Duration // Max 0: no bound but the longest duration there may be
	Factor, Jitter float64
}

// Most returns the longest wait before the retry n, which counts from 1.
func (b Backoff) Most(n int) time.Duration {
	bound := float64(longest)
	if b.Max > 0 {
		bound = float64(b.Max)
	}
	return time.Duration(min(bound, float64(b.Initial)*math.Pow(max(b.Factor, 1), float64(n-1))))
}

// Least returns the shortest wait before the retry n.
func (b Backoff) Least(n int) time.Duration {
	return time.Duration(float64(b.Most(n)) * (1 - b.Jitter))
}

// A Delivery is what becomes of events: what a sender promises, or a receiver needs.
type Delivery struct {
	Guarantee      string        // "at-most-once", "at-least-once", "exactly-once"
	OrderBy        string        // events with the same value of it arrive in order
	Dedup          time.Duration // for how long an event that comes again is recognised
	Redeliveries   *int          // at most, after the first delivery; nil: not declared
	RedeliverAfter time.Duration // without an acknowledgement
}

// span returns the time from the first delivery to the last, and whether it is declared.
func (d Delivery) span() (time.Duration, bool) {
	if d.Redeliveries == nil || *d.Redeliveries > 0 && d.RedeliverAfter == 0 {
		return 0, false
	}
	return times(*d.Redeliveries, d.RedeliverAfter), true
}

// A Call is a call that an operation makes, and how.
type Call struct {
	Service, Operation string
	Timeout            time.Duration // of each attempt; 0: none
	Key                string        // "": none is sent; "fresh": the same in all attempts; "forward": that of the operation's own caller
	Retry              *Retry        // nil: one attempt
	Degrades           bool          // the operation goes on without an answer
	At                 contract.Place

	places map[string]contract.Place
}

// Target returns the callee as the file names it.
func (c Call) Target() string { return c.Service + " " + c.Operation }

// Attempts returns how often the call is made at most; 0 is without limit.
func (c Call) Attempts() int {
	if c.Retry == nil {
		return 1
	}
	return c.Retry.Attempts
}

// at returns where a key stands, or else the operation.
func (o Operation) at(key string) contract.Place {
	for key != "" {
		if p, ok := o.places[key]; ok {
			return p
		}
		key = key[:max(0, strings.LastIndexByte(key, '.'))]
	}
	return o.At
}

// safe and idempotent return what is declared, or else what HTTP says of the method; nil where neither says it.
func (o Operation) safe() *bool {
	return declaredOr(o.Safe, o.method(), "GET", "HEAD", "OPTIONS", "TRACE", "QUERY")
}

func (o Operation) idempotent() *bool {
	if s := o.safe(); s != nil && *s && o.Idempotent == nil {
		return s
	}
	return declaredOr(o.Idempotent, o.method(), "PUT", "DELETE")
}

func declaredOr(declared *bool, method string, yes ...string) *bool {
	if declared != nil || method == "" {
		return declared
	}
	is := slices.Contains(yes, method)
	return &is
}

// method returns the HTTP method of the operation, or "".
func (o Operation) method() string {
	method, _, _ := strings.Cut(o.Name, " ")
	if slices.Contains(methods(), method) {
		return method
	}
	return ""
}

func methods() []string {
	return []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"}
}

// channel returns the channel of an operation that sends or receives events.
func (o Operation) channel() (action, channel string) {
	action, channel, _ = strings.Cut(o.Name, " ")
	if action != "send" && action != "receive" {
		return "", ""
	}
	return action, channel
}

func isTrue(b *bool) bool { return b != nil && *b }

// longest is the longest duration that terms may declare. Sums of them stop at the largest that Go has.
const longest = 10 * 366 * 24 * time.Hour

func plus(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func times(n int, d time.Duration) time.Duration {
	if n > 0 && d > math.MaxInt64/time.Duration(n) {
		return math.MaxInt64
	}
	return time.Duration(n) * d
}
