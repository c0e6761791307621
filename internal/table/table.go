// Package table lays out columns of text: plain ones for a pipe, and for a terminal columns that fit it.
//
//	t := table.Table{Head: []string{"RUN", "REASON"}, Prose: []int{1}}
//	t.Row("20261122-175922", "driver: operations started late")
//	fmt.Print(t.Lay(80)) // 0 for a pipe: nothing is shortened
//
// Only prose is ever shortened. What still does not fit goes below: each row takes several lines, so that names and
// verdicts stay whole and can be pasted.
package table

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/assay-dev/assay/verdict"
)

const (
	gap   = "  "
	below = "    " // before the lines of a row that follow its first
	least = 24     // columns that prose gets at least, where it is as long
)

// A Table is rows of cells. The zero value has no head, and its prose is nowhere.
type Table struct {
	Head   []string
	Prose  []int  // columns of text for people, which may be shortened; others never are
	Whole  bool   // prose takes several lines instead of being shortened
	Fold   bool   // columns that do not fit follow in tables of their own, each beside the first column, rather than below each row
	Indent string // before each line
	// Paint colours a cell after it was laid out, nil for none.
	Paint func(row, column int, text string) string
	rows  [][]string
}

// Row adds a row. Its cells are kept on one line each.
func (t *Table) Row(cells ...string) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = Flat(c)
	}
	t.rows = append(t.rows, row)
}

// Flat keeps a text on one line, and writes out what could steer a terminal.
func Flat(text string) string {
	return Plain(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(text))
}

// Plain writes out, as Escape has it, what could steer a terminal or turns the direction of text. Lines and tabs stay.
func Plain(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if escape := Escape(r, text[i:i+size]); escape != "" && r != '\n' && r != '\t' {
			b.WriteString(escape)
		} else {
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Lay returns the table for a terminal of this width, or in plain columns for 0.
func (t *Table) Lay(columns int) string {
	var b strings.Builder
	groups, widths := t.fit(columns)
	if !t.Fold {
		t.write(&b, groups, widths)
		return b.String()
	}
	for i, group := range groups {
		if i > 0 {
			b.WriteByte('\n')
		}
		t.write(&b, [][]int{group}, widths[i:i+1])
	}
	return b.String()
}

// fit says which columns stand side by side, and how wide each is there.
func (t *Table) fit(columns int) (groups [][]int, widths []map[int]int) {
	natural := t.natural()
	all := make([]int, len(natural))
	for i := range all {
		all[i] = i
	}
	if columns <= 0 {
		return [][]int{all}, []map[int]int{t.share(all, natural, 0)}
	}
	room := columns - len(t.Indent)
	smallest := slices.Clone(natural)
	for _, i := range t.Prose {
		if i < len(natural) { // no row, no column
			smallest[i] = min(natural[i], least)
		}
	}
	for i := range all {
		last := len(groups) - 1
		switch {
		case last >= 0 && sum(append(slices.Clone(groups[last]), i), smallest) <= t.room(room, last):
			groups[last] = append(groups[last], i)
		case t.Fold && last >= 0:
			groups = append(groups, []int{0, i})
		default:
			groups = append(groups, []int{i})
		}
	}
	for n, group := range groups {
		widths = append(widths, t.share(group, natural, t.room(room, n)))
	}
	return groups, widths
}

// room is what the n-th line of a row may take.
func (t *Table) room(room, n int) int {
	if n > 0 && !t.Fold {
		return room - len(below)
	}
	return room
}

// natural returns how wide each column is by itself.
func (t *Table) natural() []int {
	var widths []int
	for _, row := range append([][]string{t.Head}, t.rows...) {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(c))
		}
	}
	return widths
}

func sum(group, widths []int) int {
	n := len(gap) * (len(group) - 1)
	for _, i := range group {
		n += widths[i]
	}
	return n
}

