package release

import (
	"cmp"
	"context"
	"os"
	"slices"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// A Mutation is one thing that was done to evidence, a declaration or a policy, and what the gate said to it.
type Mutation struct {
	Kind    string          `json:"kind"`   // "drop", "stale", "swap digest", "empty", "NaN", "truncate", "duplicate", "skip" or "swap"
	On      string          `json:"on"`     // OnFile, OnContent or OnDeclaration
	Target  string          `json:"target"` // what was spoiled
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"`
}

// What mutations are done to.
const (
	OnFile        = "file"        // a file as it lies there: the seal is to notice
	OnContent     = "content"     // what a run says, sealed again after: the gate itself is to notice
	OnDeclaration = "declaration" // what the project asks for, compared with what it asked for before
)

// Killed says whether the gate noticed.
func (m Mutation) Killed() bool { return m.Verdict != verdict.Pass }

// Mutations is what a gate said to many mutations, one at a time.
type Mutations struct {
	Decision gate.Decision `json:"decision"` // on what is whole
	All      []Mutation    `json:"mutations"`
}

// Killed returns how many were noticed.
func (m Mutations) Killed() int {
	n := 0
	for _, one := range m.All {
		if one.Killed() {
			n++
		}
	}
	return n
}

// A Tally is how many mutations of a kind were noticed.
type Tally struct {
	Kind   string `json:"kind"`
	On     string `json:"on"`
	Killed int    `json:"killed"`
	All    int    `json:"all"`
}

// Table tallies the mutations by kind and by what they were done to.
func (m Mutations) Table() []Tally {
	var table []Tally
	for _, one := range m.All {
		i := slices.IndexFunc(table, func(t Tally) bool { return t.Kind == one.Kind && t.On == one.On })
		if i < 0 {
			i = len(table)
			table = append(table, Tally{Kind: one.Kind, On: one.On})
		}
		table[i].All++
		if one.Killed() {
			table[i].Killed++
		}
	}
	slices.SortFunc(table, func(a, b Tally) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.On, b.On)) })
	return table
}

// Verdict passes if every mutation was noticed.
func (m Mutations) Verdict() verdict.Verdict {
	switch {
	case len(m.All) == 0:
		return verdict.Unknown
	case m.Killed() < len(m.All):
		return verdict.Fail
	}
	return verdict.Pass
}

// Mutate takes a gate that passes, spoils what it rests on piece by piece in every way, and notes whether it
// still passes. The store is not touched: everything happens to copies. Where the gate does not pass there
// is nothing to lose, which is a *run.UsageError.
func Mutate(ctx context.Context, project *spec.Project, store *evidence.Store, opts Options) (Mutations, error) {
	opts.Verify = true
	f, cards, err := gather(ctx, project, store, opts)
	if err != nil {
		return Mutations{}, err
	}
	result := Mutations{Decision: gate.Decide(ctx, f)}
	if result.Decision.Verdict != verdict.Pass {
		return result, &run.UsageError{Msg: "the gate does not pass, so nothing could be seen to make it refuse: " + result.Decision.Reason}
	}
	dir, err := os.MkdirTemp("", "assay-mutate-")
	if err != nil {
		return result, err
	}
	defer os.RemoveAll(dir)
	m := &mutator{ctx: ctx, facts: f, cited: cites(result.Decision), store: store, dir: dir}
	for _, c := range cards { // what proves the same a second time would stand in for what is spoiled
		if c.Meta.Kind == evidence.KindContract {
			m.whole = append(m.whole, c)
			continue
		}
		if m.cited[c.ID] != nil || f.Newest != nil && c.ID == f.Newest.ID {
			c.Results = slices.DeleteFunc(slices.Clone(c.Results), func(r evidence.CardResult) bool { return !slices.Contains(m.cited[c.ID], r.Name) })
			m.whole = append(m.whole, c)
		}
	}
	m.asked()
	m.contracts()
	err = m.evidence()
	result.All = m.all
	return result, err
}

// A mutator spoils one thing at a time.
type mutator struct {
	ctx   context.Context
	facts gate.Facts
	whole []evidence.Card
	cited map[string][]string // experiments that the decision rests on, by run
	store *evidence.Store
	dir   string
	all   []Mutation
}

// judge decides on facts and notes it.
func (m *mutator) judge(kind, on, target string, f gate.Facts) {
	d := gate.Decide(m.ctx, f)
	m.all = append(m.all, Mutation{Kind: kind, On: on, Target: target, Verdict: d.Verdict, Reason: d.Reason})
}

// judgeCards decides on other cards; candidate and base stay as they were.
func (m *mutator) judgeCards(kind, on, target string, cards []evidence.Card) {
	f := m.facts
	newest(&f, cards, f.Matrix.At)
	f.Matrix = lay(f, f.Matrix.At, cards)
	m.judge(kind, on, target, f)
}

