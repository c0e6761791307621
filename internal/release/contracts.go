package release

import (
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// contracts spoils what the newest comparison of contracts says: each of these must keep the release back.
func (m *mutator) contracts() {
	at := slices.IndexFunc(m.whole, func(c evidence.Card) bool { return c.Meta.Kind == evidence.KindContract })
	if at < 0 || len(m.facts.Declaration.Contracts) == 0 {
		return
	}
	try := func(kind, target string, change func(c *evidence.Card)) {
		cards := slices.Clone(m.whole)
		cards[at].Results = slices.Clone(cards[at].Results)
		change(&cards[at])
		m.judgeCards(kind, OnContent, target, cards)
	}
	run := m.whole[at]
	m.judgeCards("drop", OnFile, "run "+run.ID, slices.DeleteFunc(slices.Clone(m.whole), func(c evidence.Card) bool { return c.Meta.Kind == evidence.KindContract }))
	try("stale", "run "+run.ID+", of another commit", func(c *evidence.Card) {
		c.Meta.Commit = strings.Repeat("0", 40)
	})
	try("stale", "run "+run.ID+", of other files", func(c *evidence.Card) { c.Meta.Changes += "0" })
	if len(m.facts.BaseCommits) > 0 {
		try("stale", "run "+run.ID+", which compared with something else", func(c *evidence.Card) { c.Meta.Against = nil })
	}
	for i, r := range run.Results {
		try("flip", r.Name+", which failed", func(c *evidence.Card) { c.Results[i].Verdict = verdict.Fail })
		try("flip", r.Name+", which is unknown", func(c *evidence.Card) {
			c.Results[i].Verdict, c.Results[i].WaivedUntil = verdict.Unknown, c.Meta.Started.AddDate(-1, 0, 0)
		})
	}
}
