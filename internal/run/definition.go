package run

import (
	"bytes"
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
	text, err := json.Marshal([]any{x, journeys, project.Final})
	if err != nil {
		return "sha256:" // it cannot be told, and is like no other
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(unplaced(text)))
}

// unplaced returns JSON without the positions in it. Within a text quotes are escaped, so what looks like a key is one.
func unplaced(text []byte) []byte {
	var kept []byte
	for {
		at := bytes.Index(text, []byte(`os":"`))
		if at < 0 {
			return append(kept, text...)
		}
		end := at + len(`os":"`)
		if at < 2 || text[at-2] != '"' || text[at-1] != 'p' && text[at-1] != 'P' {
			kept, text = append(kept, text[:end]...), text[end:]
			continue
		}
		kept = append(kept, text[:at-2]...)
		for ; text[end] != '"'; end++ {
			if text[end] == '\\' {
				end++
			}
		}
		text = text[end+1:]
	}
}
