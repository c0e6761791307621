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
// What looks secret in them is no part of it either, so that the plan in the evidence, where it is not, has the same.
func Definition(project *spec.Project, x experiment.Experiment) string {
	journeys, errJourneys := withoutSecrets(driven(project.Journeys, x))
	final, errFinal := withoutSecrets(project.Final)
	if errJourneys != nil || errFinal != nil {
		return undefined
	}
	return define(x, journeys, final)
}

// undefined is the definition of what has none: it is like no other.
const undefined = "sha256:"

// definition returns that of an experiment as the plan has it.
func (p Plan) definition(x experiment.Experiment) string {
	return define(x, driven(p.Journeys, x), p.Final)
}

func define(x experiment.Experiment, journeys []workload.Journey, final []workload.Step) string {
	text, err := json.Marshal([]any{x, journeys, final})
	if err != nil {
		return undefined
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(unplaced(text)))
}

// driven returns the journeys that an experiment drives.
func driven(all []workload.Journey, x experiment.Experiment) []workload.Journey {
	var journeys []workload.Journey
	for _, load := range x.Load {
		for _, j := range all {
			if j.Name == load.Journey {
				journeys = append(journeys, j)
			}
		}
	}
	return journeys
}

// withoutSecrets redacts what may hold secrets, and saves the trouble where nothing can: they are in URLs, in headers and in the environment.
func withoutSecrets[T any](part T) (T, error) {
	text, err := json.Marshal(part)
	if err != nil || !bytes.ContainsRune(text, '@') && !bytes.Contains(text, []byte(`"headers"`)) && !bytes.Contains(text, []byte(`"env"`)) {
		return part, err
	}
	return redactedCopy(part)
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
