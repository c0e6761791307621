package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/retry"
)

// What the services share.
const (
	OrdersBucket    = "orders"      // key-value: one record an order
	OrdersStream    = "ORDERS"      // events about orders
	PaidSubject     = "orders.paid" // an order was paid
	ShipmentsStream = "SHIPMENTS"   // the carrier's book, one message a shipment
	ShipmentPrefix  = "shipments."  // subject of a shipment, before the order's id
	Consumer        = "fulfilment"  // the durable reader of PaidSubject
	Replicas        = 3             // all survive the loss of one node
	dedupWindow     = 10 * time.Minute
)

// Orders opens the bucket of orders, made with copies if absent, and the stream of their events. It waits for a cluster
// that is still forming until ctx is done.
func (b *Broker) Orders(ctx context.Context, copies int) (jetstream.KeyValue, error) {
	var bucket jetstream.KeyValue
	err := b.prepare(ctx, func(ctx context.Context) (err error) {
		if err = b.stream(ctx, OrdersStream, "orders.>"); err != nil {
			return err
		}
		bucket, err = b.bucket(ctx, OrdersBucket, copies)
		return err
	})
	return bucket, err
}

// Fulfilment opens the durable consumer of paid orders and the stream of shipments, made if absent. It waits as Orders does.
func (b *Broker) Fulfilment(ctx context.Context) (jetstream.Consumer, error) {
	var consumer jetstream.Consumer
	err := b.prepare(ctx, func(ctx context.Context) (err error) {
		if err = b.stream(ctx, OrdersStream, "orders.>"); err != nil {
			return err
		}
		if err = b.stream(ctx, ShipmentsStream, ShipmentPrefix+">"); err != nil {
			return err
		}
		consumer, err = b.consumer(ctx)
		return err
	})
	return consumer, err
}

// prepare repeats step whatever it answers: a cluster without a leader has many ways to say no.
func (b *Broker) prepare(ctx context.Context, step func(context.Context) error) error {
	policy := retry.Policy{Base: pauseBase, Max: pauseMax}
	err := policy.Do(ctx, rand.Float64, func(error) bool { return true }, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return step(ctx)
	})
	if err != nil {
		return fmt.Errorf("broker: prepare streams: %w", err)
	}
	return nil
}

func (b *Broker) stream(ctx context.Context, name, subject string) error {
	_, err := b.JS.Stream(ctx, name) // also waits for a leader, which a new one has as soon as it is made
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = b.JS.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject},
			Replicas: Replicas, Storage: jetstream.FileStorage, Duplicates: dedupWindow})
	}
	return err
}

// bucket also brings a bucket that was made with another number of copies to the one asked for.
func (b *Broker) bucket(ctx context.Context, name string, copies int) (jetstream.KeyValue, error) {
	config := jetstream.KeyValueConfig{Bucket: name, Replicas: copies, Storage: jetstream.FileStorage}
	bucket, err := b.JS.KeyValue(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return b.JS.CreateKeyValue(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	status, err := bucket.Status(ctx)
	if err != nil || status.Config().Replicas == copies {
		return bucket, err
	}
	return b.JS.UpdateKeyValue(ctx, config)
}

func (b *Broker) consumer(ctx context.Context) (jetstream.Consumer, error) {
	consumer, err := b.JS.Consumer(ctx, OrdersStream, Consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return b.JS.CreateConsumer(ctx, OrdersStream, jetstream.ConsumerConfig{Durable: Consumer, FilterSubject: PaidSubject,
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: 2 * time.Second, MaxAckPending: 64, Replicas: Replicas})
	}
	return consumer, err
}