// share gives the columns of a line their widths: the widest prose yields first. Room 0 is without end.
func (t *Table) share(group, natural []int, room int) map[int]int {
	widths := slices.Clone(natural)
	for room > 0 && sum(group, widths) > room {
		widest := -1
		for _, i := range t.Prose {
			if slices.Contains(group, i) && widths[i] > 1 && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	shares := map[int]int{}
	for _, i := range group {
		shares[i] = widths[i]
	}
	return shares
}

func (t *Table) write(b *strings.Builder, groups [][]int, widths []map[int]int) {
	if t.Head != nil {
		t.line(b, -1, t.Head, groups, widths)
	}
	for i, row := range t.rows {
		t.line(b, i, row, groups, widths)
	}
}

// line writes one row, or the head as row -1.
func (t *Table) line(b *strings.Builder, at int, row []string, groups [][]int, widths []map[int]int) {
	for n, group := range groups {
		empty := func(i int) bool { return i >= len(row) || row[i] == "" || row[i] == "-" }
		if n > 0 && !t.Fold && !slices.ContainsFunc(group, func(i int) bool { return !empty(i) }) {
			continue
		}
		indent := t.Indent
		if n > 0 {
			indent += below
		}
		t.side(b, indent, at, row, group, widths[n])
	}
}

// side writes cells side by side, each as many lines as it takes.
func (t *Table) side(b *strings.Builder, indent string, at int, row []string, group []int, widths map[int]int) {
	cells, lines := map[int][]string{}, 1
	for _, i := range group {
		if i < len(row) {
			cells[i] = t.cell(row[i], widths[i])
			lines = max(lines, len(cells[i]))
		}
	}
	for n := range lines {
		line, pending := "", indent
		for _, i := range group {
			text := ""
			if n < len(cells[i]) {
				text = cells[i][n]
			}
			if text != "" {
				line += pending + t.painted(at, i, text)
				pending = ""
			}
			pending += strings.Repeat(" ", max(widths[i]-Width(text), 0)) + gap
		}
		b.WriteString(line + "\n")
	}
}

func (t *Table) painted(row, column int, text string) string {
	if t.Paint == nil || row < 0 {
		return text
	}
	return t.Paint(row, column, text)
}

// cell returns the lines of a cell that has this width.
func (t *Table) cell(text string, width int) []string {
	switch {
	case Width(text) <= width:
		return []string{text}
	case t.Whole:
		return wrap(text, width)
	}
	return []string{Shorten(text, width)}
}

// Shorten cuts a text to a width, with an ellipsis where anything was cut.
func Shorten(text string, most int) string {
	if Width(text) <= most {
		return text
	}
	room := most - 1
	for i := 0; i < len(text); {
		columns, size := runeWidth(text[i:])
		if room -= columns; room < 0 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
		i += size
	}
	return text
}

// Wrap breaks a text between words into lines of at most this width, the first as it is and the others after the indent.
// A word that is longer stays whole. Width 0 breaks nothing.
func Wrap(text string, columns int, indent string) string {
	if columns <= 0 {
		return text
	}
	first := wrap(text, columns)
	if len(first) > 1 {
		rest := strings.TrimLeft(strings.TrimPrefix(text, first[0]), " ")
		return first[0] + "\n" + indent + strings.Join(wrap(rest, max(columns-len(indent), least)), "\n"+indent)
	}
	return text
}

func wrap(text string, most int) []string {
	var lines []string
	body := strings.TrimLeft(text, " ")
	line := text[:len(text)-len(body)]
	used, words := len(line), 0
	for word := range strings.SplitSeq(body, " ") {
		n := Width(word)
		switch {
		case words > 0 && used+1+n > most:
			lines, line, used, words = append(lines, strings.TrimRight(line, " ")), "", 0, 0
		case words > 0:
			line, used = line+" ", used+1
		}
		line, used, words = line+word, used+n, words+1
	}
	return append(lines, line)
}

// Width is how many columns of a terminal a text takes.
func Width(text string) int {
	n := 0
	for i := 0; i < len(text); {
		columns, size := runeWidth(text[i:])
		n, i = n+columns, i+size
	}
	return n
}

// Escape returns what stands on a terminal for a character that could steer it or that turns the direction of text, such as
// \x1b and \u202e, and "" for one that is shown as it is. Of a text that is no UTF-8 r is utf8.RuneError, and raw the byte.
func Escape(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case unicode.IsControl(r) && r < 0x20:
		return fmt.Sprintf(`\x%02x`, r)
	case unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) || r == '\u2028' || r == '\u2029':
		return fmt.Sprintf(`\u%04x`, r)
	}
	return ""
}

// runeWidth returns the columns and the bytes of the first character of a text, which is not empty.
func runeWidth(text string) (columns, size int) {
	r, size := utf8.DecodeRuneInString(text)
	if escape := Escape(r, text[:size]); escape != "" {
		return len(escape), size
	}
	return shownWidth(r), size
}

func shownWidth(r rune) int {
	switch kind := width.LookupRune(r).Kind(); {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// A Style is how a text is shown. Nil is that of a pipe: no colours, no limit.
type Style struct {
	Columns int // of the terminal, 0 for no limit
	Paint   func(v verdict.Verdict, text string) string
}

// Word colours a word by verdict.
func (s *Style) Word(v verdict.Verdict, text string) string {
	if s == nil || s.Paint == nil {
		return text
	}
	return s.Paint(v, text)
}

// Width is the width to lay a table out for.
func (s *Style) Width() int {
	if s == nil {
		return 0
	}
	return s.Columns
}
