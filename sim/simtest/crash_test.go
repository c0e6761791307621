package simtest

import (
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// Goroutines of a host that wait in every way there is die with it; what they waited in works on for others.
func TestCrash(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("h")
		w := waits{ch: make(chan int), never: make(chan int), alive: map[string]int{}}
		w.cond.L = &w.cmu
		w.held.Lock()
		w.wg.Add(1)
		h.Boot(func() { w.all() })
		time.Sleep(10 * time.Millisecond)
		if woken := w.woken(); len(woken) != 0 {
			t.Fatalf("these did not wait: %v", woken)
		}
		h.Crash()
		if h.Up() {
			t.Error("it is up after its crash")
		}
		go func() { w.ch <- 1 }() // no dead receiver takes it
		if got := <-w.ch; got != 1 {
			t.Errorf("got %d, want 1", got)
		}
		w.held.Unlock()
		w.wg.Done()
		w.cond.Broadcast()
		time.Sleep(time.Minute)
		if woken := w.woken(); len(woken) != 0 {
			t.Errorf("these outlived the crash: %v", woken)
		}
		h.Restart()
		time.Sleep(time.Minute)
		if n := w.boots.Load(); n != 2 {
			t.Errorf("the host booted %d times, want 2", n)
		}
	})
}

type waits struct {
	ch, never chan int
	held      sync.Mutex
	wg        sync.WaitGroup
	cmu       sync.Mutex
	cond      sync.Cond
	amu       sync.Mutex
	alive     map[string]int
	boots     atomic.Int32
}

func (w *waits) wake(name string) { w.amu.Lock(); defer w.amu.Unlock(); w.alive[name]++ }

func (w *waits) woken() map[string]int {
	w.amu.Lock()
	defer w.amu.Unlock()
	return maps.Clone(w.alive)
}

func (w *waits) all() {
	waiting := map[string]func(){
		"receive": func() { <-w.ch },
		"nil":     func() { <-(chan int)(nil) },
		"select": func() {
			select {
			case <-w.ch:
			case w.never <- 1:
			}
		},
		"sleep": func() { time.Sleep(30 * time.Second) },
		"lock":  func() { w.held.Lock() },
		"group": func() { w.wg.Wait() },
		"cond":  func() { w.cmu.Lock(); w.cond.Wait(); w.cmu.Unlock() },
		"timer": func() { <-time.After(20 * time.Second) },
	}
	if w.boots.Add(1) > 1 {
		return
	}
	time.AfterFunc(15*time.Second, func() { w.wake("after") })
	for name, f := range waiting {
		go func() {
			defer w.wake(name + " (deferred)")
			f()
			w.wake(name)
		}()
	}
}

// A host may crash itself, and others crash it at any moment.
func TestCrashAnywhere(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("h")
		var mu sync.Mutex
		n := 0
		h.Boot(func() {
			var own sync.Mutex
			for range 4 {
				go func() {
					for range 50 {
						own.Lock()
						n++
						own.Unlock()
						time.Sleep(time.Millisecond)
					}
				}()
			}
			time.Sleep(time.Duration(1+s.Choose(20)) * time.Millisecond)
			if s.Choose(2) == 1 {
				h.Crash()
				mu.Lock()
				t.Error("it goes on after its own crash")
				mu.Unlock()
			}
		})
		for range 5 {
			time.Sleep(time.Duration(1+s.Choose(30)) * time.Millisecond)
			h.Restart()
		}
		time.Sleep(time.Second)
		h.Crash() // and so all that counted n are done
		s.Event("counted %d", n)
		sim.Sometimes(n < 1000, "a crash came in between")
	})
}

// Clocks of hosts differ, and sleeps do not.
func TestClock(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("fast")
		h.Clock(time.Hour)
		start := time.Now()
		h.Do(func() {
			if d := time.Since(start); d < time.Hour || d > time.Hour+time.Second {
				t.Errorf("the clock is %v ahead, want 1h", d)
			}
			before := time.Now()
			time.Sleep(time.Second)
			if d := time.Since(before); d != time.Second {
				t.Errorf("a second took %v", d)
			}
		})
	})
}

// Do waits for as long as it takes, and no longer: it returns when its host crashes.
func TestDo(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("a")
		at := func(want time.Duration, ok, wantOK bool) {
			t.Helper()
			if s.Now() != want || ok != wantOK {
				t.Errorf("%v at %v, want %v at %v", ok, s.Now(), wantOK, want)
			}
		}
		at(6*time.Hour, h.Do(func() { time.Sleep(6 * time.Hour) }), true) // the limit is a day, and 20 million steps
		go func() {
			time.Sleep(time.Second)
			h.Crash()
		}()
		reached := 0
		at(6*time.Hour+time.Second, h.Do(func() { reached = 1; time.Sleep(time.Hour); reached = 2 }), false)
		at(6*time.Hour+time.Second, h.Do(func() {}), false)
		if reached != 1 { // what the dead did came before
			t.Errorf("it came to %d", reached)
		}
		h.Restart()
		at(6*time.Hour+time.Second, h.Do(h.Crash), false)
		go func() {
			time.Sleep(time.Second)
			h.Restart()
		}()
		h.Restart()
		at(6*time.Hour+2*time.Second, h.Do(func() { select {} }), false)
	})
}
