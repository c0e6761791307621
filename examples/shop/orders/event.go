package orders

import (
	"context"
	"time"

	"github.com/assay-dev/assay/examples/shop/broker"
)

// herald tells the world that an order was paid.
type herald interface {
	// state is what a paid order's record says about its event.
	state() EventState
	// paid is called when e has been kept as paid. It does not wait.
	paid(e Entry)
	// run works until ctx is done.
	run(ctx context.Context)
}

// outbox publishes what the records say is due. It promises nothing that it holds in memory: what it forgets, the
// keeper of any instance finds again in the bucket.
type outbox struct {
	broker *broker.Broker
	store  *Store
	queue  chan Entry
}

func newOutbox(b *broker.Broker, s *Store) *outbox { return &outbox{b, s, make(chan Entry, 256)} }

func (o *outbox) state() EventState { return EventDue }

func (o *outbox) paid(e Entry) {
	select {
	case o.queue <- e:
	default: // the keeper will bring it back
	}
}

func (o *outbox) run(ctx context.Context) {
	parallel(ctx, 8, func(e Entry) { o.publish(ctx, e) }, o.queue)
}

// publish sends the event, then notes that it is out. Killed in between, it is sent again, and the broker drops the copy.
func (o *outbox) publish(ctx context.Context, e Entry) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if e.Order.Event != EventDue {
		return
	}
	if err := send(ctx, o.broker, e.Order); err != nil {
		return
	}
	// An error leaves the event due: it is published once more.
	_, _ = o.store.Advance(ctx, e, Order.Publish)
}

// memory is what the defect no-outbox has instead: events that wait for their turn in this process alone.
type memory struct {
	broker *broker.Broker
	linger time.Duration
	queue  chan waiting
}

type waiting struct {
	order Order
	until time.Time
}

func newMemory(b *broker.Broker) *memory { return &memory{b, time.Second, make(chan waiting, 4096)} }

func (m *memory) state() EventState { return EventNone }

func (m *memory) paid(e Entry) {
	select {
	case m.queue <- waiting{e.Order, time.Now().Add(m.linger)}:
	default:
	}
}

func (m *memory) run(ctx context.Context) {
	parallel(ctx, 128, func(w waiting) {
		select {
		case <-time.After(time.Until(w.until)):
			_ = send(ctx, m.broker, w.order) // and nobody will know
		case <-ctx.Done():
		}
	}, m.queue)
}

func send(ctx context.Context, b *broker.Broker, o Order) error {
	msg, err := broker.OrderPaid{ID: o.ID, SKU: o.SKU, Qty: o.Qty}.Message(o.Trace)
	if err != nil {
		return err
	}
	return b.Publish(ctx, msg)
}
