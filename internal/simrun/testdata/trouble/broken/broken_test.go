// Package broken does not compile.
package broken

import (
	"testing"

	"github.com/assay-dev/assay/sim"
)

func TestBroken(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { undefinedThing() })
}
