package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// operationView is one operation with its steps and attempts as a waterfall.
type operationView struct {
	Operation
	Open    bool
	Icon    string
	At      string
	Took    string
	Outcome string
	Why     string
	Rows    []fallRow
}

// A fallRow is one bar of the waterfall and what it is.
type fallRow struct {
	start                                              time.Duration
	Class, Label, Attempt, Answer, Took, Error, Faults string
	Bar                                                template.HTML
}

func newOperationView(o Operation, open bool) operationView {
	v := operationView{Operation: o, Open: open, Icon: "fail", At: at(o.Scheduled), Took: took(o.Return - o.Scheduled), Outcome: o.Outcome, Why: strings.Join(o.Why, "; ")}
	switch o.Outcome {
	case "ok":
		v.Icon = "pass"
		if o.Degraded {
			v.Outcome = "ok, degraded"
		}
	case "maybe":
		v.Icon, v.Outcome = "unknown", "its effect is not known"
	}
	from, to := o.Scheduled, o.Return
	for _, x := range o.Exchanges {
		from, to = min(from, x.Start), max(to, x.End)
	}
	a := axis{max(to-from, 1)}
	for _, p := range o.Parts {
		v.Rows = append(v.Rows, p.row(a, from))
	}
	for _, x := range o.Exchanges {
		v.Rows = append(v.Rows, x.row(a, from))
	}
	slices.SortStableFunc(v.Rows, func(a, b fallRow) int { return cmp.Compare(a.start, b.start) })
	return v
}

func (p Part) row(a axis, from time.Duration) fallRow {
	row := fallRow{start: p.Call, Class: "step", Label: p.Kind + " " + p.Name, Answer: p.Outcome, Took: span(p.Call-from, p.Return-p.Call), Error: p.Error}
	if p.Kind == "model" {
		row.Label, row.Error = strings.TrimSpace(fmt.Sprintf("%s %s %s", p.Name, p.Object, p.Input)), "" // its step has the same error
	}
	row.Bar = bar(a, p.Call-from, 0, p.Return-from, 5)
	return row
}

func (x Exchange) row(a axis, from time.Duration) fallRow {
	row := fallRow{start: x.Start, Class: "good", Label: fmt.Sprintf("%s → %s  %s %s", x.Src, x.Dst, x.Method, x.Path),
		Answer: answer(x), Took: span(x.Start-from, x.End-x.Start), Error: x.Error, Faults: strings.Join(x.Faults, ", ")}
	if !x.OK() {
		row.Class = "bad"
	}
	row.Attempt = fmt.Sprintf("attempt %d", x.Attempt)
	if x.Other {
		row.Attempt += ", in another trace"
	}
	first := time.Duration(0)
	if x.First > 0 {
		first = x.First - from
	}
	row.Bar = bar(a, x.Start-from, first, x.End-from, 9)
	return row
}

// answer is the status and the gRPC code of an exchange.
func answer(x Exchange) string {
	var parts []string
	if x.Status > 0 {
		parts = append(parts, fmt.Sprintf("status %d", x.Status))
	}
	if x.Code != "" {
		parts = append(parts, x.Code)
	}
	if len(parts) == 0 {
		return "no answer"
	}
	return strings.Join(parts, " ")
}

func span(from, length time.Duration) string {
	return fmt.Sprintf("+%s for %s", took(from), took(length))
}

// bar draws from start to end; up to the first byte of the answer it is waiting.
func bar(a axis, start, first, end time.Duration, height float64) template.HTML {
	var d drawing
	d.open("svg", "width", "100%", "height", num(height), "aria-hidden", "true")
	d.tag("rect", "class", "bar", "x", a.share(start), "width", a.width(start, end), "height", num(height))
	d.tag("rect", "class", "bar", "x", a.share(start), "width", "2", "height", num(height)) // what took no time is seen as well
	if first > start {
		d.tag("rect", "class", "wait", "x", a.share(start), "width", a.width(start, first), "y", num(height/3), "height", num(height/3))
	}
	d.shut("svg")
	return d.html()
}
