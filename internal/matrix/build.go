package matrix

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

type key struct{ journey, mode string }

// A builder gathers sources by cell.
type builder struct {
	facts     Facts
	matrix    Matrix
	order     []string // journeys, in order of appearance
	rows      map[string]*Row
	cells     map[key]*Cell
	claims    map[string][]evidence.Cell // of the project, by experiment
	has       map[string]string          // the project's experiments: name to definition
	compared  string                     // the newest run that compared contracts
	simulated map[string][]simulation    // newer words on a test
}

func newBuilder(f Facts) *builder {
	b := &builder{facts: f, rows: map[string]*Row{}, cells: map[key]*Cell{}, claims: map[string][]evidence.Cell{}, has: map[string]string{}, simulated: map[string][]simulation{}}
	b.matrix = Matrix{System: f.Declaration.System, At: f.Now, Runs: len(f.Cards), Results: map[string]Result{}}
	for _, c := range f.Declaration.Cells {
		b.claims[c.Experiment] = append(b.claims[c.Experiment], c)
	}
	for _, x := range f.Declaration.Experiments {
		b.has[x.Name] = x.Definition
	}
	return b
}

// columns are the modes that were given, and after them all that occur besides.
func (b *builder) columns() {
	b.matrix.Modes = slices.Clone(b.facts.Modes)
	add := func(mode string) {
		if !slices.Contains(b.matrix.Modes, mode) {
			b.matrix.Modes = append(b.matrix.Modes, mode)
		}
	}
	declarations := []evidence.Declaration{b.facts.Declaration}
	if b.facts.Base != nil {
		declarations = append(declarations, *b.facts.Base)
	}
	for _, d := range declarations {
		for _, c := range d.Cells {
			add(c.Mode)
		}
		for _, r := range d.Required {
			add(r.Mode)
		}
	}
}

func (b *builder) row(journey, owner string) *Row {
	row, ok := b.rows[journey]
	if !ok {
		row = &Row{Journey: journey, Owner: owner}
		b.rows[journey] = row
		b.order = append(b.order, journey)
	}
	return row
}

func (b *builder) cell(journey, mode string) *Cell {
	k := key{journey, mode}
	if b.cells[k] == nil {
		b.cells[k] = &Cell{Journey: journey, Mode: mode}
	}
	return b.cells[k]
}

// declared notes what the project asks for: an experiment that claims a cell is a source of it, also before it ever ran.
func (b *builder) declared() {
	for _, j := range b.facts.Declaration.Journeys {
		b.row(j.Name, j.Owner)
	}
	for _, c := range b.facts.Declaration.Cells {
		b.row(c.Journey, "")
		cell := b.cell(c.Journey, c.Mode)
		if cell.source(Source{Name: c.Experiment}) == nil {
			cell.Sources = append(cell.Sources, Source{Name: c.Experiment, Declared: true, Known: true, Reason: fmt.Sprintf("experiment %s has left no evidence", c.Experiment)})
		}
	}
	for _, r := range b.facts.Declaration.Required {
		b.row(r.Journey, "")
		b.cell(r.Journey, r.Mode).Required = true
	}
}

// removed notes what the base asks for and the project does not.
func (b *builder) removed() {
	if b.facts.Base == nil {
		return
	}
	for _, j := range b.facts.Base.Journeys {
		if _, ok := b.rows[j.Name]; !ok {
			b.row(j.Name, j.Owner).Removed = true
		}
	}
	asked := map[key]bool{}
	for k, cell := range b.cells {
		asked[k] = cell.Asked()
	}
	miss := func(journey, mode string) {
		if !asked[key{journey, mode}] {
			b.row(journey, "")
			b.cell(journey, mode).Removed = true
		}
	}
	for _, c := range b.facts.Base.Cells {
		miss(c.Journey, c.Mode)
	}
	for _, r := range b.facts.Base.Required {
		miss(r.Journey, r.Mode)
	}
}

// card notes what one run says. Runs come newest first, so the first word of a source on a cell is its newest.
func (b *builder) card(c evidence.Card) {
	switch {
	case c.Refused != "":
		b.matrix.Refused = append(b.matrix.Refused, Refusal{Run: c.ID, Reason: c.Refused, At: c.Meta.Started})
		return
	case c.System != "" && c.System != b.facts.Declaration.System:
		return // another system's
	case c.Meta.Defect != "":
		return // of a system that was broken on purpose
	}
	for _, result := range c.Results {
		if again := b.again(c); again != "" && result.Later { // there are no records to judge again
			result.Verdict, result.Reason = verdict.Unknown, "it was judged after its run was sealed: "+again
		}
		if b.outdated(c, result) || b.simulatedSince(c, result) {
			continue
		}
		b.result(c, result)
		for _, journey := range slices.Sorted(maps.Keys(result.Modes)) {
			for _, mode := range result.Modes[journey] {
				b.word(c, result, journey, mode)
			}
		}
		b.silent(c, result)
	}
	b.missing(c)
}

