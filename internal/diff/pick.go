package diff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
)

// A Choice says which runs of a store are compared with a run.
type Choice struct {
	Last   int    // how many runs of before are the base
	Pool   bool   // the candidate is the run with those before it of the same build; the base is of other builds
	Commit string // the base is of this commit only; a prefix does
	Only   []string
}

// Pick returns the runs to compare run with, newest first: the newest of before it that are whole, that have no defect
// planted, and that share an experiment with it. With Pool it also returns the candidates, run first.
// notes say what was passed over.
func Pick(store *evidence.Store, run *evidence.Run, c Choice) (base, candidates []*evidence.Run, notes []string, err error) {
	list, err := store.List()
	if err != nil {
		return nil, nil, nil, err
	}
	mine, err := open(run)
	if err != nil || mine.broken != "" {
		return nil, []*evidence.Run{run}, nil, err
	}
	build, candidates := buildOf(run), []*evidence.Run{run}
	for _, sum := range list {
		if sum.ID >= run.ID() || len(base) == c.Last {
			continue
		}
		other, err := store.Open(sum.ID)
		if err != nil {
			return nil, nil, nil, err
		}
		if why := c.unusable(mine, sum, other); why != "" {
			notes = append(notes, fmt.Sprintf("run %s is passed over: %s", sum.ID, why))
			continue
		}
		same := build != nil && maps.Equal(build, buildOf(other)) && sum.Meta.Defect == mine.Meta.Defect
		switch {
		case c.Pool && same:
			candidates = append(candidates, other)
		case sum.Meta.Defect != "":
			notes = append(notes, fmt.Sprintf("run %s is passed over: it has the defect %s planted", sum.ID, sum.Meta.Defect))
		case strings.HasPrefix(sum.Meta.Commit, c.Commit):
			base = append(base, other)
		}
	}
	return base, candidates, notes, nil
}

// unusable says why a run cannot be compared with mine, "" if it can: it is whole, and at least one experiment is the same
// and has figures that say something.
func (c Choice) unusable(mine *Run, sum evidence.Summary, other *evidence.Run) string {
	if sum.Status != evidence.Complete {
		return fmt.Sprintf("it is %s", sum.Status)
	}
	if why := elsewhere(mine.Meta, sum.Meta); why != "" {
		return why
	}
	theirs, err := open(other)
	if err != nil {
		return err.Error()
	}
	if theirs.broken != "" {
		return theirs.broken
	}
	why := "it shares no experiment"
	for _, name := range mine.plan.names() {
		if len(c.Only) > 0 && !slices.Contains(c.Only, name) || mine.plan.differs(theirs.plan, name) != "" {
			continue
		}
		result, err := other.Result(name)
		if err != nil {
			why = name + ": " + err.Error()
			continue
		}
		reasons := unfit(result)
		if len(reasons) == 0 {
			return ""
		}
		why = name + ": " + strings.Join(reasons, "; ")
	}
	return why
}

// elsewhere says what makes two runs ones of different places, "" for nothing.
func elsewhere(a, b evidence.Meta) string {
	for _, part := range []struct{ what, a, b string }{
		{"environment", a.Environment, b.Environment}, {"grade", a.Grade, b.Grade}, {"system", a.OS + "/" + a.Arch, b.OS + "/" + b.Arch},
	} {
		if part.a != part.b {
			return fmt.Sprintf("it has another %s (%s and %s)", part.what, part.a, part.b)
		}
	}
	return ""
}

// buildOf returns the digest of what ran by service, nil where it is not known.
func buildOf(r *evidence.Run) map[string]string {
	subjects, err := r.Subjects()
	if err != nil {
		return nil
	}
	build := map[string]string{}
	for _, s := range subjects {
		build[s.Service] = s.SHA256
	}
	return build
}
