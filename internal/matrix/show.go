package matrix

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// Word is what stands in a cell: its verdict and age, "unproven", or "-" for what nobody asks for.
func (c Cell) Word() string {
	switch {
	case c.Removed:
		return "REMOVED"
	case !c.Asked():
		return "-"
	case c.Run == "":
		return "unproven"
	case c.Verdict == verdict.Fail:
		return "FAIL " + c.Age.String()
	}
	return c.Verdict.String() + " " + c.Age.String()
}

// Title is the matrix in one sentence.
func (m Matrix) Title() string {
	counts := m.Count()
	text := fmt.Sprintf("%s: %d of %d cells proved, %d failed, %d unknown", m.System, counts[verdict.Pass],
		counts[verdict.Pass]+counts[verdict.Fail]+counts[verdict.Unknown], counts[verdict.Fail], counts[verdict.Unknown])
	if n := m.removed(); n > 0 {
		text += fmt.Sprintf(", %d removed since the base", n)
	}
	return fmt.Sprintf("%s (%d runs, %s)", text, m.Runs, m.At.UTC().Format("2006-01-02 15:04 UTC"))
}

func (m Matrix) removed() int {
	n := 0
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
			if cell.Removed {
				n++
			}
		}
		if row.Removed {
			n++
		}
	}
	return n
}

// Open returns the cells that are asked for and not proved.
func (m Matrix) Open() []Cell {
	var cells []Cell
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
			if cell.Removed {
				cell.Verdict = verdict.Fail // whatever evidence says of what nobody asks for any more
			}
			if cell.Removed || cell.Asked() && cell.Verdict != verdict.Pass {
				cells = append(cells, cell)
			}
		}
	}
	return cells
}

// WriteText writes the matrix as columns, and below them why cells are not proved. A nil style is that of a pipe.
func (m Matrix) WriteText(w io.Writer, style *table.Style) error {
	v := m.Verdict()
	fmt.Fprintf(w, "%s  %s\n\n", style.Word(v, strings.ToUpper(v.String())), table.Wrap(m.Title(), style.Width(), "      "))
	fmt.Fprint(w, m.table(style).Lay(style.Width()))
	for _, c := range m.Open() {
		m.why(w, style, c.Verdict, c.Verdict.String(), fmt.Sprintf("%s: %s: %s", Flat(c.Journey), c.Mode, Flat(c.Explained())))
	}
	for _, r := range m.Refused {
		m.why(w, style, verdict.Unknown, "refused", fmt.Sprintf("run %s does not count: %s", Flat(r.Run), Flat(r.Reason)))
	}
	if len(m.Open())+len(m.Refused) > 0 {
		fmt.Fprintln(w)
	}
	return nil
}

func (m Matrix) why(w io.Writer, style *table.Style, v verdict.Verdict, word, text string) {
	text = table.Wrap(word+"  "+text, style.Width(), "    ")
	fmt.Fprintf(w, "\n%s%s", style.Word(v, word), strings.TrimPrefix(text, word))
}

// table lays the modes out beside each other, in as many stretches as the width needs.
func (m Matrix) table(style *table.Style) *table.Table {
	t := &table.Table{Head: slices.Concat([]string{"JOURNEY", "OWNER"}, m.Modes), Fold: true}
	for _, row := range m.Rows {
		cells := []string{Flat(row.Name()), Flat(row.Owner)}
		for _, cell := range row.Cells {
			cells = append(cells, cell.Word())
		}
		t.Row(cells...)
	}
	t.Paint = func(row, column int, text string) string {
		if column < 2 || !m.Rows[row].Cells[column-2].Asked() {
			return text
		}
		cell := m.Rows[row].Cells[column-2]
		v := cell.Verdict
		if cell.Removed {
			v = verdict.Fail
		}
		word, _, _ := strings.Cut(text, " ")
		return style.Word(v, word) + strings.TrimPrefix(text, word)
	}
	return t
}

// Name is the journey, with a word if the base has it alone.
func (r Row) Name() string {
	if r.Removed {
		return r.Journey + " (REMOVED)"
	}
	return r.Journey
}

// Explained says why a cell is as it is, and where that is from.
func (c Cell) Explained() string {
	if c.Removed {
		return "the base asks for it, and this declaration does not"
	}
	if c.Run == "" {
		return c.Reason
	}
	s, _ := c.Decisive()
	return fmt.Sprintf("%s (%s, %s, run %s, %s old, owner %s)", c.Reason, s.Name, c.Layer, c.Run, c.Age, orNobody(c.Owner))
}

func orNobody(owner string) string {
	if owner == "" {
		return "nobody"
	}
	return owner
}

// Flat keeps a text on one line, and writes an empty one as "-".
func Flat(text string) string {
	if text == "" {
		return "-"
	}
	return table.Flat(text)
}

// WriteMarkdown writes the matrix as a table for a pull request.
func (m Matrix) WriteMarkdown(w io.Writer) error {
	v := m.Verdict()
	fmt.Fprintf(w, "**%s** %s\n\n| journey | owner | %s |\n|---|---|%s\n", strings.ToUpper(v.String()), Markdown(m.Title()), strings.Join(m.Modes, " | "), strings.Repeat("---|", len(m.Modes)))
	for _, row := range m.Rows {
		fmt.Fprintf(w, "| %s | %s |", Markdown(row.Name()), Markdown(row.Owner))
		for _, cell := range row.Cells {
			fmt.Fprintf(w, " %s |", mark(cell))
		}
		fmt.Fprintln(w)
	}
	if len(m.Open())+len(m.Refused) > 0 {
		fmt.Fprintln(w)
	}
	for _, c := range m.Open() {
		fmt.Fprintf(w, "- **%s: %s** %s: %s\n", Markdown(c.Journey), c.Mode, c.Verdict, Markdown(c.Explained()))
	}
	for _, r := range m.Refused {
		fmt.Fprintf(w, "- **run %s** does not count: %s\n", Markdown(r.Run), Markdown(r.Reason))
	}
	return nil
}

func mark(c Cell) string {
	switch {
	case !c.Asked() && !c.Removed:
		return ""
	case c.Verdict == verdict.Pass && !c.Removed:
		return "✅ " + c.Word()
	case c.Verdict == verdict.Fail || c.Removed:
		return "❌ " + c.Word()
	}
	return "❔ " + c.Word()
}

// Markdown makes a text harmless in a table of Markdown, whatever it holds.
func Markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "~", `\~`, "$", `\$`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "@", "@\u200b", "!", `\!`).Replace(table.Flat(text))
}
