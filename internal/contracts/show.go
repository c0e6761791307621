package contracts

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// word is what a finding is called where it is shown.
func (f Found) word() string {
	if f.Waived != nil {
		return "waived"
	}
	return string(f.Severity)
}

// verdict is how a finding is coloured.
func (f Found) verdict() verdict.Verdict {
	switch {
	case f.Breaks():
		return verdict.Fail
	case f.Severity == contract.Change:
		return verdict.Pass
	}
	return verdict.Unknown
}

// where is the nearest place of a finding that is there now, else the one where it stood.
func (f Found) where() contract.Place {
	if f.New.File != "" {
		return f.New
	}
	return f.Old
}

// title is a finding in one line, without its place.
func (f Found) title() string {
	subject := f.Subject
	if f.Path != "" {
		subject += " " + f.Path
	}
	return table.Flat(subject + ": " + f.Text)
}

// details are what follows a finding's first line, each to stand on lines of its own.
func (f Found) details() []string {
	var lines []string
	if f.Old.Line > 0 && f.New.File != "" {
		lines = append(lines, "was      "+table.Flat(f.Old.String()))
	}
	for _, e := range f.Ends {
		lines = append(lines, "with     "+table.Flat(e.At.String()+": "+e.What))
	}
	if w := f.Witness; w != nil {
		lines = append(lines, "witness  "+witnessText(*w))
		for _, line := range strings.Split(strings.TrimRight(table.Plain(brief(w.Document)), "\n"), "\n") {
			lines = append(lines, "         "+line)
		}
		if w.Readable != "" {
			lines = append(lines, "         "+table.Flat(brief(w.Readable)))
		}
	}
	if f.Try != "" {
		lines = append(lines, "try      "+table.Flat(f.Try))
	}
	if f.Note != "" {
		lines = append(lines, "note     "+table.Flat(f.Note))
	}
	if f.Waived != nil {
		lines = append(lines, fmt.Sprintf("waived   by %s until %s: %s", table.Flat(f.Waived.Owner), f.Waived.Expires.Format(time.DateOnly), table.Flat(f.Waived.Reason)))
	}
	return append(lines, "id       "+f.ID+"  rule "+f.Rule)
}

// witnessText says what a witness is, and who refuses it.
func witnessText(w contract.Witness) string {
	what := w.What
	if w.At != "" {
		what += ", " + table.Flat(w.At)
	}
	if w.Encoding != "" && w.Encoding != "json" {
		what += " (" + w.Encoding + ")"
	}
	if w.Allowed != "old" && w.Allowed != "new" { // terms that are held against others of the same version
		return fmt.Sprintf("%s: %s allow it", what, w.Allowed)
	}
	return fmt.Sprintf("%s: the %s version allows it, the %s one refuses it: %s", what, w.Allowed, w.Refused, table.Flat(w.Reason))
}

// brief cuts a document that would fill a screen. JSON has all of it.
func brief(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("… (%d bytes; --json has all)", len(text))
}

// WriteText writes the verdict, then contract by contract what breaks first. changelog lists what harms nobody, too. A nil
// style is that of a pipe.
func (r Report) WriteText(w io.Writer, style *table.Style, changelog bool) error {
	t := &texts{w, style}
	word := strings.ToUpper(r.Verdict.String())
	t.head(r.Verdict, word, fmt.Sprintf("%s (against %s)", r.title(), orNothing(r.Against)))
	for _, one := range r.Results {
		t.result(one, len(r.Results) > 1, changelog)
	}
	if len(r.Skipped) > 0 {
		t.line("", "no contracts by themselves, and not compared: "+table.Flat(strings.Join(r.Skipped, ", ")))
	}
	return nil
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func (r Report) title() string {
	if r.System == "" {
		return r.Reason
	}
	return r.System + ": " + r.Reason
}

type texts struct {
	w     io.Writer
	style *table.Style
}

// head writes a line that begins with a verdict's word.
func (t *texts) head(v verdict.Verdict, word, rest string) {
	text := table.Wrap(word+"  "+table.Flat(rest), t.style.Width(), "      ")
	fmt.Fprintf(t.w, "%s%s\n", t.style.Word(v, word), strings.TrimPrefix(text, word))
}

func (t *texts) line(indent, text string) {
	fmt.Fprintln(t.w, table.Wrap(indent+text, t.style.Width(), indent+"  "))
}

func (t *texts) result(r Result, several, changelog bool) {
	if several {
		fmt.Fprintln(t.w)
		owner := ""
		if r.Owner != "" {
			owner = ", " + r.Owner
		}
		t.head(r.Verdict, r.Verdict.String(), fmt.Sprintf("%s (%s%s): %s", r.Contract, orUnknown(r.Kind), owner, r.Reason))
	}
	for _, f := range r.Findings {
		if f.word() == string(contract.Change) && !changelog {
			continue
		}
		t.finding(f)
	}
	for _, g := range r.Gaps {
		t.at(g.At, verdict.Unknown, "undecided", gapTitle(g))
	}
	for _, use := range r.Waivers {
		t.line("", "waiver  "+use.text())
	}
	if hidden := r.count(contract.Change); hidden > 0 && !changelog {
		t.line("", fmt.Sprintf("%s of %s: --changelog lists them", plural(hidden, "harmless change", "harmless changes"), table.Flat(r.Contract)))
	}
	if len(r.Proofs) > 0 {
		t.line("", table.Flat(r.Contract)+": "+r.coverage())
	}
}

// plural counts.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func orUnknown(k contract.Kind) string {
	if k == "" {
		return "kind not told"
	}
	return string(k)
}

func gapTitle(g contract.Gap) string {
	text := g.Subject
	if g.Path != "" {
		text += " " + g.Path
	}
	return table.Flat(text + ": " + g.Why)
}

// at writes a line as compilers do: where, what, and the text.
func (t *texts) at(place contract.Place, v verdict.Verdict, word, text string) {
	before := ""
	if place.File != "" {
		before = table.Flat(place.String()) + ": "
	}
	whole := table.Wrap(before+word+": "+text, t.style.Width(), "    ")
	fmt.Fprintf(t.w, "%s%s%s\n", before, t.style.Word(v, word), strings.TrimPrefix(whole, before+word))
}

func (t *texts) finding(f Found) {
	t.at(f.where(), f.verdict(), f.word(), f.title())
	for _, line := range f.details() {
		fmt.Fprintln(t.w, "    "+line) // whole: a witness is to be pasted
	}
}

func (u WaiverUse) text() string {
	text := fmt.Sprintf("%s: %s, by %s until %s: %s", matrix.Flat(u.Finding), u.State, matrix.Flat(u.Owner), u.Expires.Format(time.DateOnly), matrix.Flat(u.Reason))
	if u.Ticket != "" {
		text += " (" + matrix.Flat(u.Ticket) + ")"
	}
	if u.Why != "" && u.State == gate.WaiverUnused {
		text += "; " + table.Flat(u.Why)
	}
	return text
}
