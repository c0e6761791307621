// Package cluster is a package for tests, that knows of simulations.
package cluster

import (
	"testing"

	"github.com/assay-dev/assay/sim"
)

// Run runs a test in a simulation.
func Run(t *testing.T, f func()) {
	sim.Run(t, func(*sim.Sim) { f() })
}
