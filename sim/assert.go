package sim

import (
	"cmp"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/history"
)

// current is the simulation that Always, Sometimes and Reachable speak to: code under test has no Sim at hand. It and ended are the
// variables of this package besides those that count runs; simulations of one process run one after the other.
var current atomic.Pointer[Sim]

// ended is the last simulation, until its test has ended, or another begins.
var ended atomic.Pointer[Sim]

// A Point is one named assertion, over a simulation.
type Point struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Hits   int    `json:"hits"`             // times it was reached
	True   int    `json:"true"`             // times its condition held
	Broken string `json:"broken,omitempty"` // what was said when it first did not
	AtNS   int64  `json:"at_ns,omitempty"`
	Where  string `json:"where,omitempty"` // file:line, of one that no seed came to
	// Witness are the operations that show it, of a check of a history.
	Witness []history.Op `json:"witness,omitempty"`
}

// point tells one assertion from another.
type point struct{ kind, name string }

// Always fails the simulation where ok is false. The name tells one assertion from another; args are formatted
// like those of fmt.Sprint, and say what was found. After a simulation, until its test has ended, it fails the test; elsewhere
// it does nothing.
func Always(ok bool, name string, args ...any) {
	s := current.Load()
	if s == nil {
		if s = ended.Load(); s != nil && !ok {
			s.outer.Helper()
			s.outer.Errorf("after the simulation: %q does not hold%s", name, colon(fmt.Sprint(args...)))
		}
		return
	}
	if p := s.reach("always", name, ok); !ok && p.first {
		s.outer.Helper() // the line of a failure is its caller's
		s.breaks(p.Point, fmt.Sprint(args...))
	}
}

// Sometimes notes whether ok was ever true. One that no seed made true is reported: the tests
// did not get where they were meant to.
func Sometimes(ok bool, name string) {
	if s := current.Load(); s != nil {
		s.reach("sometimes", name, ok)
	}
}

// Reachable notes that this line was run. It is Sometimes(true, name).
func Reachable(name string) { Sometimes(true, name) }

// Unreachable fails the simulation that runs this line.
func Unreachable(name string, args ...any) {
	if s := cmp.Or(current.Load(), ended.Load()); s != nil {
		s.outer.Helper()
	}
	Always(false, name, args...)
}

type reached struct {
	*Point
	first bool // the first time that it did not hold
}

func (s *Sim) reach(kind, name string, ok bool) (r reached) {
	s.pinned(func() {
		key := point{kind, name}
		p := s.points[key]
		if p == nil {
			p = &Point{Kind: kind, Name: name}
			s.points[key] = p
		}
		p.Hits++
		if ok {
			p.True++
		}
		r = reached{p, !ok && p.Hits-p.True == 1}
	})
	return r
}

// breaks fails the test that was handed to Run: goroutines may go on when the simulation's own has ended.
func (s *Sim) breaks(p *Point, text string) {
	at := s.Now()
	s.pinned(func() { p.Broken, p.AtNS = text, int64(at) })
	s.broke.Store(true)
	s.outer.Helper()
	s.outer.Errorf("at %v: %q does not hold%s", at.Round(time.Microsecond), p.Name, colon(text))
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}
