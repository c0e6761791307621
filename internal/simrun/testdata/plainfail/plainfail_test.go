// Package plainfail has tests that fail beside a simulation. It is built with the overlay only.
package plainfail

import (
	"testing"

	"github.com/assay-dev/assay/sim"
)

func TestPlain(t *testing.T) {
	t.Run("part", func(t *testing.T) { t.Error("planted, beside simulations") })
}

func TestPlainPanic(t *testing.T) { panic("planted, beside simulations") }

func TestSim(t *testing.T) { sim.Run(t, func(s *sim.Sim) {}) }
