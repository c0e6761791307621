package trial

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/table"
)

// Text writes a report for a terminal or a pipe.
func (r *Report) Text(w io.Writer, s *table.Style) error {
	var b strings.Builder
	word := strings.ToUpper(r.Verdict.String())
	line := func(text string) { b.WriteString(table.Wrap("      "+text, s.Width(), "      ") + "\n") }
	head := table.Wrap(fmt.Sprintf("%s  %s: %s: %s", word, r.File, r.Model, r.Reason), s.Width(), "      ")
	b.WriteString(s.Word(r.Verdict, word) + strings.TrimPrefix(head, word) + "\n")
	line(r.Counts.text(r.Format))
	engine := "engine: " + r.Engine
	if r.Steps > 0 {
		engine += fmt.Sprintf(", %d steps", r.Steps)
	}
	line(engine)
	if r.Cut != "" {
		line("cut: " + r.Cut)
	}
	switch {
	case r.Prefix != nil:
		line(r.Prefix.text())
	case r.Good > 0:
		line("good until then: " + plural(r.Good, "operation") + " that returned have an order")
	}
	for _, fact := range r.Facts {
		line(fact)
	}
	for _, g := range r.Others {
		line(fmt.Sprintf("%v: %s: %s", g.Verdict, g.Name, g.Reason))
	}
	r.isolation(line)
	if len(r.Witness) > 0 {
		b.WriteString("\n" + r.table(s))
	}
	for _, e := range r.Edges {
		b.WriteString(table.Wrap(fmt.Sprintf("  %s before %s  %s: %s", r.Witness[e.From].Name, r.Witness[e.To].Name, e.Kind, e.Reason), s.Width(), "      ") + "\n")
	}
	r.smallest(&b, s)
	_, err := io.WriteString(w, b.String())
	return err
}

// How many operations of a witness, and transactions of the smallest part, are listed.
const mostRows = 40

// smallest lists the smallest failing part of transactions; an object's is the witness.
func (r *Report) smallest(b *strings.Builder, s *table.Style) {
	switch {
	case r.NoSmallest != "":
		b.WriteString(table.Wrap("  no smaller history was made: "+r.NoSmallest, s.Width(), "      ") + "\n")
	case r.small == nil:
	case r.same() && r.NotSmaller == "":
		b.WriteString("  " + r.aloneText() + "\n")
	default:
		b.WriteString("\nthe smallest part that fails\n")
		if r.NotSmaller != "" {
			b.WriteString(table.Wrap("  maybe not the smallest: "+r.NotSmaller, s.Width(), "      ") + "\n")
		}
		t := table.Table{Head: []string{"CLIENT", "TRANSACTION"}, Prose: []int{1}}
		for i := range r.Smallest[:most(len(r.Smallest), mostRows)] {
			t.Row(r.Smallest[i].Client, r.SmallestNames[i]+" "+Tell(&r.Smallest[i]))
		}
		b.WriteString(t.Lay(s.Width()))
		if rest := len(r.Smallest) - mostRows; rest > 0 {
			b.WriteString(fmt.Sprintf("and %d more: --json and --go-test have all\n", rest))
		}
	}
}

func (r *Report) isolation(line func(string)) {
	for _, a := range r.Anomalies {
		line(fmt.Sprintf("found: %s, %d", a.Name, a.Count))
	}
	if len(r.Not) > 0 {
		line("not: " + strings.Join(r.Not, ", "))
	}
	if len(r.AlsoNot) > 0 {
		line("so also not: " + strings.Join(r.AlsoNot, ", "))
	}
	if len(r.May) > 0 {
		line("may be: " + strings.Join(r.May, ", "))
	}
}

// table lists the witness with its lines.
func (r *Report) table(s *table.Style) string {
	t := table.Table{Head: []string{"LINES", "CLIENT", "OPERATION", "FROM", "TO"}, Prose: []int{2}}
	before := max(0, len(r.Witness)-mostRows)
	for _, w := range r.Witness[before:] {
		to := w.Op.Return.String()
		if w.Pending {
			to = "pending"
		}
		name := ""
		if w.Name != "" {
			name = w.Name + " "
		}
		t.Row(span(w.Line, w.End), w.Op.Client, name+Tell(&w.Op), w.Op.Call.String(), to)
	}
	if before > 0 {
		return t.Lay(s.Width()) + fmt.Sprintf("and %d before these: --json and --go-test have all\n", before)
	}
	return t.Lay(s.Width())
}

// aloneText says that the witness of transactions alone fails, where that was found.
func (r *Report) aloneText() string {
	if r.small == nil || !r.same() {
		return ""
	}
	if len(r.Smallest) == 1 {
		return "this transaction alone fails"
	}
	return "these " + plural(len(r.Smallest), "transaction") + " alone fail"
}

func span(line, end int) string {
	switch {
	case end == 0:
		return fmt.Sprintf("%d-", line)
	case end == line:
		return fmt.Sprint(line)
	}
	return fmt.Sprintf("%d-%d", line, end)
}

func lines(line, end int) string {
	if end == line {
		return "line " + span(line, end)
	}
	return "lines " + span(line, end)
}

// Tell prints an operation: its name, key, input, output and outcome.
func Tell(op *history.Op) string {
	text := op.Name
	if !op.Key.IsNil() {
		text += " " + op.Key.String()
	}
	if op.Name == "txn" {
		text = Micro(op)
	} else {
		if !op.Input.IsNil() {
			text += " " + tellValue(op.Input)
		}
		looks := slices.Contains([]string{"read", "get", "r", "dequeue", "contains"}, op.Name)
		if op.Outcome == history.OK && (looks || !op.Output.IsNil()) {
			text += " -> " + tellValue(op.Output)
		}
	}
	switch op.Outcome {
	case history.Failed:
		text += " failed"
	case history.Maybe:
		text += " maybe"
	}
	return text
}

// tellValue prints a value; of a map whose keys are no strings, too, as key: value.
func tellValue(v history.Value) string {
	if v.Kind() != history.KindMap {
		return v.String()
	}
	var words []string
	for _, e := range v.Entries() {
		words = append(words, e.Key.String()+": "+tellValue(e.Val))
	}
	return "{" + strings.Join(words, ", ") + "}"
}

// Micro prints a transaction: append x 1, r y [1,2].
func Micro(op *history.Op) string {
	mops := op.Input
	if op.Outcome == history.OK && len(op.Output.Items()) > 0 {
		mops = op.Output
	}
	var words []string
	for _, m := range mops.Items() {
		parts := m.Items()
		if len(parts) != 3 {
			words = append(words, m.String())
			continue
		}
		name, _ := parts[0].AsString()
		key, isText := parts[1].AsString()
		if !isText {
			key = parts[1].String()
		}
		value := parts[2].String()
		if name == "r" && op.Outcome != history.OK {
			value = "?"
		}
		words = append(words, name+" "+key+" "+value)
	}
	return strings.Join(words, ", ")
}

func (c Counts) text(format string) string {
	text := fmt.Sprintf("%s: %s (%d ok, %d failed, %d maybe) of %s", format, plural(c.Operations, "operation"), c.OK, c.Failed, c.Maybe, plural(c.Clients, "client"))
	add := func(n int, what, more string) {
		if n > 0 {
			text += "; " + plural(n, what) + more
		}
	}
	add(c.Open, "operation", " never completed")
	add(c.Notes, "note", " of the nemesis")
	add(c.Backwards, "time", fmt.Sprintf(" running backwards, by %v at most: the order of the lines counts", c.Most))
	add(c.Skipped, "other line", " skipped")
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
