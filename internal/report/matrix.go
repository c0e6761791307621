package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/verdict"
)

// A Matrix has a row for each journey and a column for each failure mode.
type Matrix struct {
	Modes []string `json:"modes,omitempty"`
	Rows  []Row    `json:"rows,omitempty"`
	Scope string   `json:"scope"` // what it is of, in words
}

// A Row is one journey.
type Row struct {
	Journey string `json:"journey"`
	Owner   string `json:"owner,omitempty"`
	Cells   []Cell `json:"cells"` // as Modes
}

// A Cell is what is known of one journey under one failure mode. The zero value is unproven.
type Cell struct {
	Asked      bool            `json:"asked,omitempty"` // somebody declared or ran an experiment for it
	Verdict    verdict.Verdict `json:"verdict"`
	Experiment string          `json:"experiment,omitempty"`
	Layer      string          `json:"layer,omitempty"`
	Age        string          `json:"age,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Run        string          `json:"run,omitempty"`
}

// matrixOf is the matrix of this run alone.
func matrixOf(r *Report) Matrix {
	m := Matrix{Scope: "this run"}
	modes := map[string]bool{}
	for _, c := range r.declared.Cells {
		modes[c.Mode] = true
	}
	for _, x := range r.Experiments {
		for _, list := range x.Modes {
			for _, mode := range list {
				modes[mode.Name] = true
			}
		}
	}
	m.Modes = slices.Sorted(maps.Keys(modes))
	for _, j := range r.declared.Journeys {
		row := Row{Journey: j.Name, Owner: j.Owner, Cells: make([]Cell, len(m.Modes))}
		for i, mode := range m.Modes {
			row.Cells[i] = r.cell(j.Name, mode)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// cell is a pass only where an experiment passed and proved the mode.
func (r *Report) cell(journey, mode string) Cell {
	var cell Cell
	for _, c := range r.declared.Cells {
		if c.Journey == journey && c.Mode == mode {
			cell = Cell{Asked: true, Experiment: c.Experiment, Reason: "it was not run"}
		}
	}
	for _, x := range r.Experiments {
		for _, m := range x.Modes[journey] {
			if m.Name != mode || x.Control {
				continue
			}
			found := Cell{Asked: true, Experiment: x.Name, Layer: x.Layer, Reason: m.Text, Run: r.ID}
			switch {
			case x.Verdict == verdict.Fail:
				found.Verdict, found.Reason = verdict.Fail, x.Reason
			case x.Verdict == verdict.Pass && m.Proved && r.Whole():
				found.Verdict = verdict.Pass
			}
			if !cell.Asked || cell.Run == "" || order(found.Verdict) < order(cell.Verdict) {
				cell = found
			}
		}
	}
	return cell
}

// Class is the verdict of a cell that was asked for, and "none" of one that was not.
func (c Cell) Class() string {
	if !c.Asked {
		return "none"
	}
	return c.Verdict.String()
}

// Note is where the cell's evidence comes from.
func (c Cell) Note() string {
	return strings.Join(slices.DeleteFunc([]string{c.Experiment, c.Layer, c.Age}, func(s string) bool { return s == "" }), ", ")
}
