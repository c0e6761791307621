package worldc

import (
	"os/user"
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

// C code of the standard library's is called from here.
func TestUser(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if nobody() == nil {
			t.Error("somebody has that name")
		}
	})
}

func nobody() error {
	_, err := user.Lookup("no-such-user-here")
	return err
}
