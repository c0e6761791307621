// Package helped has a simulation, and does not say so.
package helped

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/simrun/testdata/helped/cluster"
)

func TestHelped(t *testing.T) {
	cluster.Run(t, func() { time.Sleep(time.Hour) })
}
