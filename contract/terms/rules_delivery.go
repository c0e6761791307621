package terms

import (
	"time"

	"github.com/assay-dev/assay/contract"
)

// A sender promises a delivery to receivers; a receiver needs one of senders. So what weakens a promise breaks the one, and what
// strengthens a need the other: both compare the weaker with the stronger.
func deliveryRules() []rule {
	both := func(old, new Operation) bool { return old.Delivery != nil && new.Delivery != nil }
	guarantee := func(o Operation) any { return o.Delivery.Guarantee }
	order := func(o Operation) any { return o.Delivery.OrderBy }
	dedup := func(o Operation) any { return o.Delivery.Dedup }
	redeliveries := func(o Operation) any { return redeliveriesOf(o) }
	after := func(o Operation) any { return o.Delivery.RedeliverAfter }
	less := func(old, new Operation) bool { return both(old, new) && new.Delivery.Dedup < old.Delivery.Dedup }
	lowered := func(old, new Operation) bool { return less(old, new) && !isTrue(new.idempotent()) }
	return []rule{
		{"delivery-removed", "delivery", contract.Break, contract.FromUs, "redelivery version-skew",
			func(old, new Operation) bool { return old.Delivery != nil && new.Delivery == nil },
			fixed("says nothing of delivery any more"), "keep saying it", server, unsaid},
		{"delivery-added", "delivery", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return old.Delivery == nil && new.Delivery != nil }, fixed("says how events are delivered"), "", server, nil},
		{"delivery-weakened", "delivery.guarantee", contract.Break, contract.FromUs, "redelivery version-skew",
			func(old, new Operation) bool { return both(old, new) && weakens(old, new) },
			says("delivery", guarantee, "the other side meets losses or repetitions that it does not expect"), "keep the guarantee until all others can do without", server, guaranteeBroken},
		{"delivery-strengthened", "delivery.guarantee", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return both(old, new) && old.Delivery.Guarantee != new.Delivery.Guarantee && !weakens(old, new)
			}, says("delivery", guarantee, "no side meets more than it expects"), "", server, nil},
		{"order-changed", "delivery.order-by", contract.Break, contract.FromUs, "redelivery version-skew",
			func(old, new Operation) bool { return both(old, new) && reorders(old, new) },
			says("order-by", order, "events arrive in an order that is not expected"), "keep the order, or send to another channel", server, overtaken},
		{"order-promised", "delivery.order-by", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return both(old, new) && old.Delivery.OrderBy != new.Delivery.OrderBy && !reorders(old, new)
			}, says("order-by", order, "no side meets an order that it does not expect"), "", server, nil},
		{"dedup-lowered", "delivery.dedup", contract.Break, contract.FromUs, "redelivery version-skew",
			func(old, new Operation) bool { return lowered(old, new) && !within(new) },
			says("dedup", dedup, "an event that comes again later takes effect again"), "remember events for as long as they may come again", server, repeated},
		{"dedup-lowered", "delivery.dedup", contract.Risk, contract.FromUs, "redelivery version-skew",
			func(old, new Operation) bool { return lowered(old, new) && within(new) },
			says("dedup", dedup, "redeliveries are over by then; what is sent again need not be"), "remember events for as long as before", server, repeated},
		{"dedup-unneeded", "delivery.dedup", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return less(old, new) && isTrue(new.idempotent()) },
			says("dedup", dedup, "it is idempotent without"), "", server, nil},
		{"dedup-raised", "delivery.dedup", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool { return both(old, new) && new.Delivery.Dedup > old.Delivery.Dedup }, says("dedup", dedup, "events are recognised for longer"), "", server, nil},
		{"redeliveries-lowered", "delivery.redeliveries", contract.Break, contract.FromUs, "redelivery version-skew",
			func(old, new Operation) bool { return both(old, new) && lessOften(new.Delivery, old.Delivery) },
			says("redeliveries", redeliveries, "an event is lost to a receiver that comes back later"), "keep delivering it as often", server, abandoned},
		{"redeliveries-raised", "delivery.redeliveries", contract.Risk, contract.FromUs, "redelivery",
			func(old, new Operation) bool { return both(old, new) && lessOften(old.Delivery, new.Delivery) },
			says("redeliveries", redeliveries, "an event that cannot be handled comes more often"), "see for how long receivers remember events", server, anotherDelivery},
		{"redeliver-after-lowered", "delivery.redeliver-after", contract.Break, contract.FromUs, "redelivery timeout version-skew",
			func(old, new Operation) bool {
				return both(old, new) && new.Delivery.RedeliverAfter < old.Delivery.RedeliverAfter
			}, says("redeliver-after", after, "a receiver is given the event again while it handles it"), "keep it above the time that receivers take", server, early},
		{"redeliver-after-raised", "delivery.redeliver-after", contract.Change, contract.FromUs, "",
			func(old, new Operation) bool {
				return both(old, new) && new.Delivery.RedeliverAfter > old.Delivery.RedeliverAfter
			}, says("redeliver-after", after, "events come again later"), "", server, nil},
	}
}

// weakens says whether a sender promises less, or a receiver needs more.
func weakens(old, new Operation) bool {
	from, to := old.Delivery.Guarantee, new.Delivery.Guarantee
	if action, _ := old.channel(); action == "receive" {
		from, to = to, from
	}
	return from != to && to != "exactly-once"
}

func reorders(old, new Operation) bool {
	from, to := old.Delivery.OrderBy, new.Delivery.OrderBy
	if action, _ := old.channel(); action == "receive" {
		from, to = to, from
	}
	return from != "" && from != to
}

// within says whether the last redelivery comes while the event is recognised.
func within(o Operation) bool {
	span, ok := o.Delivery.span()
	return ok && span <= o.Delivery.Dedup
}

// lessOften says whether a delivers again less often than b, which promises how often.
func lessOften(a, b *Delivery) bool {
	return b.Redeliveries != nil && (a.Redeliveries == nil || *a.Redeliveries < *b.Redeliveries)
}

func redeliveriesOf(o Operation) string {
	if o.Delivery.Redeliveries == nil {
		return ""
	}
	return shown(*o.Delivery.Redeliveries)
}

// pause returns the time between two deliveries that either version allows.
func pause(old, new Operation) time.Duration {
	return max(time.Second, old.Delivery.RedeliverAfter, new.Delivery.RedeliverAfter)
}
