package simrun

import (
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// A Result is what the simulations of some packages came to.
type Result struct {
	Verdict     verdict.Verdict `json:"verdict"`
	Reasons     []string        `json:"reasons,omitempty"` // why it is unknown
	Go          string          `json:"go"`
	Overlay     string          `json:"overlay"`
	Mode        string          `json:"mode,omitempty"` // that all seeds were to have, "" for each its own
	Tests       []*Test         `json:"tests"`
	Failures    []*Failure      `json:"failures,omitempty"`
	Plain       []*Plain        `json:"plain,omitempty"`
	Differences []*Difference   `json:"differences,omitempty"` // between two runs of a seed
	Notes       []string        `json:"notes,omitempty"`       // of failures that were saved
	Saved       Retried         `json:"saved,omitzero"`
	BuildMS     int64           `json:"build_ms"`
	WallMS      int64           `json:"wall_ms"`
	helpers     []*helper
}

// Retried counts the failures that were saved and tried again.
type Retried struct {
	Tried  int `json:"tried,omitempty"`
	Failed int `json:"failed,omitempty"` // again, in whatever order of events
	Passed int `json:"passed,omitempty"` // they do not fail any more
}

// A Test is one simulation over all its seeds.
type Test struct {
	Package string         `json:"package"`
	Name    string         `json:"name"`
	Seeds   int            `json:"seeds"`
	First   uint64         `json:"first"` // of these seeds
	Last    uint64         `json:"last"`
	Failed  int            `json:"failed"`
	SimNS   uint64         `json:"sim_ns"`
	Steps   uint64         `json:"steps"`
	Points  []sim.Point    `json:"points,omitempty"`
	Skipped string         `json:"skipped,omitempty"`
	Skips   int            `json:"skips,omitempty"` // seeds that were skipped
	Outside *sim.Outside   `json:"outside,omitempty"`
	Wrote   []string       `json:"wrote,omitempty"`   // real files that its first seed opened to write to
	Differs string         `json:"differs,omitempty"` // what two runs of one seed differ in
	Late    string         `json:"late,omitempty"`    // how it fails when its simulations are over, though no seed does
	Modes   map[string]int `json:"modes"`
	Found   map[string]int `json:"found,omitempty"`   // failed seeds by mode
	Fresh   bool           `json:"fresh,omitempty"`   // each seed had a process of its own
	Carried uint64         `json:"carried,omitempty"` // a seed that failed only in a process that had run others before
	Covers  []Covered      `json:"covers,omitempty"`
	Vars    []string       `json:"vars,omitempty"`     // package variables that its first seed changed
	StdVars []string       `json:"std_vars,omitempty"` // and those of the standard library

	module   string
	failedAt uint64 // the last seed that failed, and 1
	next     uint64 // the first seed that has not had its own process
}

// Covered is a cell that the test is meant to show, and in how many seeds it said so.
type Covered struct {
	sim.Cell
	Seeds int `json:"seeds"`
}

// alone begins anew, with a process for each seed.
func (t *Test) alone(first, carried uint64) {
	*t = Test{Package: t.Package, Name: t.Name, Differs: t.Differs, Late: t.Late, Fresh: true, Carried: max(t.Carried, carried), module: t.module, next: first}
}

func (t *Test) add(r sim.Report) {
	t.SimNS += r.SimNS
	t.Steps += r.Steps
	if r.Run == 0 { // the first of the test's simulations with this seed
		t.seed(r)
	}
	if r.Failed && t.failedAt != r.Seed+1 {
		t.fail(r)
	}
	if r.Skipped != "" {
		t.Skipped = r.Skipped
		t.Skips++
	}
	if len(t.Wrote) == 0 {
		t.Wrote = r.Wrote
	}
	if r.Outside != nil && t.Outside == nil {
		t.Outside = r.Outside
	}
	for _, p := range r.Points {
		t.point(p)
	}
	for _, c := range r.Covers {
		t.cover(c)
	}
}

func (t *Test) seed(r sim.Report) {
	if t.Seeds++; t.Seeds == 1 {
		t.First, t.Last = r.Seed, r.Seed
	}
	t.First, t.Last = min(t.First, r.Seed), max(t.Last, r.Seed)
	if t.Modes == nil {
		t.Modes = map[string]int{}
	}
	t.Modes[kindOf(r)]++
}

func (t *Test) fail(r sim.Report) {
	t.Failed++
	t.failedAt = r.Seed + 1
	if t.Found == nil {
		t.Found = map[string]int{}
	}
	t.Found[kindOf(r)]++
}

func kindOf(r sim.Report) string {
	kind, _, _ := strings.Cut(r.Mode, "/")
	return kind
}

func (t *Test) cover(c sim.Cell) {
	for i := range t.Covers {
		if t.Covers[i].Cell == c {
			t.Covers[i].Seeds++
			return
		}
	}
	t.Covers = append(t.Covers, Covered{c, 1})
}

// Short is the test's name within its module: "outbox.TestOnce", or "TestOnce" of the module's own package.
func (t *Test) Short() string {
	if dir := strings.Trim(strings.TrimPrefix(t.Package, t.module), "/"); dir != "" {
		return dir + "." + t.Name
	}
	return t.Name
}

func (t *Test) point(p sim.Point) {
	for i := range t.Points {
		if q := &t.Points[i]; q.Name == p.Name && q.Kind == p.Kind {
			q.Hits += p.Hits
			q.True += p.True
			if q.Broken == "" {
				q.Broken, q.AtNS, q.Witness = p.Broken, p.AtNS, p.Witness
			}
			return
		}
	}
	t.Points = append(t.Points, p)
}

// A Failure is a seed whose simulation failed.
type Failure struct {
	Package   string         `json:"package"`
	Test      string         `json:"test"`
	Seed      uint64         `json:"seed"`
	Run       int            `json:"run,omitempty"` // among the simulations of its test with this seed, from 0
	Mode      string         `json:"mode"`
	Swarm     string         `json:"swarm,omitempty"` // faults that the seed drew
	Go        string         `json:"go"`
	Trace     string         `json:"trace"`
	SimNS     uint64         `json:"sim_ns"`
	Certified bool           `json:"certified"`       // it failed in two fresh processes, with one trace
	Doubt     string         `json:"doubt,omitempty"` // why not, or what is odd
	Replay    string         `json:"replay"`
	Points    []sim.Point    `json:"points,omitempty"`
	Events    []string       `json:"events,omitempty"`
	FailedAt  string         `json:"failed_at,omitempty"` // file:line of what let the test fail first
	Output    string         `json:"output,omitempty"`
	Decisions []sim.Decision `json:"decisions,omitempty"`

	Failure     string   `json:"failure,omitempty"`      // what its smallest form has in common with it
	Shrunk      []Step   `json:"shrunk,omitempty"`       // the decisions that are enough, plain ones elsewhere
	Less        []string `json:"less,omitempty"`         // events of the run that makes those alone
	LessOutput  string   `json:"less_output,omitempty"`  // and what it said
	Unshrunk    string   `json:"unshrunk,omitempty"`     // why it was not made smaller
	From        *Origin  `json:"shrunk_from,omitempty"`  // whose decisions were made small, where not its own
	ShrinkSeeds int      `json:"shrink_seeds,omitempty"` // other seeds that were looked at
	ShrinkRuns  int      `json:"shrink_runs,omitempty"`
	ShrinkMS    int64    `json:"shrink_ms,omitempty"`
	Stopped     bool     `json:"stopped,omitempty"` // before it was as small as can be: no more time, or interrupted
	Saved       string   `json:"saved,omitempty"`   // file, tried first the next time
	Files       []string `json:"files,omitempty"`   // of its events
	// History are the operations of histories of which a check does not hold; SavedHistory is the file that has them beside the saved failure.
	History      []history.Op `json:"history,omitempty"`
	SavedHistory string       `json:"saved_history,omitempty"`
	Picture      string       `json:"picture,omitempty"` // file
	again        bool         // known before
	sign         string       // how it fails
	story        *story
}

func (f *Failure) subject() subject { return subject{f.Test, f.Seed, f.Run} }

// An Origin is another seed that fails in the same way, of whose decisions fewer were left.
type Origin struct {
	Seed      uint64 `json:"seed"`
	Mode      string `json:"mode"`
	Decisions int    `json:"decisions"` // how many differed from a plain run
}

// report is what its run said of how it failed.
func (f *Failure) report() *sim.Report {
	return &sim.Report{Failed: true, Points: f.Points, FailedAt: f.FailedAt}
}
