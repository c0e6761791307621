// Package fulfilment ships what was paid: for every event it enters a shipment in the carrier's book, prints a label,
// and only then acknowledges the event. Killed in between, it is given the event again.
package fulfilment

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/broker"
	"github.com/assay-dev/assay/examples/shop/serve"
)

// Defect names a mechanism to leave out. The zero value leaves out nothing.
type Defect string

// NoIdempotency ships an event as often as it is delivered.
const NoIdempotency Defect = "no-idempotency"

// workers print labels at the same time; labelTime is what one takes. Together they keep up with 120 orders a second.
const (
	workers   = 32
	labelTime = 250 * time.Millisecond
)

// Config is what an instance is told.
type Config struct {
	Listener net.Listener // closed by Run
	NATS     string       // URLs, separated by commas
	Defect   Defect
}

// Run serves until ctx is done. It serves /healthz at once, and ships when the broker is ready.
func Run(ctx context.Context, c Config) error {
	b, err := broker.Connect(c.NATS, "fulfilment")
	if err != nil {
		return err
	}
	defer b.Close()
	var carrier carrier = once{b}
	if c.Defect == NoIdempotency {
		carrier = again{b}
	}
	var prepared atomic.Bool
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	a := &api{broker: b}
	work.Go(func() {
		consumer, err := b.Fulfilment(ctx)
		if err != nil { // ctx is done
			return
		}
		a.consumer = consumer
		prepared.Store(true)
		(&dock{carrier: carrier, slots: make(chan struct{}, workers)}).run(ctx, consumer)
	})
	ready := func() bool { return prepared.Load() && b.Connected() }
	return serve.HTTP(ctx, c.Listener, a.routes(ready))
}

// dock takes events from the consumer, as many at a time as it has slots.
type dock struct {
	carrier carrier
	slots   chan struct{}
	hands   sync.WaitGroup
}

// run reads until ctx is done. A reader that the client library gave up on is opened anew.
func (d *dock) run(ctx context.Context, consumer jetstream.Consumer) {
	defer d.hands.Wait()
	for ctx.Err() == nil {
		reader, err := consumer.Consume(func(msg jetstream.Msg) { d.take(ctx, msg) },
			jetstream.PullMaxMessages(workers), jetstream.PullExpiry(2*time.Second), jetstream.PullHeartbeat(500*time.Millisecond))
		if err != nil {
			pause(ctx, 200*time.Millisecond)
			continue
		}
		select {
		case <-reader.Closed():
		case <-ctx.Done():
			reader.Stop()
			<-reader.Closed()
		}
	}
}

func (d *dock) take(ctx context.Context, msg jetstream.Msg) {
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	d.hands.Go(func() {
		defer func() { <-d.slots }()
		d.handle(ctx, msg)
	})
}

// handle acknowledges last. Without the acknowledgement the broker delivers the event again, which is how an error here
// is retried.
func (d *dock) handle(ctx context.Context, msg jetstream.Msg) {
	shipment, err := parse(msg)
	if err != nil {
		_ = msg.Term() // no redelivery makes it readable
		return
	}
	limit, cancel := context.WithTimeout(ctx, 1500*time.Millisecond) // before the broker's patience of 2 s ends
	defer cancel()
	if d.carrier.ship(limit, shipment) != nil || !pause(ctx, labelTime) {
		return
	}
	_ = msg.Ack() // lost: delivered again
}

// pause reports whether d passed before ctx was done.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
