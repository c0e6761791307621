package bugs

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

var counted int // runs of this process

// No function of the seed: what a run does depends on those before it.
func TestCounts(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		counted++
		time.Sleep(time.Second)
		s.Event("run %d", counted)
		time.Sleep(time.Second)
	})
}
