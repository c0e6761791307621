package fulfilment

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/broker"
	"github.com/assay-dev/assay/examples/shop/trace"
)

// carrier enters shipments in its book, which the world can see.
type carrier interface {
	ship(ctx context.Context, s shipment) error
}

// shipment is one paid order on its way.
type shipment struct {
	ID    string
	trace trace.Context
}

// once has a page per order in the book, which the broker lets nobody write twice.
type once struct{ broker *broker.Broker }

func (c once) ship(ctx context.Context, s shipment) error {
	return c.broker.PublishOnce(ctx, broker.ShipmentsStream, s.message())
}

// again is what the defect no-idempotency has instead: it writes whatever it is told.
type again struct{ broker *broker.Broker }

func (c again) ship(ctx context.Context, s shipment) error {
	return c.broker.Publish(ctx, s.message())
}

func (s shipment) message() *nats.Msg {
	msg := nats.NewMsg(broker.ShipmentPrefix + s.ID)
	msg.Header.Set(trace.Header, s.trace.Child().String())
	return msg
}

func parse(msg jetstream.Msg) (shipment, error) {
	var event broker.OrderPaid
	if err := json.Unmarshal(msg.Data(), &event); err != nil {
		return shipment{}, err
	}
	if event.ID == "" {
		return shipment{}, errors.New("fulfilment: the event names no order")
	}
	parent, _ := trace.Parse(msg.Headers().Get(trace.Header))
	return shipment{event.ID, parent}, nil
}
