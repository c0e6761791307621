package report

import (
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// matrixOf lays out what all runs prove of the journeys that this run declares. own is this run's card.
func (r *Report) matrixOf(own evidence.Card, opts Options) matrix.Matrix {
	cards := slices.Clone(opts.Cards)
	if i := slices.IndexFunc(cards, func(c evidence.Card) bool { return c.ID == own.ID }); i >= 0 {
		cards[i] = own
	} else {
		cards = append([]evidence.Card{own}, cards...)
	}
	now := opts.Now
	if now.IsZero() {
		now = time.Now().UTC()
	}
	return matrix.New(matrix.Facts{Now: now, Declaration: r.declared, Modes: opts.Modes, Cards: cards})
}

// MatrixNote says what the matrix is of, and whether this run is in it.
func (r *Report) MatrixNote() string {
	note := "What all runs of this store prove of these journeys, as it stood at " + r.Matrix.At.Format("2006-01-02 15:04 UTC") + "."
	switch {
	case r.Meta.Defect != "":
		note += " This run is not in it: the defect " + r.Meta.Defect + " was planted."
	case !r.Whole():
		note += " Nothing of this run counts in it."
	}
	return note
}

// OtherRefused are the runs of the store that do not count, but for this one, of which that is said above.
func (r *Report) OtherRefused() []matrix.Refusal {
	return slices.DeleteFunc(slices.Clone(r.Matrix.Refused), func(x matrix.Refusal) bool { return x.Run == r.ID })
}

// cellView is a cell as it is shown.
type cellView struct {
	Class, Word, From, Reason string
}

type rowView struct {
	Journey, Owner string
	Cells          []cellView
}

// cellsView is a matrix as it is shown.
type cellsView struct {
	M    matrix.Matrix
	Rows []rowView
}

// rows are the journeys of a matrix. this is the run that the page is of, "" for none.
func rows(m matrix.Matrix, this string) []rowView {
	var rows []rowView
	for _, row := range m.Rows {
		v := rowView{Journey: row.Name(), Owner: row.Owner}
		for _, c := range row.Cells {
			v.Cells = append(v.Cells, viewOf(c, row.Owner, this))
		}
		rows = append(rows, v)
	}
	return rows
}

func viewOf(c matrix.Cell, owner, this string) cellView {
	v := cellView{Class: "none", Word: c.Word()}
	if !c.Asked() {
		return v
	}
	v.Class = c.Verdict.String()
	if c.Removed {
		v.Class = verdict.Fail.String()
	}
	var from []string
	if s, ok := c.Decisive(); ok {
		from = append(from, s.Name)
	}
	from = append(from, c.Layer)
	if c.Run == this && this != "" {
		from = append(from, "this run")
	}
	if c.Owner != owner && c.Owner != "" {
		from = append(from, "owner "+c.Owner)
	}
	v.From = strings.Join(slices.DeleteFunc(from, func(s string) bool { return s == "" }), ", ")
	if c.Verdict != verdict.Pass {
		v.Reason = c.Reason
	}
	return v
}

// matrixPage is what the page of a matrix is filled with.
type matrixPage struct {
	cellsView
	Verdict verdict.Verdict
	Title   string
	Open    []matrix.Cell
	Policy  string
	Style   template.CSS
	Script  template.JS
}

// MatrixHTML writes a matrix as one file that opens without a network, and looks as the report does.
func MatrixHTML(w io.Writer, m matrix.Matrix) error {
	page, err := parsePage()
	if err != nil {
		return err
	}
	m = scrubbed(m)
	cells := rows(m, "")
	for _, row := range cells {
		for i := range row.Cells {
			row.Cells[i].Reason = "" // it stands in whole below the matrix
		}
	}
	return page.ExecuteTemplate(w, "matrix alone", matrixPage{cellsView{m, cells}, m.Verdict(), m.Title(), m.Open(), policy(), template.CSS(pageCSS), template.JS(pageJS)})
}

// open counts the cells that somebody asks for and nothing proves.
func (r *Report) open() int {
	counts := r.Matrix.Count()
	return counts[verdict.Fail] + counts[verdict.Unknown]
}
