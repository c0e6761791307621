package terms

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// Bounds of what one operation may declare. A graph beyond them is no description of a system.
const (
	maxAttempts   = 1000
	maxOperations = 10_000 // of one version
	maxCalls      = 1000   // of one operation
)

// operation reads the terms of one operation.
func (f *file) operation(name string, key, n *yaml.Node) Operation {
	o := Operation{Name: name, At: f.place(key), places: map[string]contract.Place{}}
	if err := named(name); err != "" {
		f.wrong(key, "an operation is called %q (%s)", brief(name), err)
	}
	f.object(n, name, "", o.places, fields{
		"deadline":    f.duration(&o.Deadline),
		"work":        f.duration(&o.Work),
		"safe":        f.boolean(func(b bool) { o.Safe = &b }),
		"idempotent":  f.boolean(func(b bool) { o.Idempotent = &b }),
		"key":         func(_ string, n *yaml.Node) { o.Key = f.key(n, o.places) },
		"retry":       func(_ string, n *yaml.Node) { o.Retry = f.retry(n, o.places, false) },
		"retry-after": f.duration(&o.RetryAfter),
		"limit":       f.rate(&o.Limit),
		"delivery":    func(_ string, n *yaml.Node) { o.Delivery = f.delivery(n, o.places) },
		"calls":       func(_ string, n *yaml.Node) { f.calls(n, &o) },
	})
	f.contradictions(n, o)
	return o
}

// named says what is wrong with an operation's name, or "".
func named(name string) string {
	action, rest, ok := strings.Cut(name, " ")
	switch {
	case strings.ContainsAny(name, "\n\r\t\x00"):
		return "a name is one line"
	case !ok && strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return "" // of gRPC
	case (Operation{Name: name}).method() != "" && strings.HasPrefix(rest, "/"):
		return ""
	case (action == "send" || action == "receive") && strings.TrimSpace(rest) != "":
		return ""
	}
	return "such as POST /orders, shop.v1.Orders/Place, send orders.paid or receive orders.paid"
}

func (f *file) contradictions(n *yaml.Node, o Operation) {
	if isTrue(o.Safe) && o.Idempotent != nil && !*o.Idempotent {
		f.wrong(n, "%s is safe and not idempotent: what has no effect has it once", o.Name)
	}
	if action, _ := o.channel(); action == "" && o.Delivery != nil {
		f.wrong(n, "%s has a delivery, and neither sends nor receives events", o.Name)
	}
}

func (f *file) key(n *yaml.Node, places map[string]contract.Place) *Key {
	var k Key
	var header, field string
	f.object(n, "key", "key.", places, fields{
		"header": f.text(&header), "field": f.text(&field), "retention": f.duration(&k.Retention),
		"required": f.boolean(func(b bool) { k.Required = b }),
	})
	f.need(n, "key", "retention")
	switch {
	case (header == "") == (field == "") && n.Kind == yaml.MappingNode:
		f.wrong(n, "a key has either a header or a field")
	case header != "":
		k.Name = "header " + header
	default:
		k.Name = "field " + field
	}
	return &k
}

// retry reads a policy: what callers of an operation may do, or what a call does.
func (f *file) retry(n *yaml.Node, places map[string]contract.Place, ofCall bool) *Retry {
	r := Retry{Backoff: Backoff{Factor: 2}}
	keys := fields{
		"on":       f.codes(&r.On),
		"attempts": f.whole(func(i int) { r.Attempts = i }, 1, maxAttempts),
		"backoff":  func(_ string, n *yaml.Node) { f.backoff(n, &r.Backoff, places) },
	}
	if ofCall {
		keys["retry-after"] = f.boolean(func(b bool) { r.RetryAfter = &b })
	}
	f.object(n, "retry", "retry.", places, keys)
	return &r
}

func (f *file) backoff(n *yaml.Node, b *Backoff, places map[string]contract.Place) {
	f.object(n, "backoff", "retry.backoff.", places, fields{
		"initial": f.duration(&b.Initial), "max": f.duration(&b.Max),
		"factor": f.number(&b.Factor, 1, 100), "jitter": f.number(&b.Jitter, 0, 1),
	})
	f.need(n, "backoff", "initial")
	if b.Max > 0 && b.Max < b.Initial {
		f.wrong(n, "backoff has a max of %v below its initial %v", b.Max, b.Initial)
	}
}

func (f *file) delivery(n *yaml.Node, places map[string]contract.Place) *Delivery {
	var d Delivery
	f.object(n, "delivery", "delivery.", places, fields{
		"guarantee": f.word(&d.Guarantee, guarantees()...), "order-by": f.text(&d.OrderBy), "dedup": f.duration(&d.Dedup),
		"redeliveries": f.whole(func(i int) { d.Redeliveries = &i }, 0, maxAttempts), "redeliver-after": f.duration(&d.RedeliverAfter),
	})
	f.need(n, "delivery", "guarantee")
	if d.Guarantee == guarantees()[0] && d.Redeliveries != nil && *d.Redeliveries > 0 {
		f.wrong(n, "delivery is at-most-once, and delivers again")
	}
	return &d
}

func guarantees() []string { return []string{"at-most-once", "at-least-once", "exactly-once"} }

// calls reads the stages of an operation: each a call, or several at once under parallel.
func (f *file) calls(n *yaml.Node, o *Operation) {
	count := 0
	f.list(func(n *yaml.Node) {
		var stage []Call
		if child(n, "parallel") == nil {
			stage = append(stage, f.call(n))
		} else {
			f.object(n, "an item of calls", "", nil, fields{"parallel": f.list(func(n *yaml.Node) { stage = append(stage, f.call(n)) })})
		}
		if count += len(stage); count > maxCalls {
			if count-len(stage) <= maxCalls {
				f.wrong(n, "%s makes more than %d calls", o.Name, maxCalls)
			}
			return
		}
		if len(stage) > 0 {
			o.Stages = append(o.Stages, stage)
		}
	})("calls", n)
}

func (f *file) call(n *yaml.Node) Call {
	c := Call{At: f.place(n), places: map[string]contract.Place{}}
	f.object(n, "a call", "", c.places, fields{
		"call":     func(name string, n *yaml.Node) { f.target(n, &c) },
		"timeout":  f.duration(&c.Timeout),
		"key":      f.word(&c.Key, "fresh", "forward"),
		"retry":    func(_ string, n *yaml.Node) { c.Retry = f.retry(n, c.places, true) },
		"degrades": f.boolean(func(b bool) { c.Degrades = b }),
	})
	f.need(n, "a call", "call")
	return c
}

// target reads "payments POST /charges".
func (f *file) target(n *yaml.Node, c *Call) {
	c.Service, c.Operation, _ = strings.Cut(n.Value, " ")
	if n.Kind != yaml.ScalarNode || c.Service == "" || named(c.Operation) != "" {
		f.wrong(n, "call must be a service and its operation, and this is %s (such as payments POST /charges)", describe(n))
	}
}
