// Package clockwork holds github.com/jonboulle/clockwork to a promise: who blocks until somebody sleeps is told when two do.
//
// Until v0.2.2 BlockUntil(1) asked for exactly one sleeper; where two had come meanwhile, it blocked for ever.
// https://github.com/jonboulle/clockwork/issues/35
//
// The order it takes: both sleepers come before the one who waits for them.
package clockwork

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/jonboulle/clockwork"
)

func TestClockwork(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		clock := clockwork.NewFakeClock()
		told := make(chan struct{})
		go func() {
			defer close(told)
			clock.BlockUntil(1)
		}()
		for range 2 {
			go clock.Sleep(time.Hour)
		}
		select {
		case <-told:
		case <-time.After(time.Minute):
			t.Error("two sleep, and who waits for one to do so blocks")
		}
		synctest.Wait()
		clock.Advance(time.Hour)
		clock.After(time.Hour) // exactly one sleeps now: whoever still blocks is told
		<-told
	})
}
