package orders

import (
	"context"
	"sync"
	"time"

	"github.com/assay-dev/assay/examples/shop/trace"
)

// How long work may lie before any instance takes it up: longer than the instance that has it in hand needs. Two that
// take up the same work waste it, no more.
const (
	sweepEvery   = 500 * time.Millisecond
	dueGrace     = 750 * time.Millisecond
	pendingGrace = 2500 * time.Millisecond
)

// keeperHands is how many orders each instance charges at a time that were put off: few, so that they do not take the
// place of those whose customers wait.
const keeperHands = 1

// keeper finds what other hands have dropped: orders left pending, and events left unpublished, by a request that
// gave up or by an instance that was killed. It reads only what was written since it last looked.
type keeper struct {
	store *Store
	till  till // one attempt at a time: the next sweep is its retry
	open  map[string]*watched
	read  uint64 // revision up to which the bucket was read
	queue chan Entry
}

type watched struct {
	entry Entry
	since time.Time
}

func newKeeper(s *Store, t till) *keeper {
	return &keeper{store: s, till: t, open: map[string]*watched{}, queue: make(chan Entry, 64)}
}

func (k *keeper) run(ctx context.Context) {
	var hands sync.WaitGroup
	defer hands.Wait()
	hands.Go(func() { parallel(ctx, keeperHands, func(e Entry) { k.finish(ctx, e) }, k.queue) })
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (k *keeper) sweep(ctx context.Context) {
	entries, read, err := k.store.Since(ctx, k.read)
	if err != nil {
		return // the next sweep reads it again
	}
	k.read = read
	k.note(entries, time.Now())
	for _, e := range k.ripe(time.Now()) {
		select {
		case k.queue <- e:
		default: // as many in hand as we can carry
			return
		}
	}
}

// note takes in what was written.
func (k *keeper) note(entries []Entry, now time.Time) {
	for _, e := range entries {
		if e.Order.Open() {
			k.open[e.Order.ID] = &watched{e, now}
		} else {
			delete(k.open, e.Order.ID)
		}
	}
}

// ripe is what has lain too long. It is given another grace, so that nothing is handed out while it is in hand.
func (k *keeper) ripe(now time.Time) []Entry {
	var entries []Entry
	for _, w := range k.open {
		grace := dueGrace
		if w.entry.Order.State == Pending {
			grace = pendingGrace
		}
		if now.Sub(w.since) >= grace {
			w.since = now
			entries = append(entries, w.entry)
		}
	}
	return entries
}

// finish does what is left to do for an order. A failure leaves it open, for the next sweep.
func (k *keeper) finish(ctx context.Context, e Entry) {
	if e.Order.State == Pending {
		_, _ = k.till.settle(trace.With(ctx, trace.New()), e)
		return
	}
	k.till.herald.paid(e)
}
