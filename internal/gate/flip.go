package gate

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// A Change is one thing to do.
type Change struct {
	Key     string   `json:"key"`               // what it is: changes with the same key are the same change
	Text    string   `json:"text"`              // for a reader
	Command string   `json:"command,omitempty"` // to paste; "" where it is work of a person
	Clauses []string `json:"clauses,omitempty"` // in a Flip: those that need it
	Rerun   string   `json:"rerun,omitempty"`   // the experiment that it runs again
}

// A Flip is the smallest set of changes that makes a decision pass.
type Flip struct {
	Changes []Change `json:"changes,omitempty"`
	Command string   `json:"command,omitempty"` // runs all experiments of the changes at once
	// Smallest says that no smaller set does; else the search was cut off, and the set is one that does.
	Smallest bool `json:"smallest"`
	// Open are clauses for which nobody can tell what would flip them.
	Open []string `json:"open,omitempty"`
}

// searchSteps bounds the search for the smallest set. It keeps the worst of inputs below 50 ms, and those that occur in practice need far fewer.
const searchSteps = 5_000

// flip finds the smallest set of changes under which every clause passes: one way of each, so that
// together they have the fewest changes (weighted hitting set, by branch and bound).
func flip(clauses []Clause, f Facts) Flip {
	s := &search{}
	var result Flip
	for _, c := range clauses {
		switch {
		case c.passes():
		case len(c.Ways) == 0:
			result.Open = append(result.Open, c.Name)
		default:
			s.clauses = append(s.clauses, c)
		}
	}
	// First those that a change may flip which makes others, too, such as running all experiments; then those with one way, which leave nothing to choose;
	// and at last those that any run flips.
	slices.SortStableFunc(s.clauses, func(a, b Clause) int { return cmp.Or(rank(a)-rank(b), len(a.Ways)-len(b.Ways)) })
	for s.wide < len(s.clauses) && rank(s.clauses[s.wide]) == 0 {
		s.wide++
	}
	s.runs = slices.ContainsFunc(s.clauses, func(c Clause) bool { return rank(c) != 1 })
	s.prune()
	s.explore(0, nil)
	result.Smallest = s.steps < searchSteps && len(result.Open) == 0
	result.Changes = s.best
	result.name(s.clauses, s.picked)
	result.command(f)
	return result
}

// A search picks one way of each clause.
type search struct {
	clauses []Clause
	way     []int // of the clauses so far
	best    []Change
	picked  []int
	found   bool
	steps   int
	runs    bool // one change may run what another one asks to run
	wide    int  // how many clauses, the first, have a change that makes others, too
}

// prune leaves out ways that help nobody else and are no shorter than another way of the same clause: that one
// is never worse. It keeps the search short where hundreds of cells have alternatives of their own.
func (s *search) prune() {
	users := map[string]int{}
	for _, c := range s.clauses {
		seen := map[string]bool{}
		for _, change := range slices.Concat(c.Ways...) {
			if !seen[change.Key] {
				users[change.Key]++
				seen[change.Key] = true
			}
		}
	}
	shared := func(change Change) bool {
		return users[change.Key] > 1 || s.runs && (change.isRun() || change.makesOthers())
	}
	for i, c := range s.clauses {
		var ways, own [][]Change
		for _, way := range c.Ways {
			if slices.ContainsFunc(way, shared) {
				ways = append(ways, way)
			} else {
				own = append(own, way)
			}
		}
		if len(own) > 0 {
			best := slices.MinFunc(own, func(a, b []Change) int { return len(a) - len(b) })
			if !slices.ContainsFunc(ways, func(way []Change) bool { return len(way) <= len(best) }) {
				ways = append(ways, best)
			}
		}
		s.clauses[i].Ways = ways
	}
}

func (s *search) explore(at int, have []Change) {
	if s.steps++; s.found && (s.least(at, have) >= len(s.best) || s.steps >= searchSteps) {
		return
	}
	if at == len(s.clauses) {
		if !s.found || len(have) < len(s.best) {
			s.best, s.picked, s.found = have, slices.Clone(s.way), true
		}
		return
	}
	order := make([]int, len(s.clauses[at].Ways))
	for i := range order {
		order[i] = i
	}
	cost := func(i int) int { return len(missing(have, s.clauses[at].Ways[i])) }
	slices.SortStableFunc(order, func(a, b int) int { return cost(a) - cost(b) }) // the cheapest first finds a good bound early
	for _, i := range order {
		s.way = append(s.way, i)
		next := append(slices.Clip(have), missing(have, s.clauses[at].Ways[i])...)
		if at < s.wide {
			next = lean(next)
		}
		s.explore(at+1, next)
		s.way = s.way[:len(s.way)-1]
	}
}

// rank is 0 for a clause with a change that makes others, too, and 2 for one that any run flips.
func rank(c Clause) int {
	all := slices.Concat(c.Ways...)
	switch {
	case slices.ContainsFunc(all, Change.makesOthers):
		return 0
	case slices.ContainsFunc(all, func(change Change) bool { return change.Key == runAny }):
		return 2
	}
	return 1
}

// does says whether making change c makes other, too: it is the same, or runs all experiments, or ends with running that one, where any would do.
func (c Change) does(other Change) bool {
	if other.Key == runAny && (c.Key == runAll || c.Rerun != "") {
		return true
	}
	return c.Key == other.Key || other.isRun() && (c.Key == runAll || c.Rerun != "" && other.Key == runOne+c.Rerun)
}

// makesOthers says whether the change runs experiments besides what it is for.
func (c Change) makesOthers() bool { return c.Key == runAll || c.Rerun != "" && !c.isRun() }

// isRun says whether the change is no more than to run one experiment.
func (c Change) isRun() bool { return strings.HasPrefix(c.Key, runOne) }