// again says how results without records are to be had once more, "" of others.
func (b *builder) again(c evidence.Card) string {
	return map[string]string{evidence.KindContract: "compare the contracts again", evidence.KindSim: "run the simulations again"}[c.Meta.Kind]
}

// A simulation is one run's word on a simulated test.
type simulation struct {
	card   evidence.Card
	result evidence.CardResult
}

// simulatedSince says whether a newer run simulated the same test: what an older one found may be mended, and what it covered may be gone. A seed that
// failed counts until it was tried again, or the code was changed: that others hold says nothing of it.
func (b *builder) simulatedSince(c evidence.Card, r evidence.CardResult) bool {
	if c.Meta.Kind != evidence.KindSim {
		return false
	}
	newer := b.simulated[r.Name]
	b.simulated[r.Name] = append(newer, simulation{c, r})
	return len(newer) > 0 && r.Verdict != verdict.Fail || slices.ContainsFunc(newer, func(n simulation) bool {
		return !sameTree(n.card.Meta, c.Meta) || r.Seeds == nil || n.result.Seeds.Tried(r.Seeds)
	})
}

// sameTree says whether two runs had the same code, as far as version control tells.
func sameTree(a, b evidence.Meta) bool {
	return a.Commit != "" && a.Commit == b.Commit && a.Dirty == b.Dirty && a.Changes == b.Changes
}

// outdated says whether a newer run compared the contracts, which compares all of them. What an older one found may be mended, and what it proved may
// be gone. Of the newest it notes what it says.
func (b *builder) outdated(c evidence.Card, r evidence.CardResult) bool {
	if c.Meta.Kind != evidence.KindContract {
		return false
	}
	if b.compared == "" {
		b.compared = c.ID
	}
	if b.compared != c.ID {
		return true
	}
	s := b.source(c, r)
	s.Verdict, s.Reason = r.Verdict, r.Reason
	b.doubt(c, &s)
	b.matrix.Contracts = append(b.matrix.Contracts, s)
	return false
}

// missing notes experiments that a run planned and left no judgement of: it may have ended because they failed.
func (b *builder) missing(c evidence.Card) {
	for _, name := range c.Meta.Experiments {
		if slices.ContainsFunc(c.Results, func(r evidence.CardResult) bool { return r.Name == name }) {
			continue
		}
		r := evidence.CardResult{Name: name, Layer: evidence.DefaultLayer, Reason: "it was planned, and left no judgement"}
		b.result(c, r)
		for _, claim := range b.claims[name] {
			s := b.source(c, r)
			s.Reason = r.Reason
			b.say(claim.Journey, claim.Mode, s)
		}
	}
}

// result notes what an experiment came to, as words on cells are noted.
func (b *builder) result(c evidence.Card, r evidence.CardResult) {
	if _, known := b.matrix.Results[r.Name]; known || c.Meta.Kind != evidence.KindRun {
		return
	}
	s := b.source(c, r)
	s.Verdict, s.Reason = r.Verdict, r.Reason
	b.doubt(c, &s)
	b.matrix.Results[r.Name] = Result{s, r.Recovery}
}

// doubt takes back a pass that is not of the experiment as it is now, or whose run did not end.
func (b *builder) doubt(c evidence.Card, s *Source) {
	_, has := b.has[s.Name]
	switch {
	case s.Verdict != verdict.Pass:
	case !s.Foreign && !s.Known && has:
		s.Verdict, s.Reason = verdict.Unknown, fmt.Sprintf("experiment %s was changed since", s.Name)
	case c.Status != evidence.Complete:
		s.Verdict, s.Reason = verdict.Unknown, fmt.Sprintf("its run is %s: %s", c.Status, c.Reason)
	}
}

// word notes what one result says of one cell.
func (b *builder) word(c evidence.Card, r evidence.CardResult, journey string, mode evidence.Mode) {
	s := b.source(c, r)
	s.Verdict, s.Reason = r.Verdict, mode.Text
	b.doubt(c, &s)
	switch {
	case r.Verdict != verdict.Pass:
		s.Reason = r.Reason
	case s.Verdict == verdict.Pass && !mode.Proved:
		s.Verdict = verdict.Unknown
	}
	b.say(journey, mode.Name, s)
}

// silent notes a result that says nothing of a cell that its experiment is to prove: it was not proved.
func (b *builder) silent(c evidence.Card, r evidence.CardResult) {
	for _, claim := range b.claims[r.Name] {
		if slices.ContainsFunc(r.Modes[claim.Journey], func(m evidence.Mode) bool { return m.Name == claim.Mode }) {
			continue
		}
		s := b.source(c, r)
		s.Verdict, s.Reason = verdict.Unknown, fmt.Sprintf("experiment %s says nothing of %s", r.Name, claim.Mode)
		if r.Verdict == verdict.Fail {
			s.Verdict, s.Reason = r.Verdict, r.Reason
		}
		b.say(claim.Journey, claim.Mode, s)
	}
}

