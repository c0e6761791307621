// Package lib says what its callers' tests should come to.
package lib

import "github.com/assay-dev/assay/sim"

const again = "again"

// Retry comes to one of two.
func Retry(fails bool) {
	sim.Reachable("tried")
	if fails {
		sim.Sometimes(true, "tried "+again)
	}
}