// Keys of changes.
const (
	runAll = "run all"
	runAny = "run any"
	runOne = "run experiment "
)

// lean leaves out the changes that another one makes, too.
func lean(changes []Change) []Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool {
		return slices.ContainsFunc(changes, func(other Change) bool { return other.Key != c.Key && other.does(c) })
	})
}

// least is the fewest changes that what is at hand can come to: runs may be part of what later clauses need.
func (s *search) least(at int, have []Change) int {
	if at >= s.wide {
		return len(have)
	}
	return len(slices.DeleteFunc(slices.Clone(have), Change.isRun))
}

// missing returns the changes of a way that are not among those at hand.
func missing(have, way []Change) []Change {
	var more []Change
	for _, c := range way {
		same := func(other Change) bool { return other.does(c) }
		if !slices.ContainsFunc(have, same) && !slices.ContainsFunc(more, same) {
			more = append(more, c)
		}
	}
	return more
}

// name notes at each change the clauses that need it.
func (f *Flip) name(clauses []Clause, picked []int) {
	for i, c := range clauses {
		for _, change := range c.Ways[picked[i]] {
			at := slices.IndexFunc(f.Changes, func(other Change) bool { return other.does(change) })
			if !slices.Contains(f.Changes[at].Clauses, c.Name) {
				f.Changes[at].Clauses = append(f.Changes[at].Clauses, c.Name)
			}
		}
	}
}

// command joins the experiments that are to run again to one command.
func (f *Flip) command(facts Facts) {
	words := []string{"run", facts.Path}
	for _, c := range f.Changes {
		if c.Rerun != "" {
			words = append(words, "--experiment", c.Rerun)
		}
	}
	if len(words) > 2 {
		f.Command = facts.Command(words...)
	}
}

// mend is the change that makes a source count. Its command is made here: words that came with evidence are not to be pasted into a shell.
func (f Facts) mend(r evidence.Requirement, s matrix.Source, v verdict.Verdict, problem string) Change {
	again := []string{"run", f.Path, "--experiment", s.Name}
	if s.Seed != 0 {
		again = append(again, "--seed", fmt.Sprint(s.Seed))
	}
	covers := f.Command("evidence", "import", "FILE", "--covers", r.Journey+":"+r.Mode, "--subject", "SERVICE=FILE")
	switch {
	case s.Foreign && s.Layer == "contract" && strings.HasPrefix(s.Name, evidence.ContractPrefix):
		return Change{Key: "check " + s.Name, Text: fmt.Sprintf("mend what %s found, and compare the contracts again", s.Name), Command: f.Command("contract", "check", f.Path)}
	case s.Simulated:
		return Change{Key: "simulate " + s.Name, Text: fmt.Sprintf("mend what keeps %s from a pass, and run the simulations again", s.Name), Command: f.Command("sim", "--project", f.Path, below(f.Path))}
	case s.Foreign && v == verdict.Fail:
		return Change{Key: "fix " + s.Name, Text: fmt.Sprintf("fix what %s found, and import its results again", s.Name), Command: covers}
	case s.Foreign:
		return Change{Key: "import " + s.Name, Text: fmt.Sprintf("run %s on the candidate, and import its results", s.Name), Command: covers}
	case v == verdict.Fail:
		return Change{Key: "fix " + s.Name, Text: "fix the system: " + problem, Command: f.Command(again...), Rerun: s.Name}
	case s.Run != "" && s.Verdict != verdict.Pass && s.Known && f.same(r.Same, s): // of anything else it says nothing
		return Change{Key: "fix " + s.Name, Text: "find out why it was not proved, and run it again: " + problem, Command: f.Command(again...), Rerun: s.Name}
	case s.Run != "" && level(s.Grade) < level(r.Grade):
		return Change{Key: "regrade " + s.Name, Text: fmt.Sprintf("run %s where links have the grade %s", s.Name, r.Grade)}
	}
	return Change{Key: runOne + s.Name, Text: fmt.Sprintf("run %s on the candidate", s.Name), Command: f.Command("run", f.Path, "--experiment", s.Name), Rerun: s.Name}
}

// below names the Go packages in a folder.
func below(path string) string {
	if filepath.IsAbs(path) || path == "." || strings.HasPrefix(path, "..") {
		return strings.TrimSuffix(path, "/") + "/..."
	}
	return "./" + strings.TrimSuffix(path, "/") + "/..."
}

func (f Facts) write(mode string) Change {
	return Change{Key: "write " + mode, Text: fmt.Sprintf("write an experiment that proves %s, and claim it there (covers: {JOURNEY: [%s]})", mode, mode), Command: f.Command("run", f.Path)}
}

func (f Facts) importing(journey, mode string) Change {
	return Change{Key: "import " + journey + ":" + mode, Text: "import another tool's test results for it",
		Command: f.Command("evidence", "import", "FILE", "--covers", journey+":"+mode, "--subject", "SERVICE=FILE")}
}

func (f Facts) remove(run string) Change {
	return Change{Key: "remove " + run, Text: fmt.Sprintf("remove run %s, or bring it whole", run), Command: f.Command("evidence", "remove", run)}
}

func (f Facts) rerunAll() Change {
	return Change{Key: runAll, Text: "run the experiments on what is to be released", Command: f.Command("run", f.Path)}
}

// runAny is the change of what only asks for a newer run, whatever that runs.
func (f Facts) runAny() Change {
	c := f.rerunAll()
	c.Key = runAny
	return c
}

func (f Facts) name() Change {
	return Change{Key: "name the candidate", Text: "name what is to be released", Command: f.Command("gate", f.Path, "--subject", "SERVICE=FILE")}
}
