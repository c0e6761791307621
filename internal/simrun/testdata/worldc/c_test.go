package worldc

import (
	"testing"

	"github.com/assay-dev/assay/sim"
)

func TestC(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if got := Answer(); got != 42 {
			t.Error(got)
		}
	})
}
