// Package broker is the shop's way to NATS JetStream: a connection that notices a stalled server, operations that
// outlast a change of leader, and the streams the services share.
//
//	b, err := broker.Connect("nats://nats-1:4222,nats://nats-2:4222", "orders")
//	err = b.Do(ctx, func(ctx context.Context) error { _, err := b.JS.PublishMsg(ctx, msg); return err })
package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/retry"
)

// Limits of one operation. An attempt is short, so that several fit into a request's patience; quiet is how long
// nothing may succeed before another server is tried.
const (
	attemptTimeout = 700 * time.Millisecond
	pauseBase      = 25 * time.Millisecond
	pauseMax       = 200 * time.Millisecond
	quiet          = 1500 * time.Millisecond
)

// Broker is a connection to the cluster. Safe for concurrent use; Close ends it.
type Broker struct {
	JS    jetstream.JetStream
	conn  *nats.Conn
	pulse *pulse
}

// Connect returns at once, even when no server answers yet: the connection is made in the background, for ever.
func Connect(urls, name string) (*Broker, error) { return connect(urls, options(name)) }

// ConnectFirst is Connect to the first of urls, and never to another server of the cluster.
func ConnectFirst(urls, name string) (*Broker, error) {
	first, _, _ := strings.Cut(urls, ",")
	return connect(first, append(options(name), nats.IgnoreDiscoveredServers()))
}

func connect(urls string, options []nats.Option) (*Broker, error) {
	conn, err := nats.Connect(urls, options...)
	if err != nil {
		return nil, fmt.Errorf("broker: connect to %s: %w", urls, err)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &Broker{JS: js, conn: conn, pulse: newPulse(time.Now())}, nil
}

// options notice a dead server in about a second: a cut link does not reset connections, it goes silent.
func options(name string) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(50*time.Millisecond, 50*time.Millisecond),
		nats.Timeout(500 * time.Millisecond),
		nats.PingInterval(400 * time.Millisecond),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(time.Second),
		nats.ReconnectBufSize(-1), // a write held back until the reconnect could land after its caller gave up
	}
}

// Close drops the connection.
func (b *Broker) Close() { b.conn.Close() }

// Connected reports whether a server is on the line.
func (b *Broker) Connected() bool { return b.conn.IsConnected() }

// Do repeats op, each time with a short deadline, until it succeeds, fails for good or ctx is done. An attempt that
// timed out may have happened, so op must be safe to repeat.
func (b *Broker) Do(ctx context.Context, op func(context.Context) error) error {
	policy := retry.Policy{Base: pauseBase, Max: pauseMax}
	return policy.Do(ctx, rand.Float64, transient, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		err := op(ctx)
		if !errors.Is(err, context.Canceled) { // a caller who left says nothing about the server
			b.feel(err)
		}
		return err
	})
}

// feel leaves a server that is alive but cut off from the others: its pings are answered, its operations are not.
func (b *Broker) feel(err error) {
	if b.pulse.beat(time.Now(), err == nil || !transient(err)) {
		b.conn.ForceReconnect() // fails only on a closed connection
	}
}

// transient tells what another attempt may cure from an answer of the broker, such as a lost race.
func transient(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500
	}
	return !errors.Is(err, jetstream.ErrKeyNotFound) && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, nats.ErrConnectionClosed)
}
