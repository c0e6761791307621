package sim

import "slices"

// A Cell is one failure mode of one journey, as the matrix of a project has it.
type Cell struct {
	Journey string `json:"journey"`
	Mode    string `json:"mode"`
}

// Covers says that this simulation is meant to show how a journey of the project survives failure modes, such as
// Covers("checkout", "retry", "timeout"). "assay sim" writes what its seeds came to into the project's evidence, where matrix
// and gate find it.
//
// What is meant is not proved: the cells stay unproven until every Sometimes and Reachable of the test was true in some
// seed, and there has to be one, since otherwise nobody would know that a retry was ever needed. Outside a simulation, and
// in a plain "go test", Covers does nothing.
func Covers(journey string, modes ...string) {
	s := current.Load()
	if s == nil {
		return
	}
	s.pinned(func() {
		for _, mode := range modes {
			if c := (Cell{journey, mode}); !slices.Contains(s.covers, c) {
				s.covers = append(s.covers, c)
			}
		}
	})
}
