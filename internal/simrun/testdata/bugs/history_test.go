package bugs

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/sim"
)

// A write is acknowledged before it is there, so that a read may come too early.
func TestStaleRead(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.History("x")
		h.Check(consistency.Linearizable)
		value := 0
		op := h.Begin("writer", "write", 1)
		go func() {
			time.Sleep(time.Duration(1+s.Choose(3)) * time.Millisecond)
			value = 1
		}()
		op.OK(nil)
		time.Sleep(2 * time.Millisecond)
		read := h.Begin("reader", "read", nil)
		if value == 0 {
			read.OK(nil)
		} else {
			read.OK(value)
		}
		time.Sleep(10 * time.Millisecond) // until all of it is over
	})
}

// Nobody reads: nothing can be decided.
func TestNobodyReads(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.History("x")
		h.Check(consistency.Linearizable)
		h.Begin("writer", "write", 1).OK(nil)
	})
}

// The host of a client crashes in the middle of a write, which may have taken effect: both answers of the read fit.
func TestWriterCrashes(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.History("x")
		h.Check(consistency.Linearizable)
		value := 0
		writer := s.Host("writer")
		writer.Go(func() {
			op := h.Begin("writer", "write", 1)
			time.Sleep(time.Duration(1+s.Choose(5)) * time.Millisecond)
			value = 1
			time.Sleep(time.Second)
			op.OK(nil)
		})
		time.Sleep(3 * time.Millisecond)
		writer.Crash()
		read := h.Begin("reader", "read", nil)
		sim.Sometimes(value == 1, "it took effect")
		sim.Sometimes(value == 0, "it did not")
		if value == 0 {
			read.OK(nil)
		} else {
			read.OK(value)
		}
	})
}
