// Package bugs has planted ones, for the tests of simrun. It is built with the overlay only.
package bugs

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

type account struct {
	mu sync.Mutex
	n  int
}

func (a *account) get() int  { a.mu.Lock(); defer a.mu.Unlock(); return a.n }
func (a *account) set(n int) { a.mu.Lock(); defer a.mu.Unlock(); a.n = n }

// Each access is locked, and an update is lost where another comes between read and write.
func TestLostUpdate(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var a account
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { a.set(a.get() + 1) })
		}
		wg.Wait()
		s.Event("the account has %d", a.n)
		sim.Always(a.n == 2, "no update is lost", a.n)
	})
}

func TestFine(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		time.Sleep(time.Second)
		sim.Sometimes(s.Seed()%2 == 0, "an even seed")
	})
}

func TestNeverThere(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { sim.Sometimes(false, "the rare branch") })
}

func TestPanicInHost(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Go(func() { panic("planted") })
		time.Sleep(time.Second)
	})
}

func TestDeadlock(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { <-make(chan int) })
}

func TestNeverEnds(t *testing.T) {
	sim.RunWith(t, sim.Options{Limit: time.Minute}, func(s *sim.Sim) {
		for {
			time.Sleep(time.Second)
		}
	})
}

func TestLivelock(t *testing.T) {
	sim.RunWith(t, sim.Options{Steps: 10000}, func(s *sim.Sim) {
		c := make(chan int)
		go func() {
			for v := range c {
				c <- v
			}
		}()
		for {
			c <- 1
			<-c
		}
	})
}

// A loop over an atomic that nobody will ever set.
func TestSpinForEver(t *testing.T) {
	sim.RunWith(t, sim.Options{Steps: 10000}, func(s *sim.Sim) {
		var never atomic.Bool
		for !never.Load() {
		}
	})
}

// Real I/O: nothing that a seed decides.
func TestOutside(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			r.Read(make([]byte, 1))
			close(read)
		}()
		for range 1000 { // until it waits
			runtime.Gosched()
		}
		w.Write([]byte("x"))
		<-read
		w.Close()
		r.Close()
	})
}

// A loop that waits for nothing: no other goroutine of the simulation ever runs again.
func TestStall(t *testing.T) {
	sim.RunWith(t, sim.Options{Stall: time.Second}, func(s *sim.Sim) {
		for n := 0; ; n++ {
			if n < 0 {
				return
			}
		}
	})
}

var left int // what seeds leave behind

func TestGlobal(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		left++
		sim.Always(left < 5, "few runs in one process", left)
	})
}

// Besides what it leaves behind, it has a defect that some seeds show in any process.
func TestGlobalAndMore(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		left++
		sim.Always(left < 5, "few runs in one process", left)
		sim.Always(s.Seed() < 30, "no high seed", s.Seed())
	})
}

// Its process is killed, as by a machine without memory: as often as BUGS_KILL has files.
func TestKilled(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		time.Sleep(time.Second)
		if files, _ := filepath.Glob(filepath.Join(os.Getenv("BUGS_KILL"), "*")); len(files) > 0 {
			os.Remove(files[0])
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})
}
