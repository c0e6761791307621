package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/broker"
)

// ErrUnknown is the answer to an id no order has.
var ErrUnknown = errors.New("no such order")

// storeTimeout is how long a request waits for the broker: shorter than the client's patience.
const storeTimeout = 1500 * time.Millisecond

// Entry is an order as it was at a revision. Revisions grow over the whole bucket.
type Entry struct {
	Order    Order
	Revision uint64
}

// Store keeps orders in a replicated bucket. Every write is checked against the revision it was made from.
type Store struct {
	broker *broker.Broker
	bucket jetstream.KeyValue
}

// Create keeps a new order, or returns the one that has its id.
func (s *Store) Create(ctx context.Context, o Order) (Entry, error) {
	revision, err := s.write(ctx, o, 0)
	if conflict(err) { // also our own write, when its acknowledgement was lost
		return s.await(ctx, o.ID)
	}
	return Entry{o, revision}, err
}

// Get reads an order from any replica, so it may be a little old; a write made from an old one is refused.
func (s *Store) Get(ctx context.Context, id string) (e Entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err = s.broker.Do(ctx, func(ctx context.Context) error {
		found, err := s.bucket.Get(ctx, id)
		if err == nil {
			e, err = decode(found)
		}
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return e, ErrUnknown
	}
	return e, err
}

// Advance applies step to the newest order until it is kept, or step finds nothing to change. Two instances that
// race both end with the same order.
func (s *Store) Advance(ctx context.Context, e Entry, step func(Order) (Order, bool)) (Entry, error) {
	for {
		next, changed := step(e.Order)
		if !changed {
			return e, nil
		}
		revision, err := s.write(ctx, next, e.Revision)
		if !conflict(err) {
			return Entry{next, revision}, err
		}
		if e, err = s.after(ctx, e); err != nil {
			return e, err
		}
	}
}

// Since returns the newest record of every order written after a revision, and the revision it has read up to.
func (s *Store) Since(ctx context.Context, revision uint64) ([]Entry, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	watch, err := s.bucket.WatchAll(ctx, jetstream.ResumeFromRevision(revision+1))
	if err != nil {
		return nil, revision, err
	}
	defer watch.Stop() // an error leaves a consumer that the broker forgets by itself
	return collect(ctx, watch, revision)
}

func collect(ctx context.Context, watch jetstream.KeyWatcher, revision uint64) ([]Entry, uint64, error) {
	var entries []Entry
	for last := revision; ; {
		select {
		case found, open := <-watch.Updates():
			if !open {
				return nil, revision, errors.New("orders: the list of orders broke off")
			}
			if found == nil { // the end of what was there when we asked
				return entries, last, nil
			}
			e, err := decode(found)
			if err != nil {
				return nil, revision, err
			}
			entries, last = append(entries, e), e.Revision
		case <-ctx.Done():
			return nil, revision, ctx.Err()
		}
	}
}

// write keeps o if the bucket still has revision for it; 0 is "never written".
func (s *Store) write(ctx context.Context, o Order, revision uint64) (next uint64, err error) {
	value, err := json.Marshal(o)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err = s.broker.Do(ctx, func(ctx context.Context) error {
		next, err = s.bucket.Update(ctx, o.ID, value, revision)
		return err
	})
	return next, err
}

// await reads an order that is known to exist, from a replica that may not know it yet.
func (s *Store) await(ctx context.Context, id string) (Entry, error) {
	return s.after(ctx, Entry{Order: Order{ID: id}})
}

// after reads an order until it is newer than e.
func (s *Store) after(ctx context.Context, e Entry) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for {
		newer, err := s.Get(ctx, e.Order.ID)
		if err == nil && newer.Revision > e.Revision {
			return newer, nil
		}
		if err != nil && !errors.Is(err, ErrUnknown) {
			return e, err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return e, fmt.Errorf("orders: %s has a newer revision than %d that no replica shows: %w", e.Order.ID, e.Revision, ctx.Err())
		}
	}
}

func conflict(err error) bool { return errors.Is(err, jetstream.ErrKeyRevisionMismatch) }

func decode(found jetstream.KeyValueEntry) (Entry, error) {
	e := Entry{Revision: found.Revision()}
	if err := json.Unmarshal(found.Value(), &e.Order); err != nil {
		return e, fmt.Errorf("orders: record %s: %w", found.Key(), err)
	}
	return e, nil
}
