package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/simcover"
	"github.com/assay-dev/assay/internal/simrun"
	"github.com/assay-dev/assay/internal/spec"
)

// coverFlags say what becomes of what simulations cover.
type coverFlags struct {
	project  string // folder; "" looks for one
	anyStore bool   // --store was given
	none     bool   // store nothing
}

// cover stores what simulations prove of the cells that they cover. Who asks for one seed, a replay or an audit looks
// for something, and proves nothing.
func (a *app) cover(ctx context.Context, flags coverFlags, o simrun.Options, res *simrun.Result, began time.Time, code int) error {
	one := o.Seeds == 1 && o.For == 0
	if flags.none || one || o.Replay != "" || o.Audit || !simcover.Asked(res) {
		return nil
	}
	dir, err := nearestProject(flags.project)
	if err != nil {
		return err
	}
	project, err := spec.Load(dir)
	if err != nil {
		return err
	}
	cover, err := simcover.Of(res, project, o.All)
	if err != nil {
		return &run.UsageError{Msg: err.Error()}
	}
	if len(cover.Results) == 0 {
		return nil
	}
	where := a.store
	if flags.project == "" && !flags.anyStore { // beside the project that was found, wherever the tests are
		where = filepath.Join(dir, a.store)
	}
	store, err := evidence.OpenStore(where)
	if err != nil {
		return &run.UsageError{Msg: err.Error()}
	}
	id, err := cover.Store(ctx, store, simcover.Run{Version: version(), Args: os.Args[1:], Seed: o.Seed, Began: began, Exit: code})
	if err != nil {
		return fmt.Errorf("store the evidence: %w", err)
	}
	if !a.json {
		fmt.Fprintf(a.err, "evidence: run %s in %s\n", id, where)
		for _, r := range cover.Results {
			a.printCells(r)
		}
	}
	return nil
}

func (a *app) printCells(r evidence.ExperimentResult) {
	for _, journey := range slices.Sorted(maps.Keys(r.Modes)) {
		for _, m := range r.Modes[journey] {
			fmt.Fprintf(a.err, "  %s: %s %v: %s\n", journey, m.Name, r.Verdict, m.Text)
		}
	}
}

// nearestProject finds the project that tests belong to: the one in this folder or the nearest above it.
func nearestProject(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, spec.FileName))
		if err == nil {
			if rel, err := filepath.Rel(here, dir); err == nil {
				return rel, nil
			}
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", &run.UsageError{Msg: fmt.Sprintf("the tests cover cells of a project (sim.Covers), and there is no %s in %s or above it: name its folder with --project, or store nothing with --no-evidence", spec.FileName, here)}
		}
	}
}
