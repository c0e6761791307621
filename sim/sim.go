package sim

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/history"
)

// Options say how a simulation runs. The zero value works.
type Options struct {
	// Quantum is what instants are rounded up to: code takes no simulated time, so what happens nearly at once
	// would never overlap. 0 is a millisecond, below 0 is none.
	Quantum time.Duration
	// Limit is how long a simulation may last in simulated time: one that goes on is reported with all
	// its goroutines. 0 is a day.
	Limit time.Duration
	// Steps is how often a goroutine may be chosen to run, against loops in which no time passes. 0 is 20 million.
	Steps uint64
	// Stall is how much real time may pass without any goroutine being chosen: then the process ends with the
	// stacks of all. It is meant for loops that wait for nothing, and for waits that nobody ends. 0 is two minutes, below 0 never:
	// for a test that computes for long within its simulation.
	Stall time.Duration
}

// Run runs f as a simulation: in a bubble of testing/synctest, where time is simulated, and under "assay sim" with
// every order of events decided by a seed. It returns when f and all goroutines that it started have ended; goroutines
// of hosts are ended then.
//
// A plain "go test" runs f once, unseeded, and says so in the log; a test that needs hosts is skipped there.
func Run(t *testing.T, f func(s *Sim)) {
	t.Helper()
	RunWith(t, Options{}, f)
}

// RunWith is Run with options.
func RunWith(t *testing.T, o Options, f func(s *Sim)) {
	t.Helper()
	defer process.turns.take(t)()
	r := begin(t, o)
	s := &Sim{run: r, controlled: r.controlled, outer: t}
	r.sim = s
	t.Cleanup(func() { ended.CompareAndSwap(s, nil) })
	ended.Store(nil) // outside of the bubble, where it is no operation to preempt
	returned := false
	defer func() {
		if returned || t.Failed() {
			s.judge(t)
			r.end(t, s)
			return
		}
		r.dying() // it panics: a deadlock
	}()
	synctest.Test(t, func(inner *testing.T) {
		s.start(inner)
		defer s.stop()
		defer s.skipInner(t)
		f(s)
	})
	returned = true
}

// A Sim is one running simulation. Its methods may be called from any of its goroutines.
type Sim struct {
	run        *run
	controlled bool
	t, outer   *testing.T  // as the simulation sees it, and as it was handed to Run
	broke      atomic.Bool // an assertion did not hold
	began      time.Time

	mu     sync.Mutex
	skip   string
	points map[point]*Point
	events []event
	covers []Cell
	world  world
	swarm  string            // what faults the seed drew
	notes  map[uint64]string // what a decision about a disk did, by its number

	histories []*History
	last      time.Duration // of a history
	broken    []history.Op  // histories that do not hold
}

type event struct {
	at   time.Duration
	host string
	text string
}

func (s *Sim) start(t *testing.T) {
	s.t, s.began, s.points = t, time.Now(), map[point]*Point{}
	current.Store(s)
}

func (s *Sim) stop() {
	s.stuck()
	s.endHosts()
}

// T is the test, as the simulation sees it: its Cleanup runs inside.
func (s *Sim) T() *testing.T { return s.t }

// Seed is what decides this run. It is 0 where nothing does.
func (s *Sim) Seed() uint64 { return s.run.config.seed }

// Seeded reports whether the seed decides every order of events: whether "assay sim" runs the test.
func (s *Sim) Seeded() bool { return s.controlled }

// Now is how much simulated time has passed, on every host alike.
func (s *Sim) Now() time.Duration {
	if s.controlled { // a host's own clock may be set, and time.Since goes by it
		return time.Duration(rtElapsed())
	}
	return time.Since(s.began)
}

// Choose returns a number from 0 to n-1 that the seed decides. It is recorded with the decisions, so that
// a failing run can be made smaller: 0 should be the plainest choice. It panics if n is not from 1 to 2³²-1.
func (s *Sim) Choose(n int) int {
	if n < 1 || n > math.MaxUint32 {
		panic(fmt.Sprintf("sim: Choose(%d): there are no numbers from 0 to %d that a seed could decide on", n, n-1))
	}
	if !s.controlled {
		return int(uint64(time.Now().UnixNano()/1e6) % uint64(n))
	}
	return int(rtChoose(uint32(n)))
}

// Event notes what happened: in the log of the run, and in the trace that two runs of one seed must agree on.
func (s *Sim) Event(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.pinned(func() {
		s.events = append(s.events, event{at: s.Now(), host: s.hostName(), text: text})
		h := uint64(14695981039346656037)
		for _, c := range []byte(text) {
			h = (h ^ uint64(c)) * 1099511628211
		}
		rtFold(h)
	})
}

// pinned runs f with nothing of the simulation in between, so that a crash of a host never leaves the lock behind.
func (s *Sim) pinned(f func()) {
	rtPin(1)
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		rtPin(-1)
	}()
	f()
}

// needs skips the test where the overlay is not there.
func (s *Sim) needs(what string) {
	if s.controlled {
		return
	}
	s.mu.Lock()
	s.skip = fmt.Sprintf("sim: %s needs the simulated network of \"assay sim\": assay sim --run '^%s$' .", what, s.t.Name())
	s.mu.Unlock()
	s.t.SkipNow()
}