func (b *builder) say(journey, mode string, s Source) {
	b.row(journey, s.Owner)
	cell := b.cell(journey, mode)
	known := cell.source(s)
	switch {
	case known == nil:
		cell.Sources = append(cell.Sources, s)
	case known.Run == "" && !s.Foreign: // declared, and not heard of until now
		s.Declared = true
		*known = s
	case known.Simulated && s.Verdict == verdict.Fail && known.Verdict != verdict.Fail: // seeds that were tried since were others
		s.Reason += fmt.Sprintf("; %s ran others", known.Run)
		*known = s
	}
	if !slices.Contains(b.matrix.Modes, mode) {
		b.matrix.Modes = append(b.matrix.Modes, mode)
	}
}

// source returns the cell's source that s is a word of. What another tool says of one binary is no newer word on another.
func (c *Cell) source(s Source) *Source {
	same := func(other Source) bool {
		return other.Name == s.Name && other.Foreign == s.Foreign && (!s.Foreign || other.Commit == s.Commit && maps.Equal(other.Digests, s.Digests))
	}
	if i := slices.IndexFunc(c.Sources, same); i >= 0 {
		return &c.Sources[i]
	}
	return nil
}

func (b *builder) source(c evidence.Card, r evidence.CardResult) Source {
	s := NewSource(b.facts.Now, c, r)
	definition, has := b.has[r.Name]
	s.Known = !s.Foreign && has && definition == r.Definition // just as it was judged
	return s
}

// NewSource returns what a run says by a result of it. Verdict and Reason are left to whoever asks.
func NewSource(now time.Time, c evidence.Card, r evidence.CardResult) Source {
	s := Source{Name: r.Name, Foreign: c.Meta.Kind != evidence.KindRun, Run: c.ID, At: c.Meta.Started, Age: Age(now.Sub(c.Meta.Started)),
		Layer: r.Layer, Owner: r.Owner, Grade: c.Meta.Grade, Commit: c.Meta.Commit, Dirty: c.Meta.Dirty, Sum: r.Sum, Replay: r.Replay, Seed: c.Meta.Seed,
		FromFiles: c.Meta.Kind == evidence.KindContract, Simulated: c.Meta.Kind == evidence.KindSim, Changes: c.Meta.Changes, Against: c.Meta.Against, WaivedUntil: r.WaivedUntil}
	for _, subject := range c.Subjects {
		if s.Digests == nil {
			s.Digests = map[string]string{}
		}
		s.Digests[subject.Service] = subject.SHA256
	}
	return s
}

// conclude decides each cell, and puts rows and columns in order.
func (b *builder) conclude() {
	b.dropEmptyColumns()
	for _, journey := range b.order {
		row := b.rows[journey]
		for _, mode := range b.matrix.Modes {
			cell := b.cell(journey, mode)
			cell.conclude(row.Owner)
			row.Cells = append(row.Cells, *cell)
		}
		b.matrix.Rows = append(b.matrix.Rows, *row)
	}
}

// dropEmptyColumns leaves the columns of which anybody speaks, so that the matrix fits a screen.
func (b *builder) dropEmptyColumns() {
	b.matrix.Modes = slices.DeleteFunc(b.matrix.Modes, func(mode string) bool {
		for k, cell := range b.cells {
			if k.mode == mode && cell.Asked() {
				return false
			}
		}
		return true
	})
}

// conclude merges the sources. A pass of an experiment that the project no longer has proves nothing that
// anybody could repeat; its failure still counts.
func (c *Cell) conclude(owner string) {
	c.Owner = owner
	var verdicts []verdict.Verdict
	var gone []string
	for i, s := range c.Sources {
		if !s.Declared && !s.Foreign && s.Verdict != verdict.Fail && !s.Known {
			gone = append(gone, s.Name)
			continue
		}
		if !s.declares() {
			verdicts = append(verdicts, c.Sources[i].Verdict)
		}
	}
	c.Sources = slices.DeleteFunc(c.Sources, func(s Source) bool { return slices.Contains(gone, s.Name) })
	slices.SortFunc(c.Sources, decisive)
	c.Verdict = verdict.Merge(verdicts...)
	if !slices.ContainsFunc(c.Sources, func(s Source) bool { return !s.declares() }) {
		c.Verdict = verdict.Unknown
	}
	s, ok := c.Decisive()
	if !ok {
		c.Reason = "unproven: no experiment claims it, and no evidence speaks of it"
		return
	}
	c.Layer, c.Run, c.Age, c.Reason = s.Layer, s.Run, s.Age, strings.TrimSpace(s.Reason)
	if s.declares() {
		c.Reason = "declared, and unproven: " + c.Reason
	}
	if s.Owner != "" {
		c.Owner = s.Owner
	}
}

// declares says whether a source is terms that speak of a mode and break nothing. Beside what ran it says nothing new, and alone it is no proof.
func (s Source) declares() bool { return s.FromFiles && s.Verdict == verdict.Pass }
