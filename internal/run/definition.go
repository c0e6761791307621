package run

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"

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
	text, err := json.Marshal([]any{x, journeys, project.Final})
	if err != nil {
		return "sha256:" // it cannot be told, and is like no other
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(unplaced(text)))
}

// unplaced returns JSON without the positions in it. Within a text quotes are escaped, so what looks like a key is one.
func unplaced(text []byte) []byte {
	return regexp.MustCompile(`"[pP]os":"(?:[^"\\]|\\.)*"`).ReplaceAll(text, nil)
}
