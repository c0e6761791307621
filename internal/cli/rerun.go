package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

// again knows how to run the experiments of a stored run again from here. The zero value does not.
type again struct {
	app     *app
	folder  string // of the project, as the user would write it
	project *spec.Project
	meta    evidence.Meta
}

// again looks for the project that a run is of: in the folder that the user names, or else in the one that the run was
// started with, as its commands have it, and here. A run that came from elsewhere may have none.
func (a *app) again(r *evidence.Run, named string) again {
	meta, err := r.Meta()
	declared, declErr := r.Declaration()
	if err != nil || declErr != nil || meta.Kind != evidence.KindRun {
		return again{}
	}
	folders := []string{named}
	if named == "" {
		folders = []string{startedWith(r), "."}
	}
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		project, err := run.Prepare(folder, run.Options{Defect: meta.Defect})
		if err == nil && project.Name == declared.System {
			return again{a, filepath.Clean(folder), project, meta}
		}
	}
	return again{}
}

// command runs an experiment again with the same seed and defect; "" where that cannot be done from here. A control is run
// with its experiment.
func (g again) command(name string) string {
	name, _, control := strings.Cut(name, "@")
	if g.project == nil || !slices.ContainsFunc(g.project.Experiments, func(x experiment.Experiment) bool { return x.Name == name }) {
		return ""
	}
	words := []string{"run", g.folder, "--experiment", name, "--seed", fmt.Sprint(g.meta.Seed)}
	if g.meta.Defect != "" {
		words = append(words, "--defect", g.meta.Defect)
	}
	if control || g.meta.Control {
		words = append(words, "--control")
	}
	return g.app.command(words...)
}

// startedWith is the folder that the run was started with, as its recorded commands have it; "" where none has.
func startedWith(r *evidence.Run) string {
	names, _ := r.Experiments()
	for _, name := range names {
		result, err := r.Result(name)
		if err != nil {
			continue
		}
		if m := regexp.MustCompile(` run (?:'([^']*)'|(\S+)) --experiment `).FindStringSubmatch(result.Replay); m != nil {
			return cmp.Or(m[1], m[2])
		}
	}
	return ""
}
