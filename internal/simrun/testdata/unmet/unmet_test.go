// Package unmet has simulations that do not come everywhere. It is built with the overlay only.
package unmet

import (
	"testing"

	"github.com/assay-dev/assay/internal/simrun/testdata/unmet/lib"
	simulated "github.com/assay-dev/assay/sim"
)

func TestNever(t *testing.T) {
	simulated.Run(t, func(s *simulated.Sim) {
		simulated.Covers("write", "timeout")
		simulated.Reachable("begun")
		lib.Retry(false)
		if s.Seed() > 1000 {
			simulated.Reachable("a write is sent again")
		}
	})
}

func TestParts(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			if name == "two" {
				t.Skip("two needs a disk")
			}
			simulated.Run(t, func(s *simulated.Sim) {
				if name == "one" {
					simulated.Reachable("part one")
				}
			})
		})
	}
}

func TestSkippedBefore(t *testing.T) {
	t.Skip("there is no database")
	begin(t)
}

func TestReturns(t *testing.T) {
	if testing.Verbose() || !testing.Verbose() {
		return
	}
	begin(t)
}

// A skipped test without a simulation is nobody's business here.
func TestPlain(t *testing.T) { t.Skip("no simulation") }

func begin(t *testing.T) {
	simulated.Run(t, func(s *simulated.Sim) {})
}

var never = false

func helper() {
	if never {
		simulated.Reachable("in a helper")
	}
}

func TestHelped(t *testing.T) {
	simulated.Run(t, func(s *simulated.Sim) { helper() })
}
