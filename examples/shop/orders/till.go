package orders

import (
	"context"
	"fmt"
)

// till takes an order from pending to the answer of payments.
type till struct {
	store    *Store
	charger  charger
	herald   herald
	degraded bool // an order payments did not answer for stays pending and is settled later; otherwise it fails
}

// settle charges e if that is still to be done, and returns the order as it was kept. In degraded mode silence from
// payments is no error.
func (t till) settle(ctx context.Context, e Entry) (Entry, error) {
	if !e.Order.Chargeable() {
		return e, nil
	}
	state, err := t.charger.charge(ctx, e.Order)
	if err != nil && t.degraded {
		return e, nil
	}
	if err != nil {
		return t.fail(ctx, e, err)
	}
	e, err = t.store.Advance(ctx, e, func(o Order) (Order, bool) { return o.Settle(state, t.herald.state()) })
	if err == nil && e.Order.State == Paid {
		t.herald.paid(e)
	}
	return e, err
}

func (t till) fail(ctx context.Context, e Entry, cause error) (Entry, error) {
	e, err := t.store.Advance(ctx, e, func(o Order) (Order, bool) { return o.Settle(Failed, EventNone) })
	if err != nil {
		return e, err
	}
	return e, fmt.Errorf("orders: charge %s: %w", e.Order.ID, cause)
}
