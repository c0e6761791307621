package terms

import (
	"fmt"
	"time"
)

// events holds a receiver of events against those who send them.
func (c *checker) events(n *node) {
	action, channel := n.channel()
	if action != "receive" {
		return
	}
	if len(n.callers) == 0 {
		c.gap(n, "", n.At, "nothing declared sends %s", channel)
	}
	for _, e := range n.callers {
		if e.from.Delivery == nil {
			c.gap(n, "delivery", n.At, "%s does not say how it delivers", e.from.name)
			continue
		}
		found := len(c.Findings)
		c.guarantee(n, e)
		if e.from.Delivery.Guarantee == "at-least-once" {
			c.redelivery(n, e)
			c.handling(n, e)
		}
		c.end(found, e.from)
	}
}

// guarantee holds what a receiver needs against what a sender promises.
func (c *checker) guarantee(n *node, e *edge) {
	need, have := n.Delivery, e.from.Delivery
	if need == nil {
		return
	}
	if need.Guarantee != have.Guarantee && have.Guarantee != "exactly-once" {
		weak := guaranteeBroken(Operation{Name: "send", Delivery: need}, Operation{Name: "send", Delivery: have})
		c.breaks("delivery-too-weak", n, "delivery.guarantee", "redelivery", fmt.Sprintf("needs %s delivery, and %s delivers %s", need.Guarantee, e.from.name, have.Guarantee),
			"let the receiver do with less (dedup), or promise more", n.at("delivery.guarantee"), weak)
	}
	if need.OrderBy != "" && need.OrderBy != have.OrderBy {
		c.breaks("order-missing", n, "delivery.order-by", "redelivery", fmt.Sprintf("needs events in order by %s, and %s keeps order by %s", need.OrderBy, e.from.name, shown(have.OrderBy)),
			"send them with that key", n.at("delivery.order-by"), overtaken(Operation{Name: "send x", Delivery: need}, Operation{Name: "send x", Delivery: have}))
	}
}

// redelivery holds what a receiver remembers against the time within which an event comes again.
func (c *checker) redelivery(n *node, e *edge) {
	if isTrue(n.idempotent()) {
		return
	}
	dedup := time.Duration(0)
	if n.Delivery != nil {
		dedup = n.Delivery.Dedup
	}
	span, known := e.span()
	again := max(span, time.Second)
	switch {
	case dedup == 0 && n.Idempotent == nil:
		c.gap(n, "idempotent", n.At, "gets events of %s at least once, and says neither whether it is idempotent nor for how long it remembers them", e.from.name)
	case dedup == 0:
		c.breaks("redelivery-unsafe", n, "idempotent", "redelivery", fmt.Sprintf("gets events of %s at least once, is not idempotent, and remembers none", e.from.name), "make it idempotent, or let it remember events (dedup)", n.at("idempotent"), sentTwice(again))
	case !known:
		c.gap(n, "delivery.dedup", n.at("delivery.dedup"), "remembers events for %s, and nothing says for how long %s delivers them again (redeliveries, redeliver-after)", short(dedup), e.from.name)
	case span > dedup:
		c.breaks("dedup-too-short", n, "delivery.dedup", "redelivery", fmt.Sprintf("remembers events for %s, and %s delivers them again for up to %d × %s = %s", short(dedup), e.from.name, *e.delivery().Redeliveries, short(e.delivery().RedeliverAfter), short(span)),
			"remember them for longer, or deliver again for less long", n.at("delivery.dedup"), sentTwice(span))
	}
}

// handling holds how long a receiver takes against the time after which an event that is not acknowledged comes again.
func (c *checker) handling(n *node, e *edge) {
	after := e.delivery().RedeliverAfter
	if after == 0 {
		return
	}
	takes, sum, unbounded := n.worst()
	if n.Deadline > 0 {
		takes, sum = n.Deadline, "deadline"
	}
	switch {
	case sum == "":
		c.gap(n, "deadline", n.At, "does not say how long it takes (deadline, work or calls), and %s delivers again after %s", e.from.name, short(after))
	case takes > after && !unbounded:
		s := sent("").add(moment{what: delivers, call: 1}).add(moment{at: after, what: delivers, call: 1}).add(moment{at: takes, what: effects, call: 1}).add(moment{at: plus(after, takes), what: effects, call: 1})
		c.breaks("redelivered-while-handled", n, "deadline", "redelivery timeout", fmt.Sprintf("takes up to %s (%s), and %s delivers again after %s", short(takes), sum, e.from.name, short(after)),
			"deliver again later, or handle it faster", n.At, s)
	}
}
