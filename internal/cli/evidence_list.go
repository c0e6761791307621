package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// listed is a run in a list: how it stands, what it is of, and what came of its experiments.
type listed struct {
	evidence.Summary
	Verdict     verdict.Verdict    `json:"verdict"` // as it counts: of what was changed nothing is a pass
	AgeS        int64              `json:"age_s"`
	System      string             `json:"system,omitempty"` // "" of another tool's results
	Subjects    []evidence.Subject `json:"subjects,omitempty"`
	Experiments tally              `json:"experiments"`
}

// tally counts experiments, without controls.
type tally struct {
	Pass    int `json:"pass"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
	NotRun  int `json:"not_run"` // planned, and nothing was concluded
}

func (a *app) evidenceList() error {
	store, err := a.openStore()
	if err != nil {
		return err
	}
	cards, err := store.Cards() // verified, so that what was changed does not pass for complete
	if err != nil {
		return err
	}
	runs := make([]listed, len(cards))
	for i, c := range cards {
		runs[i] = summed(c, time.Now())
	}
	if a.json {
		a.printJSON(runs)
		return nil
	}
	newPrinter(a.out).runs(runs)
	return nil
}

func summed(c evidence.Card, now time.Time) listed {
	l := listed{Summary: c.Summary, Verdict: ended(c.Summary), System: c.System, Subjects: c.Subjects, AgeS: int64(now.Sub(c.Meta.Started).Seconds())}
	if c.Refused != "" {
		l.Status, l.Reason = evidence.Corrupt, c.Refused
		if l.Verdict == verdict.Pass {
			l.Verdict = verdict.Unknown
		}
		return l // what its experiments say does not count
	}
	for _, r := range c.Results {
		switch r.Verdict {
		case verdict.Pass:
			l.Experiments.Pass++
		case verdict.Fail:
			l.Experiments.Fail++
		default:
			l.Experiments.Unknown++
		}
	}
	l.Experiments.NotRun = max(len(c.Meta.Experiments)-len(c.Results), 0)
	return l
}

func (p *printer) runs(runs []listed) {
	t := table.Table{Head: []string{"RUN", "AGE", "STATUS", "VERDICT", "KIND", "SYSTEM", "EXPERIMENTS", "COMMIT", "SEED", "DEFECT", "REASON"}, Prose: []int{10}}
	for _, r := range runs {
		t.Row(r.ID, r.age(), string(r.Status), r.Verdict.String(), r.kind(), orDash(r.System), r.tallied(), r.commit(), r.seed(), orDash(r.Meta.Defect), orDash(why(r.Summary)))
	}
	t.Paint = p.paintColumn(3, func(row int) verdict.Verdict { return runs[row].Verdict })
	fmt.Fprint(p.w, t.Lay(p.columns))
}

func (l listed) foreign() bool { return l.Meta.Kind != evidence.KindRun }

// kind is "run", or the tool whose results these are.
func (l listed) kind() string {
	if l.foreign() {
		return orDash(l.Meta.Tool)
	}
	return "run"
}

// age is "-" where run.json is missing or cannot be read.
func (l listed) age() string {
	if l.Meta.Started.IsZero() {
		return "-"
	}
	return matrix.Age(time.Duration(l.AgeS) * time.Second).String()
}

// seed is that of a run. Other tools' results have none.
func (l listed) seed() string {
	if l.foreign() || l.Meta.Started.IsZero() {
		return "-"
	}
	return fmt.Sprint(l.Meta.Seed)
}

// commit is short, with a plus where the tree had changes that are in no commit.
func (l listed) commit() string {
	text := orDash(l.Meta.Commit[:min(len(l.Meta.Commit), 10)])
	if l.Meta.Dirty && l.Meta.Commit != "" {
		text += "+"
	}
	return text
}

// tallied is such as "9: 7 pass, 2 unknown".
func (l listed) tallied() string {
	n, total := l.Experiments, 0
	var parts []string
	for _, part := range []struct {
		count int
		name  string
	}{{n.Pass, "pass"}, {n.Fail, "fail"}, {n.Unknown, "unknown"}, {n.NotRun, "not run"}} {
		if total += part.count; part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.name))
		}
	}
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d: %s", total, strings.Join(parts, ", "))
}
