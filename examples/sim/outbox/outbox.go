// Package outbox is the heart of the shop in one process: an order that is paid is shipped once, whoever dies meanwhile.
//
// The record that says "paid" also says that an event is due (the outbox). Relays publish what is due, each on its own, so an event may
// be published twice. The broker gives an event again if it is not acknowledged in time. Packers therefore ask the book first: who
// enters an order there ships it, who finds it entered does not.
//
// It is an example for a search over orders: with [LookFirst] a packer looks into the book, and enters the order afterwards.
package outbox

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Defect leaves a mechanism out.
type Defect string

// The defects.
const (
	LookFirst Defect = "look-first" // two packers may look before either has entered
	NoOutbox  Defect = "no-outbox"  // the event lives in the memory of the one who took the order
)

// A Store keeps orders: each is one record, written if nobody else has written it since it was read.
type Store struct {
	mu      sync.Mutex
	records map[string]Record
}

// A Record is an order. State and outbox live in one value, so that one write changes both or neither.
type Record struct {
	Paid, Due bool
	Revision  int
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{records: map[string]Record{}} }

// Put writes a record over the one of its revision, and reports whether it was the newest.
func (s *Store) Put(id string, r Record) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[id].Revision != r.Revision {
		return false
	}
	r.Revision++
	s.records[id] = r
	return true
}

// Due returns the records whose event is to be published, in order of name.
func (s *Store) Due() ([]string, map[string]Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := map[string]Record{}
	var ids []string
	for id, r := range s.records {
		if r.Due {
			due[id] = r
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, due
}

// Relay publishes what is due, and notes that it is not any more, until it dies.
func Relay(ctx context.Context, s *Store, b *Broker, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		ids, records := s.Due()
		for _, id := range ids {
			if ctx.Err() != nil || !b.Publish(ctx, id) {
				return
			}
			r := records[id]
			r.Due = false
			s.Put(id, r) // or the other relay was quicker
		}
	}
}

// A Broker gives each event to one of those who ask, and again if it is not acknowledged in time.
type Broker struct {
	events  chan Event
	patient time.Duration
}

// An Event is one delivery.
type Event struct {
	ID    string
	acked chan struct{}
}

// Ack says that the event is done with.
func (e Event) Ack() { close(e.acked) }

// NewBroker returns a broker that waits so long for an acknowledgement.
func NewBroker(patient time.Duration) *Broker { return &Broker{make(chan Event), patient} }

// Publish takes an event, and reports false if the publisher died before.
func (b *Broker) Publish(ctx context.Context, id string) bool {
	if ctx.Err() != nil {
		return false
	}
	go b.deliver(id)
	return true
}

func (b *Broker) deliver(id string) {
	for {
		e := Event{id, make(chan struct{})}
		b.events <- e
		select {
		case <-e.acked:
			return
		case <-time.After(b.patient):
		}
	}
}

// A Book has a page for each order that is shipped.
type Book struct {
	mu     sync.Mutex
	pages  map[string]bool
	labels map[string]int
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{pages: map[string]bool{}, labels: map[string]int{}} }

// Enter writes an order's page, and reports false if it was there.
func (b *Book) Enter(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[id] {
		return false
	}
	b.pages[id] = true
	return true
}

// Has reports whether an order has a page.
func (b *Book) Has(id string) bool { b.mu.Lock(); defer b.mu.Unlock(); return b.pages[id] }

// Label prints a label: the parcel goes.
func (b *Book) Label(id string) { b.mu.Lock(); b.labels[id]++; b.mu.Unlock() }

// Labels returns how many labels an order has.
func (b *Book) Labels(id string) int { b.mu.Lock(); defer b.mu.Unlock(); return b.labels[id] }

// Pack ships what the broker gives it, until the context ends.
func Pack(ctx context.Context, b *Broker, book *Book, d Defect) {
	for {
		select {
		case e := <-b.events:
			if first(book, e.ID, d) {
				book.Label(e.ID)
			}
			e.Ack()
		case <-ctx.Done():
			return
		}
	}
}

func first(book *Book, id string, d Defect) bool {
	if d != LookFirst {
		return book.Enter(id)
	}
	if book.Has(id) {
		return false
	}
	book.Enter(id)
	return true
}

// Place takes an order: paid, and its event due, in one write. Without the outbox the event waits a moment in this process.
func Place(ctx context.Context, s *Store, b *Broker, id string, d Defect) {
	if d != NoOutbox {
		s.Put(id, Record{Paid: true, Due: true})
		return
	}
	s.Put(id, Record{Paid: true})
	go func() {
		select {
		case <-time.After(5 * time.Millisecond):
			b.Publish(ctx, id)
		case <-ctx.Done():
		}
	}()
}
