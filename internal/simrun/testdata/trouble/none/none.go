// Package none has no tests.
package none

import "github.com/assay-dev/assay/sim"

// Mode is here so that the package imports sim.
func Mode(s *sim.Sim) bool { return s.Seeded() }
