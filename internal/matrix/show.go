package matrix

import (
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

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

// open returns the cells that are asked for and not proved.
func (m Matrix) open() []Cell {
	var cells []Cell
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
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
	for _, c := range m.open() {
		m.why(w, style, c.Verdict, c.Verdict.String(), fmt.Sprintf("%s: %s: %s", Flat(c.Journey), c.Mode, Flat(c.explained())))
	}
	for _, r := range m.Refused {
		m.why(w, style, verdict.Unknown, "refused", fmt.Sprintf("run %s does not count: %s", Flat(r.Run), Flat(r.Reason)))
	}
	if len(m.open())+len(m.Refused) > 0 {
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

// explained says why a cell is as it is, and where that is from.
func (c Cell) explained() string {
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
	if len(m.open())+len(m.Refused) > 0 {
		fmt.Fprintln(w)
	}
	for _, c := range m.open() {
		fmt.Fprintf(w, "- **%s: %s** %s: %s\n", Markdown(c.Journey), c.Mode, c.Verdict, Markdown(c.explained()))
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
	return strings.NewReplacer("\n", " ", "\r", " ", "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "@", "@\u200b", "!", `\!`).Replace(text)
}

// WriteHTML writes the matrix as one page that needs nothing else.
func (m Matrix) WriteHTML(w io.Writer) error {
	page, err := template.New("matrix").Parse(page)
	if err != nil {
		return err
	}
	return page.Execute(w, map[string]any{"Matrix": m, "Verdict": m.Verdict().String(), "Title": m.Title(), "Open": m.open(), "At": m.At.Format(time.RFC3339)})
}

// Explained is for templates.
func (c Cell) Explained() string { return c.explained() }

const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Verdict}}: {{.Matrix.System}}</title>
<style>
:root{color-scheme:light dark;--pass:#116329;--fail:#a40e26;--unknown:#7a5200;--line:#8886}
@media (prefers-color-scheme:dark){:root{--pass:#56d364;--fail:#ff7b72;--unknown:#e3b341}}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem}
.scroll{overflow-x:auto}table{border-collapse:collapse}th,td{border:1px solid var(--line);padding:.4rem .7rem;text-align:left;white-space:nowrap}
.pass{color:var(--pass)}.fail{color:var(--fail);font-weight:700}.unknown{color:var(--unknown);font-style:italic}
li{overflow-wrap:anywhere}
</style></head><body>
<h1><span class="{{.Verdict}}">{{.Verdict}}</span></h1><p>{{.Title}}</p>
<div class="scroll" tabindex="0" role="region" aria-label="matrix"><table><thead><tr><th scope="col">journey</th><th scope="col">owner</th>{{range .Matrix.Modes}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Matrix.Rows}}<tr><th scope="row">{{.Name}}</th><td>{{.Owner}}</td>{{range .Cells}}<td{{if .Asked}} class="{{.Verdict}}" title="{{.Explained}}"{{end}}>{{.Word}}</td>{{end}}</tr>
{{end}}</tbody></table></div>
<ul>{{range .Open}}<li><b>{{.Journey}}: {{.Mode}}</b> <span class="{{.Verdict}}">{{.Verdict}}</span>: {{.Explained}}</li>{{end}}
{{range .Matrix.Refused}}<li><b>run {{.Run}}</b> does not count: {{.Reason}}</li>{{end}}</ul>
</body></html>
`
