// Package exits ends its process by itself.
package exits

import (
	"os"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

func TestMain(m *testing.M) { os.Exit(m.Run()) }

// It says that all is well, and is gone.
func TestExits(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		time.Sleep(time.Second)
		os.Exit(0)
	})
}

func TestStays(t *testing.T) { sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) }) }
