// Package orders takes orders over HTTP, has them charged by payments and tells the rest of the shop when they are paid.
//
// An order is one record in a replicated bucket. The record carries the order's state and its outbox, so that "paid"
// and "an event is due" are kept by one write. Everything that happens to an order is a step from one revision of its
// record to the next, which any instance may take:
//
//	pending ──charge──► paid, due ──publish──► paid, published
//	   └────────────► declined
package orders

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/assay-dev/assay/examples/shop/broker"
	pb "github.com/assay-dev/assay/examples/shop/paymentspb"
	"github.com/assay-dev/assay/examples/shop/serve"
)

// Defect names a mechanism to leave out, so that a test can show that it would be missed. The zero value leaves out nothing.
type Defect string

// The defects of orders. Names that belong to other services leave orders whole.
const (
	NoRetry    Defect = "no-retry"    // one attempt to charge, and no degraded mode: what fails, fails
	NoDeadline Defect = "no-deadline" // waits for payments as long as the client waits, and no degraded mode
	NoReplicas Defect = "no-replicas" // one node has the orders, and no other
	NoOutbox   Defect = "no-outbox"   // events wait in memory, and die with the process
	EagerRetry Defect = "eager-retry" // two layers retry, at once, and as often as each likes
	OneZone    Defect = "one-zone"    // every instance goes to the broker's first node, and knows no other
)

// Config is what an instance is told.
type Config struct {
	Listener net.Listener // closed by Run
	NATS     string       // URLs, separated by commas
	Payments string       // host:port
	Defect   Defect
}

// Run serves until ctx is done. It serves /healthz at once, and the rest when the broker is ready.
func Run(ctx context.Context, c Config) error {
	connect := broker.Connect
	if c.Defect == OneZone {
		connect = broker.ConnectFirst
	}
	b, err := connect(c.NATS, "orders")
	if err != nil {
		return err
	}
	defer b.Close()
	conn, err := dial(c.Payments)
	if err != nil {
		return fmt.Errorf("orders: payments at %s: %w", c.Payments, err)
	}
	defer conn.Close()

	s := assemble(b, pb.NewPaymentsClient(conn), c.Defect)
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() { s.work(ctx) })
	return serve.HTTP(ctx, c.Listener, (&api{s.store, s.front}).routes(s.ready))
}

// service is an instance put together.
type service struct {
	store       *Store
	herald      herald
	front, back till // for customers, who wait; for the keeper, who comes again
	copies      int
	prepared    atomic.Bool
}

// assemble leaves out what the defect names.
func assemble(b *broker.Broker, client pb.PaymentsClient, d Defect) *service {
	s := &service{store: &Store{broker: b}, copies: broker.Replicas}
	s.herald = newOutbox(b, s.store)
	if d == NoOutbox {
		s.herald = newMemory(b)
	}
	if d == NoReplicas {
		s.copies = 1
	}
	degraded := d != NoRetry && d != NoDeadline
	s.front = till{s.store, newCharger(client, d), s.herald, degraded}
	s.back = till{s.store, bounded{attempt{client}, settleLimit}, s.herald, true}
	return s
}

// ready reports whether orders can be kept.
func (s *service) ready() bool { return s.prepared.Load() && s.store.broker.Connected() }

// work is what an instance does without being asked, until ctx is done.
func (s *service) work(ctx context.Context) {
	bucket, err := s.store.broker.Orders(ctx, s.copies)
	if err != nil { // ctx is done
		return
	}
	s.store.bucket = bucket
	s.prepared.Store(true)
	var both sync.WaitGroup
	both.Go(func() { s.herald.run(ctx) })
	both.Go(func() { newKeeper(s.store, s.back).run(ctx) })
	both.Wait()
}
