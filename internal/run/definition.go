package run

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/workload"
)

// Definition returns the digest of what defines an experiment: itself, the journeys that it drives and the final steps.
// Where these stand in their files is no part of it. Evidence of an experiment that was changed since is evidence of another one.
func Definition(project *spec.Project, x experiment.Experiment) string {
	var journeys []workload.Journey
	for _, load := range x.Load {
		for _, j := range project.Journeys {
			if j.Name == load.Journey {
				journeys = append(journeys, j)
			}
		}
	}
	var tree any
	text, err := json.Marshal(map[string]any{"experiment": x, "journeys": journeys, "final": project.Final})
	if err == nil {
		err = decode(text, &tree)
	}
	if err == nil {
		text, err = json.Marshal(unplaced(tree))
	}
	if err != nil {
		return "sha256:" // it cannot be told, and is like no other
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(text))
}

// unplaced returns a JSON value without the positions in it.
func unplaced(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = unplaced(v[i])
		}
	case map[string]any:
		delete(v, "pos")
		delete(v, "Pos")
		for key, value := range v {
			v[key] = unplaced(value)
		}
	}
	return v
}
