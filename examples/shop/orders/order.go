package orders

import (
	"errors"
	"fmt"
	"strings"
)

// State is where an order stands with its customer.
type State string

// The states. Pending is the only one that is left by itself.
const (
	Pending  State = "pending"  // kept, not charged yet
	Paid     State = "paid"     // charged
	Declined State = "declined" // payments said no
	Failed   State = "failed"   // payments said nothing, and there was no degraded mode to fall back on
)

// EventState is the outbox: where the order stands with those who wait for its event.
type EventState string

// The outbox states. An order that is not paid has no event.
const (
	EventNone      EventState = ""          // nothing to say
	EventDue       EventState = "due"       // to be published, by whichever instance gets to it
	EventPublished EventState = "published" // the broker has acknowledged it
)

// Order is one record in the bucket. State and outbox live in one value, so that one write changes both or neither.
type Order struct {
	ID          string     `json:"id"` // the client's idempotency key
	SKU         string     `json:"sku"`
	Qty         int        `json:"qty"`
	AmountCents int64      `json:"amount_cents"`
	State       State      `json:"state"`
	Event       EventState `json:"event,omitempty"`
	Trace       string     `json:"trace,omitempty"` // traceparent of the request that placed it
}

// Place makes the pending order a request asks for. The id is the idempotency key: two requests with one key are one order.
func Place(key, sku string, qty int, trace string) (Order, error) {
	if !validKey(key) {
		return Order{}, errors.New("Idempotency-Key must be 8 to 64 letters, digits, - or _")
	}
	price, ok := priceCents(sku)
	if !ok {
		return Order{}, fmt.Errorf("no sku is called %q", sku)
	}
	if qty < 1 || qty > 1000 {
		return Order{}, fmt.Errorf("qty is %d (allowed: 1 to 1000)", qty)
	}
	return Order{ID: key, SKU: sku, Qty: qty, AmountCents: price * int64(qty), State: Pending, Trace: trace}, nil
}

// Same reports whether two records ask for the same thing, as requests with one key must.
func (o Order) Same(other Order) bool {
	return o.ID == other.ID && o.SKU == other.SKU && o.Qty == other.Qty
}

// Chargeable reports whether payments has still to answer for the order.
func (o Order) Chargeable() bool { return o.State == Pending || o.State == Failed }

// Open reports whether there is work left that any instance may do.
func (o Order) Open() bool { return o.State == Pending || o.Event == EventDue }

// Settle gives a chargeable order the answer of payments, and event if it was paid; false if it has an answer already.
func (o Order) Settle(state State, event EventState) (Order, bool) {
	if !o.Chargeable() || state == o.State {
		return o, false
	}
	o.State = state
	if state == Paid {
		o.Event = event
	}
	return o, true
}

// Publish notes that the event is out; false if that was known, or there is none.
func (o Order) Publish() (Order, bool) {
	if o.Event != EventDue {
		return o, false
	}
	o.Event = EventPublished
	return o, true
}

func validKey(key string) bool {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}
	return len(key) >= 8 && len(key) <= 64 && !strings.ContainsFunc(key, odd)
}

func priceCents(sku string) (int64, bool) {
	switch sku {
	case "A1":
		return 1200, true
	case "B2":
		return 3450, true
	case "GOLD": // more than payments will charge at once
		return 100_000_00, true
	}
	return 0, false
}
