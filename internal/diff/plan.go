package diff

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
)

// A plan is the part of plan.json that decides what an experiment measures. Seed, defect and
// the system itself are not of it: they are what is compared.
type plan struct {
	Control     bool
	Experiments map[string]planned
}

// A planned is one experiment's load, journeys and method, each as one text.
type planned struct {
	load, steps, method, times string
}

func readPlan(r *evidence.Run) (plan, error) {
	var file struct {
		Control     bool              `json:"control"`
		Journeys    []json.RawMessage `json:"journeys"`
		Experiments []struct {
			Name                string
			Load, Method        json.RawMessage
			Hold, Settle, After time.Duration
		} `json:"experiments"`
	}
	text, err := os.ReadFile(filepath.Join(r.Dir(), "plan.json"))
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		return plan{}, fmt.Errorf("run %s: its plan cannot be read: %w", r.ID(), err)
	}
	steps := map[string]string{}
	for _, raw := range file.Journeys {
		var journey struct {
			Name        string
			Data, Steps json.RawMessage
		}
		if err := json.Unmarshal(raw, &journey); err != nil {
			return plan{}, fmt.Errorf("run %s: a journey of its plan cannot be read: %w", r.ID(), err)
		}
		steps[journey.Name] = canonical(journey.Data) + canonical(journey.Steps)
	}
	p := plan{Control: file.Control, Experiments: map[string]planned{}}
	for _, x := range file.Experiments {
		p.Experiments[x.Name] = planned{canonical(x.Load), stepsOf(x.Load, steps), canonical(x.Method), fmt.Sprint(x.Hold, x.Settle, x.After)}
	}
	return p, nil
}

// stepsOf returns the steps of the journeys that a load drives.
func stepsOf(load json.RawMessage, steps map[string]string) string {
	var journeys []struct{ Journey string }
	if err := json.Unmarshal(load, &journeys); err != nil {
		return string(load)
	}
	var all strings.Builder
	for _, l := range journeys {
		all.WriteString(l.Journey + steps[l.Journey])
	}
	return all.String()
}

// canonical returns JSON without the places in files that it came from: a line that was added above changes nothing.
func canonical(raw json.RawMessage) string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return string(raw)
	}
	text, err := json.Marshal(withoutPos(v))
	if err != nil {
		return string(raw)
	}
	return string(text)
}

func withoutPos(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "pos")
		for name, value := range v {
			v[name] = withoutPos(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutPos(v[i])
		}
	}
	return v
}

// differs says what makes an experiment another one in the second plan, "" for nothing.
func (p plan) differs(other plan, experiment string) string {
	a, okA := p.Experiments[experiment]
	b, okB := other.Experiments[experiment]
	var what []string
	for _, part := range []struct {
		name string
		same bool
	}{{"load", a.load == b.load}, {"steps of its journeys", a.steps == b.steps}, {"method", a.method == b.method}, {"hold, settle or after", a.times == b.times}} {
		if !part.same {
			what = append(what, part.name)
		}
	}
	switch {
	case !okA && !okB:
		return "it is in neither plan"
	case !okA || !okB:
		return "only one side planned it"
	case p.Control != other.Control:
		return "one side is a control"
	case len(what) > 0:
		return "it has another " + strings.Join(what, ", and another ")
	}
	return ""
}

// names returns the experiments of the plan, sorted.
func (p plan) names() []string {
	var names []string
	for name := range p.Experiments {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
