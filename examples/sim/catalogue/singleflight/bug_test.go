// Package singleflight holds golang.org/x/sync/singleflight to its promise after Forget: of those who ask later, one works at a time.
//
// Before 2019-04-23 a call that was forgotten removed, when it ended, the entry of its successor; whoever asked next worked beside it.
// https://github.com/golang/go/issues/31420
//
// The order it takes: one call is under way, its key is forgotten, a second call starts, the first ends, a third starts before the
// second ends.
package singleflight

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/assay-dev/assay/sim"
	"golang.org/x/sync/singleflight"
)

// A backend answers one question at a time, and counts those asked since the last change that are under way.
type backend struct {
	questions chan chan struct{}
	fresh     atomic.Int32
	worst     atomic.Int32
}

func (b *backend) serve() {
	for answer := range b.questions {
		close(answer)
	}
}

func (b *backend) ask(isFresh bool) {
	if isFresh {
		if n := b.fresh.Add(1); n > b.worst.Load() {
			b.worst.Store(n)
		}
		defer b.fresh.Add(-1)
	}
	answer := make(chan struct{})
	b.questions <- answer
	<-answer
}

func TestSingleflight(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		b := &backend{questions: make(chan chan struct{})}
		go b.serve()
		var calls singleflight.Group
		var changed atomic.Bool
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				isFresh := changed.Load()
				calls.Do("price", func() (any, error) { b.ask(isFresh); return nil, nil })
			})
		}
		clients.Go(func() { // the price changes
			calls.Forget("price")
			changed.Store(true)
		})
		clients.Wait()
		close(b.questions)
		if worst := b.worst.Load(); worst > 1 {
			t.Errorf("%d calls asked the backend at the same time, though all were made after the key was forgotten", worst)
		}
	})
}