// asked spoils what the project asks for, while the base still asks for it.
func (m *mutator) asked() {
	before := m.facts.Declaration
	try := func(kind, target string, change func(*gate.Facts)) {
		f := m.facts
		f.Base, f.BaseName, f.BaseErr = &before, "the declaration before", ""
		f.Declaration.Journeys, f.Declaration.Cells, f.Declaration.Required = slices.Clone(before.Journeys), slices.Clone(before.Cells), slices.Clone(before.Required)
		f.Policy.Waivers = slices.Clone(f.Policy.Waivers)
		change(&f)
		f.Matrix = lay(f, f.Matrix.At, m.whole)
		m.judge(kind, OnDeclaration, target, f)
	}
	m.spoilJourneys(try)
	m.spoilClaims(try)
	m.spoilRequirements(try)
	for i, c := range before.Contracts {
		try("drop", "contract "+c.Name, func(f *gate.Facts) {
			f.Declaration.Contracts = slices.Delete(slices.Clone(before.Contracts), i, i+1)
		})
	}
	for i, c := range before.Conditions {
		try("drop", "condition "+c.Name, func(f *gate.Facts) {
			f.Declaration.Conditions = slices.Delete(slices.Clone(before.Conditions), i, i+1)
		})
	}
	for i, x := range before.Experiments {
		if slices.ContainsFunc(before.Cells, func(c evidence.Cell) bool { return c.Experiment == x.Name && m.required(c) }) {
			try("stale", "experiment "+x.Name+", changed since it ran", func(f *gate.Facts) {
				f.Declaration.Experiments = slices.Clone(before.Experiments)
				f.Declaration.Experiments[i].Definition = "sha256:another"
			})
		}
	}
	try("stale", "the policy, which lets waivers reach a hundred years ahead", func(f *gate.Facts) {
		f.Declaration.WaiversMax = 100 * 365 * 24 * time.Hour
	})
	for i, w := range gate.Decide(m.ctx, m.facts).Waivers {
		if w.State != gate.WaiverUsed {
			continue
		}
		try("stale", "waiver "+w.Pos+", by one that expires in a hundred years", func(f *gate.Facts) {
			f.Policy.Waivers[i].Expires = f.Matrix.At.AddDate(100, 0, 0)
		})
		try("drop", "waiver "+w.Pos, func(f *gate.Facts) { f.Policy.Waivers = slices.Delete(f.Policy.Waivers, i, i+1) })
		try("stale", "waiver "+w.Pos, func(f *gate.Facts) { f.Policy.Waivers[i].Expires = f.Matrix.At })
	}
}

// A trial is one change of what is asked for.
type trial func(kind, target string, change func(*gate.Facts))

func (m *mutator) spoilJourneys(try trial) {
	try("empty", "the declaration", func(f *gate.Facts) { f.Declaration = evidence.Declaration{System: f.Declaration.System} })
	for _, j := range m.facts.Declaration.Journeys {
		try("drop", "journey "+j.Name, func(f *gate.Facts) {
			d := &f.Declaration
			d.Journeys = slices.DeleteFunc(d.Journeys, func(other evidence.Journey) bool { return other.Name == j.Name })
			d.Cells = slices.DeleteFunc(d.Cells, func(c evidence.Cell) bool { return c.Journey == j.Name })
			d.Required = slices.DeleteFunc(d.Required, func(r evidence.Requirement) bool { return r.Journey == j.Name })
		})
	}
}

func (m *mutator) spoilClaims(try trial) {
	for i, c := range m.facts.Declaration.Cells {
		name := "claim of " + c.Experiment + ": " + c.Journey + ": " + c.Mode
		required := m.required(c)
		try("drop", name, func(f *gate.Facts) { f.Declaration.Cells = slices.Delete(f.Declaration.Cells, i, i+1) })
		if required { // of the rest the gate is not asked
			try("duplicate", name+", by an experiment that never ran", func(f *gate.Facts) {
				c.Experiment += "-again"
				f.Declaration.Cells = append(f.Declaration.Cells, c)
			})
		}
	}
}

// required says whether the policy asks for a cell.
func (m *mutator) required(c evidence.Cell) bool {
	return slices.ContainsFunc(m.facts.Declaration.Required, func(r evidence.Requirement) bool { return r.Journey == c.Journey && r.Mode == c.Mode })
}

func (m *mutator) spoilRequirements(try trial) {
	for i, r := range m.facts.Declaration.Required {
		name := "requirement of " + r.Journey + ": " + r.Mode
		try("drop", name, func(f *gate.Facts) { f.Declaration.Required = slices.Delete(f.Declaration.Required, i, i+1) })
		if r.Same != "" || r.MaxAge != 0 || r.Grade != "" {
			try("empty", name, func(f *gate.Facts) {
				f.Declaration.Required[i] = evidence.Requirement{Journey: r.Journey, Mode: r.Mode}
			})
		}
	}
}
