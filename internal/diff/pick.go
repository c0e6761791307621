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
// notes say what was passed over. Where only runs that are not whole stand before it, they are the base, so that Compare
// says what is wrong with them; where none does, the error is an *IncomparableError.
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
	var damaged []*evidence.Run
	var damage []string // the notes on those
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
			if len(damaged) < c.Last && c.damaged(mine, sum, other) {
				damaged, damage = append(damaged, other), append(damage, notes[len(notes)-1])
			}
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
	if len(base) == 0 && len(damaged) == 0 {
		return nil, nil, nil, &IncomparableError{fmt.Sprintf("no run before %s can be compared with it\n%s", run.ID(), strings.Join(notes, "\n"))}
	}
	if len(base) < c.Last {
		notes = slices.Insert(notes, 0, fmt.Sprintf("%d runs were asked for, and %d before %s can be compared", c.Last, len(base), run.ID()))
	}
	if len(base) == 0 { // what is wrong with them is told of the base
		base, notes = damaged, slices.DeleteFunc(notes, func(note string) bool { return slices.Contains(damage, note) })
	}
	return base, candidates, notes, nil
}

// damaged says whether a run that is unusable would be the base, were it whole.
func (c Choice) damaged(mine *Run, sum evidence.Summary, other *evidence.Run) bool {
	if sum.Meta.Kind != evidence.KindRun || sum.Meta.Defect != "" || !strings.HasPrefix(sum.Meta.Commit, c.Commit) {
		return false
	}
	if sum.Meta.ID != "" && elsewhere(mine.Meta, sum.Meta) != "" {
		return false
	}
	theirs, err := open(other)
	if err != nil || theirs.broken == "" {
		return false
	}
	return len(theirs.plan.Experiments) == 0 || slices.ContainsFunc(mine.plan.names(), func(name string) bool {
		return (len(c.Only) == 0 || slices.Contains(c.Only, name)) && mine.plan.differs(theirs.plan, name) == ""
	})
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
