package simcover

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/simrun"
	"github.com/assay-dev/assay/verdict"
)

// Environment is where simulated code runs.
const Environment = "sim"

// A Run says how the command ran.
type Run struct {
	Version string
	Args    []string
	Seed    uint64
	Began   time.Time
	Exit    int // the command's exit code
}

// Store stores the results as one run, with all that the command says as JSON. It returns the run's id.
func (c *Cover) Store(ctx context.Context, store *evidence.Store, how Run) (string, error) {
	began := how.Began.UTC()
	meta := evidence.Meta{Kind: evidence.KindSim, Tool: Tool, Started: began, Version: how.Version, Args: how.Args, Seed: how.Seed,
		OS: runtime.GOOS, Arch: runtime.GOARCH, Environment: Environment}
	if commit, err := git(ctx, c.project.Dir, "rev-parse", "HEAD"); err == nil {
		changes, err := git(ctx, c.project.Dir, "status", "--porcelain")
		meta.Commit, meta.Dirty, meta.Changes = commit, err != nil || changes != "", run.Changes(c.project.Dir)
	}
	var parts []verdict.Verdict
	ended := time.Now().UTC()
	for i := range c.Results {
		r := &c.Results[i]
		r.Version, r.Judged = how.Version, ended
		parts = append(parts, r.Verdict)
		meta.Experiments = append(meta.Experiments, r.Name)
	}
	last := make([]byte, 6)
	rand.Read(last)
	meta.ID = evidence.IDAt(began, hex.EncodeToString(last))
	_, _, err := store.Add(ctx, meta, func(to *evidence.Run) (evidence.End, error) {
		return evidence.End{Ended: ended, Verdict: verdict.Merge(parts...), Exit: how.Exit}, c.fill(to)
	})
	return meta.ID, err
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

func (c *Cover) fill(to *evidence.Run) error {
	for _, file := range []struct {
		name string
		v    any
	}{{"declaration.json", c.declaration()}, {"subjects.json", []evidence.Subject{}}, {"files/simulations.json", c.told()}} {
		if err := to.WriteJSON(file.name, file.v); err != nil {
			return err
		}
	}
	for _, r := range c.Results {
		if _, err := to.Experiment(r.Name); err != nil {
			return err
		}
		if err := to.AddJudgement(r.Name, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cover) declaration() evidence.Declaration {
	d := evidence.Declaration{System: c.project.Name, Journeys: []evidence.Journey{}}
	for _, j := range c.project.Journeys {
		d.Journeys = append(d.Journeys, evidence.Journey{Name: j.Name, Owner: j.Owner})
	}
	for i, t := range c.tests {
		for _, cell := range t.Covers {
			d.Cells = append(d.Cells, evidence.Cell{Journey: cell.Journey, Mode: cell.Mode, Experiment: c.Results[i].Name})
		}
	}
	return d
}

// told is the result without decisions that are not needed: there may be many thousands.
func (c *Cover) told() simrun.Result {
	res := *c.res
	res.Failures = nil
	for _, f := range c.res.Failures {
		kept := *f
		kept.Decisions = nil
		res.Failures = append(res.Failures, &kept)
	}
	return res
}
