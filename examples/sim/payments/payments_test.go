package payments

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// PAYMENTS_DEFECT=careless plants the defect, for the tests of assay itself: plain go test never finds it.
func service() *Service { return &Service{Careless: os.Getenv("PAYMENTS_DEFECT") == "careless"} }

// Clients on a slow network, cut off for a while: each payment is charged once.
func TestChargedOnce(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: 5 * time.Millisecond, Jitter: 40 * time.Millisecond, Loss: 0.01})
		pay := service()
		pay.Bank = func() { time.Sleep(time.Duration(s.Choose(30)) * time.Millisecond) }
		server := s.Host("payments")
		server.Boot(func() {
			if err := http.ListenAndServe(":80", pay); err != nil {
				t.Error(err)
			}
		})
		var paid sync.WaitGroup
		for i := range 3 {
			paid.Add(1)
			s.Host(fmt.Sprintf("client%d", i)).Go(func() {
				defer paid.Done()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				err := Pay(ctx, &http.Client{}, "http://payments/", fmt.Sprintf("key%d", i))
				s.Event("paid: %v", err)
				sim.Always(err == nil, "paid within a minute", err)
			})
		}
		time.Sleep(time.Duration(s.Choose(100)) * time.Millisecond)
		s.Isolate(server)
		time.Sleep(time.Duration(s.Choose(1000)) * time.Millisecond)
		s.Heal()
		paid.Wait()
		time.Sleep(time.Second) // late requests of tries that were given up
		sim.Always(pay.Charged() == 3, "each payment is charged once", pay.Charged(), " charges of 3 payments")
	})
}

// TestChargedOnceInASwarm leaves to a swarm what goes wrong. A fast network and a bank that takes its time: without a fault no try is given up.
func TestChargedOnceInASwarm(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		pay := service()
		pay.Bank = func() { time.Sleep(30 * time.Millisecond) }
		s.Host("payments").Boot(func() {
			if err := http.ListenAndServe(":80", pay); err != nil {
				t.Error(err)
			}
		})
		const payments = 20
		client := s.Host("client")
		var paid sync.WaitGroup
		paid.Add(1)
		client.Go(func() {
			defer paid.Done()
			for i := range payments {
				if err := Pay(context.Background(), &http.Client{}, "http://payments/", fmt.Sprintf("key%d", i)); err != nil {
					t.Error(err)
				}
			}
		})
		s.Swarm(sim.Swarm{Kinds: []string{"partition", "delay", "loss"}, For: time.Second})
		paid.Wait()
		time.Sleep(time.Second) // late requests of tries that were given up
		sim.Always(pay.Charged() == payments, "each payment is charged once, in a swarm", pay.Charged(), " charges of ", payments, " payments")
	})
}
