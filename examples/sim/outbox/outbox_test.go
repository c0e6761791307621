package outbox

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// TestEachOrderIsShippedOnce has two shops take eight orders, each with a relay. The first dies within it; the second goes on.
// OUTBOX_DEFECT leaves a mechanism out.
func TestEachOrderIsShippedOnce(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { shop(s.T(), Defect(os.Getenv("OUTBOX_DEFECT"))) })
}

func TestWithoutOutboxADyingShopForgets(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		store, broker := NewStore(), NewBroker(time.Second)
		ctx, die := context.WithCancel(t.Context())
		Place(ctx, store, broker, "order", NoOutbox)
		die()
		time.Sleep(time.Minute)
		if ids, _ := store.Due(); len(ids) != 0 {
			t.Errorf("due: %v, want nothing: this is the defect", ids)
		}
	})
}

func shop(t *testing.T, d Defect) {
	store, broker, book := NewStore(), NewBroker(20*time.Millisecond), NewBook()
	ctx, stop := context.WithCancel(t.Context())
	var running, customers sync.WaitGroup
	var shops [2]context.Context
	var die [2]context.CancelFunc
	for i := range shops {
		shops[i], die[i] = context.WithCancel(ctx)
		running.Go(func() { Relay(shops[i], store, broker, 5*time.Millisecond) })
		running.Go(func() { Pack(ctx, broker, book, d) })
	}
	for customer := range 2 {
		customers.Go(func() {
			for i := range 4 {
				Place(shops[customer], store, broker, name(customer, i), d)
				time.Sleep(3 * time.Millisecond)
			}
		})
	}
	time.Sleep(8 * time.Millisecond)
	die[0]()
	customers.Wait()
	time.Sleep(time.Second) // every event is published, given and acknowledged
	stop()
	die[1]()
	running.Wait()
	for customer := range 2 {
		for i := range 4 {
			if n := book.Labels(name(customer, i)); n != 1 {
				t.Errorf("%s has %d labels, want 1", name(customer, i), n)
			}
		}
	}
}

func name(customer, i int) string { return fmt.Sprintf("order %d of customer %d", i+1, customer+1) }
