package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// A drawing is SVG under construction. Every attribute and text is escaped where it is written.
//
// It has no viewBox, and its x are percentages: it is as wide as the page lets it be, and its letters keep their
// size on a telephone and on a wall. Curves cannot be written in percentages; they stand in an inner picture of
// 1000 units that is stretched to the same width, with strokes that are not stretched.
type drawing struct{ strings.Builder }

func (d *drawing) open(name string, attrs ...string) {
	d.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		d.WriteString(" " + attrs[i] + `="` + template.HTMLEscapeString(attrs[i+1]) + `"`)
	}
	d.WriteString(">")
}

func (d *drawing) shut(name string) { d.WriteString("</" + name + ">") }

func (d *drawing) tag(name string, attrs ...string) {
	d.open(name, attrs...)
	d.shut(name)
}

func (d *drawing) text(content string, attrs ...string) {
	d.open("text", attrs...)
	d.WriteString(template.HTMLEscapeString(content))
	d.shut("text")
}

// title is what a mark says when it is pointed at.
func (d *drawing) title(content string) {
	d.open("title")
	d.WriteString(template.HTMLEscapeString(content))
	d.shut("title")
}

// html returns the drawing for a template. All that was written to it was escaped.
func (d *drawing) html() template.HTML { return template.HTML(d.String()) }

// An axis is the time axis that all drawings of an experiment share.
type axis struct{ end time.Duration }

// share returns where t is, as a percentage of the width.
func (a axis) share(t time.Duration) string { return fmt.Sprintf("%.2f%%", 100*a.part(t)) }

func (a axis) part(t time.Duration) float64 {
	if a.end <= 0 {
		return 0
	}
	return min(max(float64(t)/float64(a.end), 0), 1)
}

// width returns how wide from..to is, as a percentage.
func (a axis) width(from, to time.Duration) string {
	return fmt.Sprintf("%.2f%%", 100*max(a.part(to)-a.part(from), 0))
}

// x returns where t is in the inner picture.
func (a axis) x(t time.Duration) float64 { return 1000 * a.part(t) }

// ticks are round times, about six of them.
func (a axis) ticks() []time.Duration {
	step := time.Millisecond
	for _, factor := range []time.Duration{2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000, 7200000, 18000000, 36000000, 360000000} {
		if a.end/step <= 7 {
			break
		}
		step = factor * time.Millisecond
	}
	var list []time.Duration
	for t := time.Duration(0); t <= a.end && len(list) < 20; t += step {
		list = append(list, t)
	}
	return list
}

// A chart is one small multiple: a drawing of some height on the axis.
type chart struct {
	drawing
	axis
	height float64
}

// newChart opens a chart with what lies behind every chart: faults and the ends of phases.
func newChart(a axis, x *Experiment, height float64, label string) *chart {
	c := &chart{axis: a, height: height}
	c.open("svg", "class", "chart", "width", "100%", "height", num(height), "role", "img", "aria-label", label)
	c.behind(x)
	return c
}

func (c *chart) behind(x *Experiment) {
	for _, f := range x.Faults {
		c.tag("rect", "class", "band", "x", c.share(f.From), "width", c.width(f.From, f.until(c.end)), "y", "0", "height", num(c.height))
		c.tag("rect", "class", "hatch", "fill", "url(#hatch)", "x", c.share(f.From), "width", c.width(f.From, f.until(c.end)), "y", "0", "height", num(c.height))
	}
	for _, p := range x.Course {
		c.tag("line", "class", "phase", "x1", c.share(p.From), "x2", c.share(p.From), "y1", "0", "y2", num(c.height))
	}
	if well, ok := x.recovered(); ok {
		c.tag("line", "class", "well", "x1", c.share(well), "x2", c.share(well), "y1", "0", "y2", num(c.height))
	}
}

// until is when a fault ended, which was never healed where no heal was recorded.
func (f Fault) until(end time.Duration) time.Duration {
	if f.To == 0 {
		return end
	}
	return f.To
}

// inner opens the picture that curves stand in.
func (c *chart) inner() {
	c.open("svg", "viewBox", "0 0 1000 "+num(c.height), "preserveAspectRatio", "none", "width", "100%", "height", num(c.height), "x", "0", "y", "0")
}

func (c *chart) close() template.HTML {
	c.shut("svg")
	return c.html()
}

// grid draws a line across, with its value.
func (c *chart) grid(y float64, label string) {
	c.tag("line", "class", "grid", "x1", "0", "x2", "100%", "y1", num(y), "y2", num(y))
	c.text(label, "class", "tick", "x", "3", "y", num(y-3))
}

// limit draws the limit of a check over the stretch in which it was judged.
func (c *chart) limit(l Limit, y float64) {
	c.tag("line", "class", "limit "+l.Verdict.String(), "x1", c.share(l.From), "x2", c.share(l.To), "y1", num(y), "y2", num(y))
}

func num(f float64) string {
	s := fmt.Sprintf("%.1f", f)
	return strings.TrimSuffix(s, ".0")
}

// path collects the points of a curve.
type path struct {
	strings.Builder
	drawing bool // the pen is down
}

func (p *path) to(x, y float64) {
	verb := "L"
	if !p.drawing {
		verb = "M"
	}
	fmt.Fprintf(p, "%s%s %s", verb, num(x), num(y))
	p.drawing = true
}

func (p *path) lift() { p.drawing = false }
