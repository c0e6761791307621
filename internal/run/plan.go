package run

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/workload"
)

// A Plan is all that decides a run, as plan.json stores it. The same files and
// the same seed give the same bytes; no time, no id and no path of the machine is in it.
type Plan struct {
	System      system.System      `json:"system"`
	Seed        uint64             `json:"seed"`
	Defect      string             `json:"defect,omitempty"`
	Control     bool               `json:"control,omitempty"`
	Journeys    []workload.Journey `json:"journeys"`
	Setup       []workload.Step    `json:"setup,omitempty"`
	Final       []workload.Step    `json:"final,omitempty"`
	Experiments []Planned          `json:"experiments"`
}

// Planned is an experiment and what its faults would hit, as far as that is known before the system runs.
type Planned struct {
	experiment.Experiment
	Targets [][]string `json:"targets"` // by action
}

// NewPlan plans the experiments of project. A fault that does not fit the system is a *UsageError.
// What looks secret is not in the plan.
func NewPlan(ctx context.Context, project *spec.Project, opts Options) (Plan, error) {
	plan := Plan{System: project.System, Seed: project.Seed, Defect: opts.Defect, Control: opts.Control,
		Journeys: project.Journeys, Setup: project.Setup, Final: project.Final}
	for _, x := range project.Experiments {
		planned := Planned{Experiment: x}
		for i, action := range x.Method {
			targets, err := targets(ctx, project, x.Name, i, action)
			if err != nil {
				return Plan{}, err
			}
			planned.Targets = append(planned.Targets, targets)
		}
		plan.Experiments = append(plan.Experiments, planned)
	}
	return plan.portable().redacted()
}

// targets returns what an action would hit. A fault that this system cannot have is a mistake in the user's files.
func targets(ctx context.Context, project *spec.Project, name string, i int, action experiment.Action) ([]string, error) {
	err := action.Fault.Check(project.System, nil)
	if err == nil {
		var targets []string
		if targets, err = action.Fault.Targets(ctx, project.System, nil, injectOptions(project.Seed, name, i)); err == nil {
			return targets, nil
		}
	}
	where := action.Pos
	if where == "" {
		where = "experiment " + name
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return nil, &UsageError{where + ": " + err.Error()}
}

// injectOptions are the options that experiment.Run injects action i of an experiment with.
func injectOptions(seed uint64, name string, i int) fault.Options {
	return fault.Options{Seed: seed, ID: experiment.ActionID(name, i)}
}

// portable returns the plan with folders of this machine taken out.
func (p Plan) portable() Plan {
	base := p.System.Dir
	p.System.Dir = ""
	services := make([]system.Service, len(p.System.Services))
	for i, s := range p.System.Services {
		if rel, err := filepath.Rel(base, s.Process.Dir); err == nil && s.Process.Dir != "" {
			s.Process.Dir = rel
		}
		if s.Recipe != "" { // where this machine has its programs, and which they are, is in the subjects
			s.Process.Binary, s.Process.Programs, s.Process.Image = "", "", nil
		}
		services[i] = s
	}
	p.System.Services = services
	return p
}

// Declare says which journeys there are, who answers for them, which cells experiments are to prove, and which a release needs.
func Declare(project *spec.Project) evidence.Declaration {
	d := evidence.Declaration{System: project.Name}
	for _, j := range project.Journeys {
		d.Journeys = append(d.Journeys, evidence.Journey{Name: j.Name, Owner: j.Owner})
	}
	for _, x := range project.Declared {
		for _, journey := range slices.Sorted(maps.Keys(x.Covers)) {
			for _, mode := range x.Covers[journey] {
				d.Cells = append(d.Cells, evidence.Cell{Journey: journey, Mode: mode, Experiment: x.Name})
			}
		}
	}
	for _, x := range project.Declared {
		d.Experiments = append(d.Experiments, evidence.Defined{Name: x.Name, Definition: Definition(project, x)})
	}
	for _, c := range project.Contracts {
		d.Contracts = append(d.Contracts, evidence.Contract{Name: c.Name, Owner: c.Owner})
	}
	d.Required, d.WaiversMax = project.Policy.Required(d.Journeys), project.Policy.WaiversMax
	for _, c := range project.Policy.Conditions {
		d.Conditions = append(d.Conditions, evidence.Condition{Name: c.Name, Expect: c.Expect})
	}
	return d
}

// pick leaves the experiments that only names, in the project's order. An unknown name is an error.
func pick(project *spec.Project, only []string) error {
	if len(only) == 0 {
		return nil
	}
	var names []string
	var picked []experiment.Experiment
	wanted := map[string]bool{}
	for _, name := range only {
		wanted[name] = true
	}
	for _, x := range project.Experiments {
		names = append(names, x.Name)
		if wanted[x.Name] {
			picked = append(picked, x)
			delete(wanted, x.Name)
		}
	}
	for name := range wanted {
		return &UsageError{fmt.Sprintf("no experiment is called %q (there are: %v)", name, names)}
	}
	project.Experiments = picked
	return nil
}
