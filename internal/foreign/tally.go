package foreign

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// A status is how one test ended.
type status uint8

const (
	unclear status = iota // it says nothing that we understand
	passed
	failed
	skipped
	flaky // it failed, and passed
	statuses
)

func (s status) String() string {
	return [...]string{"ended in a way that is not known", "passed", "failed", "skipped", "failed and then passed"}[s]
}

func (s status) verdict() verdict.Verdict {
	switch s {
	case passed:
		return verdict.Pass
	case failed:
		return verdict.Fail
	}
	return verdict.Unknown
}

const (
	mostChecks   = 200  // that are stored of one file
	mostProblems = 20   // likewise
	longestName  = 300  // runes of a test's name
	longestText  = 2000 // runes of what a test said
)

// counts are tests by how they ended, and the first that did so.
type counts struct {
	n     [statuses]int
	first [statuses]string
}

func (c *counts) add(name string, s status) {
	if c.n[s] == 0 {
		c.first[s] = name
	}
	c.n[s]++
}

func (c *counts) all() int {
	sum := 0
	for _, n := range c.n {
		sum += n
	}
	return sum
}

// green says whether there were tests, and all passed.
func (c *counts) green() bool { return c.n[passed] > 0 && c.n[passed] == c.all() }

// String says how the tests ended, the worst first.
func (c *counts) String() string {
	if c.all() == 0 {
		return "no test was there"
	}
	for _, s := range []status{failed, flaky, unclear, skipped} {
		if c.n[s] > 0 {
			verb := "were "
			if s != skipped {
				verb = ""
			}
			return fmt.Sprintf("%d of %d tests %s%s, such as %s", c.n[s], c.all(), verb, s, c.first[s])
		}
	}
	return fmt.Sprintf("%d of %d tests passed", c.n[passed], c.all())
}

// A tally counts tests as they are read, in memory that does not grow with their number.
type tally struct {
	covers   []Cover
	exprs    []*regexp.Regexp // of covers; nil selects all
	perCover []counts
	selected counts // by any cover; without covers all
	others   counts
	kept     [statuses][]evidence.Checked
	problems []string
	more     int // problems that were not kept

	now          time.Time
	began, ended time.Time
}

func newTally(covers []Cover) (*tally, error) {
	t := &tally{covers: covers, perCover: make([]counts, len(covers))}
	for _, c := range covers {
		var expr *regexp.Regexp
		if c.Tests != "" {
			var err error
			if expr, err = regexp.Compile(c.Tests); err != nil {
				return nil, unusable("--covers %s:%s=%s: %v", c.Journey, c.Mode, c.Tests, err)
			}
		}
		t.exprs = append(t.exprs, expr)
	}
	return t, nil
}

// add counts a test. Names are full names, and those above it where a test has subtests.
func (t *tally) add(name string, s status, text string, above ...string) {
	shown := cut(name, longestName)
	chosen := len(t.covers) == 0
	for i, expr := range t.exprs {
		if expr == nil || expr.MatchString(name) || matchesAny(expr, above) {
			t.perCover[i].add(shown, s)
			chosen = true
		}
	}
	if !chosen {
		t.others.add(shown, s)
		return
	}
	t.selected.add(shown, s)
	if len(t.kept[s]) < mostChecks {
		check := evidence.Checked{Phase: "test"}
		check.Check, check.Verdict, check.Reason = shown, s.verdict(), s.String()
		if text = strings.TrimSpace(text); text != "" && s != passed {
			check.Reason += ": " + cut(text, longestText)
		}
		t.kept[s] = append(t.kept[s], check)
	}
}

func matchesAny(expr *regexp.Regexp, names []string) bool {
	for _, name := range names {
		if expr.MatchString(name) {
			return true
		}
	}
	return false
}

// problem notes what makes the file as a whole no proof.
func (t *tally) problem(format string, args ...any) {
	if len(t.problems) == mostProblems {
		t.more++
		return
	}
	t.problems = append(t.problems, cut(fmt.Sprintf(format, args...), longestText))
}

// during widens the time of the tests.
func (t *tally) during(from, to time.Time) {
	if from.IsZero() {
		return
	}
	if t.began.IsZero() || from.Before(t.began) {
		t.began = from
	}
	if to.After(t.ended) {
		t.ended = to
	}
}

// problemList returns what else keeps the tests from being a proof.
func (t *tally) problemList() []string {
	list := t.problems
	if t.more > 0 {
		list = append(list, fmt.Sprintf("and %d more", t.more))
	}
	for i, c := range t.covers {
		if t.perCover[i].all() == 0 {
			list = append(list, fmt.Sprintf("no test is selected for %s:%s%s", c.Journey, c.Mode, orAll(c.Tests)))
		}
	}
	return list
}

func orAll(tests string) string {
	if tests == "" {
		return ""
	}
	return " by " + tests
}

// checks returns one check a test, failures first, as many as are kept.
func (t *tally) checks() []evidence.Checked {
	var list []evidence.Checked
	for _, s := range []status{failed, flaky, unclear, skipped, passed} {
		list = append(list, t.kept[s][:min(len(t.kept[s]), mostChecks-len(list))]...)
	}
	return list
}

func (t *tally) modes() map[string][]evidence.Mode {
	modes := map[string][]evidence.Mode{}
	for i, c := range t.covers {
		mode := evidence.Mode{Name: c.Mode, Proved: t.perCover[i].green() && len(t.problems) == 0, Text: t.perCover[i].String() + selectedBy(c.Tests)}
		if len(t.problems) > 0 {
			mode.Text += "; " + t.problems[0]
		}
		modes[c.Journey] = with(modes[c.Journey], mode)
	}
	return modes
}

// with adds a mode, or to the one of its name: that is proved only if both are.
func with(modes []evidence.Mode, mode evidence.Mode) []evidence.Mode {
	for i := range modes {
		if modes[i].Name == mode.Name {
			modes[i].Proved = modes[i].Proved && mode.Proved
			modes[i].Text += "; " + mode.Text
			return modes
		}
	}
	return append(modes, mode)
}

func selectedBy(tests string) string {
	if tests == "" {
		return ""
	}
	return " (" + tests + ")"
}

func (t *tally) conclude() (verdict.Verdict, string) {
	reason := t.selected.String()
	if n := t.selected.all(); n > mostChecks {
		reason += fmt.Sprintf(" (%d are listed)", mostChecks)
	}
	if n := t.others.all(); n > 0 {
		reason += fmt.Sprintf("; %d more were not selected", n)
		if bad := t.others.n[failed]; bad > 0 {
			reason += fmt.Sprintf(", of which %d failed", bad)
		}
	}
	problems := t.problemList()
	if len(problems) > 0 {
		reason += "; " + problems[0]
	}
	switch {
	case t.selected.n[failed] > 0:
		return verdict.Fail, reason
	case t.selected.green() && len(problems) == 0:
		return verdict.Pass, reason
	}
	return verdict.Unknown, reason
}

// cut keeps names and texts of a size that people read. What is no UTF-8 is replaced.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
