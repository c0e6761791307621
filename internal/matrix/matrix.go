// Package matrix lays out what evidence proves: journeys by failure modes.
//
//	m := matrix.New(matrix.Facts{Now: now, Declaration: declaration, Cards: cards})
//	m.Cell("checkout", "failover").Verdict // unknown where nothing proves it
//
// A cell is what the newest evidence of each of its sources says together. An
// empty cell is unproven, and says so. It reads cards and nothing else, so the
// same facts give the same matrix.
package matrix

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// Facts are all that decides a matrix.
type Facts struct {
	Now         time.Time
	Declaration evidence.Declaration  // what the project asks for now
	Base        *evidence.Declaration // what the base branch asks for; nil for no comparison
	Modes       []string              // columns, in order; others that occur follow
	Cards       []evidence.Card       // newest first
}

// A Matrix is journeys by failure modes.
type Matrix struct {
	System  string    `json:"system"`
	At      time.Time `json:"at"`
	Modes   []string  `json:"modes"`
	Rows    []Row     `json:"rows"`
	Refused []Refusal `json:"refused,omitempty"`
	Runs    int       `json:"runs"` // that were looked at
	// Contracts are the results of the newest comparison of contracts.
	Contracts []Source `json:"-"`
	// Results are the newest words of experiments, by name: also of those that claim no cell.
	Results map[string]Result `json:"-"`
}

// A Result is an experiment's newest word as such, and how long the journeys took to recover.
type Result struct {
	Source
	Recovery *evidence.Recovery // nil where nothing was injected
}

// A Row is a journey.
type Row struct {
	Journey string `json:"journey"`
	Owner   string `json:"owner,omitempty"`
	Removed bool   `json:"removed,omitempty"` // the base has it, and the project has not
	Cells   []Cell `json:"cells"`             // one a column
}

// A Cell is what is known of one failure mode of one journey.
type Cell struct {
	Journey string          `json:"journey"`
	Mode    string          `json:"mode"`
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"`
	// Sources are the experiments, and the results of other tools, that speak of the cell.
	Sources  []Source `json:"sources,omitempty"`
	Required bool     `json:"required,omitempty"` // by the policy
	Removed  bool     `json:"removed,omitempty"`  // the base claims or requires it, and the project does not
	Layer    string   `json:"layer,omitempty"`    // of the source that decided; so are the next three
	Owner    string   `json:"owner,omitempty"`
	Run      string   `json:"run,omitempty"`
	Age      Age      `json:"age,omitempty"`
}

// A Source is one experiment or import, and its newest word on a cell.
type Source struct {
	Name     string            `json:"name"`
	Declared bool              `json:"declared,omitempty"` // an experiment of the project claims the cell
	Foreign  bool              `json:"foreign,omitempty"`  // another tool says so
	Known    bool              `json:"known,omitempty"`    // an experiment that the project has, as it is now
	Verdict  verdict.Verdict   `json:"verdict"`
	Reason   string            `json:"reason"`
	Run      string            `json:"run,omitempty"` // "" where a declared experiment has left nothing
	At       time.Time         `json:"at,omitzero"`   // when its run started
	Age      Age               `json:"age,omitempty"`
	Layer    string            `json:"layer,omitempty"`
	Owner    string            `json:"owner,omitempty"`
	Grade    string            `json:"grade,omitempty"`
	Commit   string            `json:"commit,omitempty"`
	Dirty    bool              `json:"dirty,omitempty"`
	Digests  map[string]string `json:"digests,omitempty"` // by service
	Sum      string            `json:"sum,omitempty"`     // of the judgement
	Replay   string            `json:"replay,omitempty"`
	Seed     uint64            `json:"seed,omitempty"`
	// FromFiles says that contracts were compared, and nothing ran: their terms declare a mode, which is no proof that it is survived.
	FromFiles bool `json:"from_files,omitempty"`
	// Simulated says that Go code ran in one process, where a seed decided all: no binary of a service ran, so it is of a commit with its changes.
	Simulated   bool      `json:"simulated,omitempty"`
	Changes     string    `json:"changes,omitempty"` // digest of what tracked files had beside the commit
	Against     []string  `json:"against,omitempty"` // commits that contracts were compared with
	WaivedUntil time.Time `json:"waived_until,omitzero"`
}

// A Refusal is a run that does not count, and why.
type Refusal struct {
	Run    string    `json:"run"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at,omitzero"`
}

// New lays out the matrix of facts.
func New(f Facts) Matrix {
	b := newBuilder(f)
	b.columns()
	b.declared()
	b.removed()
	for _, card := range f.Cards {
		b.card(card.AsOf(f.Now))
	}
	b.conclude()
	return b.matrix
}

// Cell returns a cell, and whether the matrix has it.
func (m Matrix) Cell(journey, mode string) (Cell, bool) {
	for _, row := range m.Rows {
		if row.Journey != journey {
			continue
		}
		for _, cell := range row.Cells {
			if cell.Mode == mode {
				return cell, true
			}
		}
	}
	return Cell{}, false
}

// Count returns how many of the cells that anybody asks for have each verdict.
func (m Matrix) Count() map[verdict.Verdict]int {
	counts := map[verdict.Verdict]int{}
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
			if cell.Asked() {
				counts[cell.Verdict]++
			}
		}
	}
	return counts
}

// Verdict merges the cells that anybody asks for. What the base had and the project lacks is a failure.
func (m Matrix) Verdict() verdict.Verdict {
	var all []verdict.Verdict
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
			if cell.Asked() {
				all = append(all, cell.Verdict)
			}
			if cell.Removed {
				all = append(all, verdict.Fail)
			}
		}
		if row.Removed {
			all = append(all, verdict.Fail)
		}
	}
	if len(m.Refused) > 0 {
		all = append(all, verdict.Unknown)
	}
	return verdict.Merge(all...)
}

// Asked says whether a policy requires the cell, an experiment claims it, or evidence speaks of it.
func (c Cell) Asked() bool { return c.Required || c.Removed || len(c.Sources) > 0 }

// decisive is the order in which sources decide a cell: a failure, what is unknown, and then the newest; terms that only declare it come last.
func decisive(a, b Source) int {
	rank := map[verdict.Verdict]int{verdict.Fail: 0, verdict.Unknown: 1, verdict.Pass: 2}
	last := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(rank[a.Verdict], rank[b.Verdict]), cmp.Compare(last[a.declares()], last[b.declares()]), b.At.Compare(a.At), cmp.Compare(a.Name, b.Name))
}

// Decisive returns the source that decides the cell, and whether it has one.
func (c Cell) Decisive() (Source, bool) {
	if len(c.Sources) == 0 {
		return Source{}, false
	}
	return slices.MinFunc(c.Sources, decisive), true
}
