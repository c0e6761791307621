package orders

import "testing"

func TestSteps(t *testing.T) {
	t.Parallel()
	settle := func(s State) func(Order) (Order, bool) {
		return func(o Order) (Order, bool) { return o.Settle(s, EventDue) }
	}
	for _, c := range []struct {
		name    string
		from    Order
		step    func(Order) (Order, bool)
		want    Order
		changed bool
	}{
		{"paid, and its event is due in the same record", Order{State: Pending}, settle(Paid), Order{State: Paid, Event: EventDue}, true},
		{"declined has no event", Order{State: Pending}, settle(Declined), Order{State: Declined}, true},
		{"failed may be paid later", Order{State: Failed}, settle(Paid), Order{State: Paid, Event: EventDue}, true},
		{"paid stays paid", Order{State: Paid, Event: EventPublished}, settle(Declined), Order{State: Paid, Event: EventPublished}, false},
		{"paid twice is due once", Order{State: Paid, Event: EventPublished}, settle(Paid), Order{State: Paid, Event: EventPublished}, false},
		{"declined stays declined", Order{State: Declined}, settle(Paid), Order{State: Declined}, false},
		{"published", Order{State: Paid, Event: EventDue}, Order.Publish, Order{State: Paid, Event: EventPublished}, true},
		{"published twice", Order{State: Paid, Event: EventPublished}, Order.Publish, Order{State: Paid, Event: EventPublished}, false},
		{"nothing to publish", Order{State: Pending}, Order.Publish, Order{State: Pending}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, changed := c.step(c.from); got != c.want || changed != c.changed {
				t.Errorf("got %+v, %v; want %+v, %v", got, changed, c.want, c.changed)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		order Order
		want  bool
	}{
		{Order{State: Pending}, true},
		{Order{State: Paid, Event: EventDue}, true},
		{Order{State: Paid, Event: EventPublished}, false},
		{Order{State: Paid}, false}, // without an outbox nobody knows of an event
		{Order{State: Declined}, false},
		{Order{State: Failed}, false},
	} {
		if got := c.order.Open(); got != c.want {
			t.Errorf("%+v: open %v, want %v", c.order, got, c.want)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	o, err := Place("key-12345", "B2", 2, "")
	if want := (Order{ID: "key-12345", SKU: "B2", Qty: 2, AmountCents: 6900, State: Pending}); err != nil || o != want {
		t.Errorf("got %+v, %v; want %+v", o, err, want)
	}
	for _, c := range []struct {
		key, sku string
		qty      int
		want     string
	}{
		{"short", "A1", 1, "Idempotency-Key must be 8 to 64 letters, digits, - or _"},
		{"with.a.dot", "A1", 1, "Idempotency-Key must be 8 to 64 letters, digits, - or _"},
		{"key-12345", "Z9", 1, `no sku is called "Z9"`},
		{"key-12345", "A1", 0, "qty is 0 (allowed: 1 to 1000)"},
	} {
		if _, err := Place(c.key, c.sku, c.qty, ""); err == nil || err.Error() != c.want {
			t.Errorf("Place(%q, %q, %d): got %v, want %s", c.key, c.sku, c.qty, err, c.want)
		}
	}
}

func TestSummaryNamesAnOrderOnce(t *testing.T) {
	t.Parallel()
	s := summary([]Entry{{Order{ID: "b", State: Pending}, 1}, {Order{ID: "a", State: Paid}, 2}, {Order{ID: "b", State: Paid}, 3}})
	if len(s.Orders) != 2 || s.Orders[0] != "a" || s.Open != 0 {
		t.Errorf("got %+v, want a and b, none open", s)
	}
}
