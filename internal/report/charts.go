package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
)

// Sizes are in pixels.
const (
	tall  = 96
	small = 56
)

// floors are where the scale of a success chart may begin: a share of 99.9 % is to be told from 100 %.
var floors = [...]float64{0.99, 0.9, 0.5, 0}

// successChart draws which share of the operations ended how: well, degraded, not.
func successChart(a axis, x *Experiment, j Journey) template.HTML {
	low := 1.0
	for _, p := range j.Points {
		if n := p.Count(); n > 0 {
			low = min(low, float64(p.OK-p.Degraded)/float64(n))
		}
	}
	for _, l := range j.Limits {
		if l.Signal == "success" {
			low = min(low, l.Value-0.001) // or its line would be the frame's
		}
	}
	floor := floors[slices.IndexFunc(floors[:], func(f float64) bool { return f <= low })]
	c := newChart(a, x, tall, fmt.Sprintf("Share of %s that ended well over time. %s", j.Name, j.sentence()))
	y := func(share float64) float64 { return tall - 2 - (max(share, floor)-floor)/(1-floor)*(tall-18) }
	c.inner()
	c.areas(j, "area failed", func(p Point) (float64, float64) { return p.share(p.OK), 1 }, y)
	c.areas(j, "area degraded", func(p Point) (float64, float64) { return p.share(p.OK - p.Degraded), p.share(p.OK) }, y)
	c.areas(j, "area stripes", func(p Point) (float64, float64) { return p.share(p.OK - p.Degraded), p.share(p.OK) }, y)
	c.areas(j, "area ok", func(p Point) (float64, float64) { return floor, p.share(p.OK - p.Degraded) }, y)
	c.curve(j, "line ok", func(p Point) float64 { return p.share(p.OK) }, y)
	c.shut("svg")
	for _, share := range []float64{1, (1 + floor) / 2, floor} {
		c.grid(y(share), percent(share))
	}
	for _, l := range j.Limits {
		if l.Signal == "success" {
			c.limit(l, y(l.Value))
		}
	}
	return c.close()
}

func (p Point) share(n int64) float64 {
	if p.Count() == 0 {
		return 0
	}
	return float64(n) / float64(p.Count())
}

// areas fills between two shares, wherever there were operations.
func (c *chart) areas(j Journey, class string, between func(Point) (float64, float64), y func(float64) float64) {
	var area path
	for _, p := range j.Points {
		from, to := between(p)
		if p.Count() == 0 || to <= from {
			continue
		}
		left, right := c.x(p.At), c.x(p.At+j.Width)
		area.lift()
		area.to(left, y(from))
		area.to(left, y(to))
		area.to(right, y(to))
		area.to(right, y(from))
		area.WriteString("Z")
	}
	if area.Len() > 0 {
		c.tag("path", "class", class, "d", area.String())
	}
}

// curve draws a step for each point, with gaps where nothing was scheduled.
func (c *chart) curve(j Journey, class string, value func(Point) float64, y func(float64) float64) {
	var line path
	for _, p := range j.Points {
		if p.Count() == 0 {
			line.lift()
			continue
		}
		line.to(c.x(p.At), y(value(p)))
		line.to(c.x(p.At+j.Width), y(value(p)))
	}
	if line.Len() > 0 {
		c.tag("path", "class", class, "d", line.String())
	}
}

// latencyChart draws quantiles of latency, on a logarithmic scale where they differ much.
func latencyChart(a axis, x *Experiment, j Journey) template.HTML {
	c := newChart(a, x, tall, fmt.Sprintf("Latency of %s over time: median, 95th and 99th percentile. %s", j.Name, j.latencySentence()))
	low, high := math.Inf(1), 0.001
	see := func(v float64) {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	for _, p := range j.Points {
		if p.Count() > 0 {
			see(ms(p.P50))
			see(ms(p.P99))
		}
	}
	for _, l := range j.Limits {
		if l.latency() {
			see(l.Value)
		}
	}
	low = min(low, high)
	s := newScale(low, high)
	c.inner()
	for _, q := range []struct {
		class string
		of    func(Point) float64
	}{{"line p99", func(p Point) float64 { return ms(p.P99) }}, {"line p95", func(p Point) float64 { return ms(p.P95) }}, {"line p50", func(p Point) float64 { return ms(p.P50) }}} {
		c.curve(j, q.class, q.of, s.y)
	}
	c.shut("svg")
	for _, v := range s.ticks() {
		c.grid(s.y(v), milliseconds(v))
	}
	for _, l := range j.Limits {
		if l.latency() {
			c.limit(l, s.y(l.Value))
		}
	}
	return c.close()
}

func (l Limit) latency() bool {
	return slices.Contains([]string{"p50_ms", "p90_ms", "p95_ms", "p99_ms"}, l.Signal)
}

// A scale maps values to heights in a tall chart.
type scale struct {
	low, high float64
	log       bool
}

func newScale(low, high float64) scale {
	if high/low < 20 {
		return scale{0, high * 1.1, false}
	}
	return scale{math.Pow(10, math.Floor(math.Log10(low))), high * 1.3, true}
}

func (s scale) y(v float64) float64 {
	part := (v - s.low) / (s.high - s.low)
	if s.log {
		part = math.Log(max(v, s.low)/s.low) / math.Log(s.high/s.low)
	}
	return tall - 2 - min(max(part, 0), 1)*(tall-18)
}

// ticks are round values: decades on a logarithmic scale, else the half and the whole of a round number.
func (s scale) ticks() []float64 {
	var list []float64
	if s.log {
		for v := s.low; v <= s.high; v *= 10 {
			list = append(list, v)
		}
		for len(list) > 4 {
			list = slices.DeleteFunc(list, func(v float64) bool { return int(math.Round(math.Log10(v/s.low)))%2 == 1 })
			if len(list) > 4 {
				list = []float64{list[0], list[len(list)/2], list[len(list)-1]}
			}
		}
		return list
	}
	step := math.Pow(10, math.Floor(math.Log10(s.high)))
	for s.high/step < 2 {
		step /= 2
	}
	for s.high/step > 4 {
		step *= 2
	}
	for v := 0.0; v <= s.high; v += step {
		list = append(list, v)
	}
	return list
}

// loadChart draws arrivals a second, and above them those that did not end well.
func loadChart(a axis, x *Experiment, j Journey) template.HTML {
	c := newChart(a, x, small, fmt.Sprintf("Arrivals of %s each second over time: %d in all", j.Name, j.Count()))
	high := 0.0
	rate := func(p Point) float64 { return float64(p.Count()) / x.loaded(p.At, j.Width).Seconds() }
	for _, p := range j.Points {
		high = max(high, rate(p))
	}
	y := func(v float64) float64 { return small - 2 - v/max(high*1.05, 0.001)*(small-18) }
	c.inner()
	c.curve(j, "line load", rate, y)
	c.shut("svg")
	c.grid(y(high), fmt.Sprintf("%.3g/s", high))
	c.grid(y(0), "0")
	return c.close()
}

// loaded is how much of a stretch lies between the begin and the end of the load.
func (e *Experiment) loaded(from, width time.Duration) time.Duration {
	to := from + width
	for _, p := range e.Course {
		switch {
		case p.Name == "before" && p.From > from && p.From < to:
			from = p.From
		case p.Name == "drain" && p.From > from && p.From < to:
			to = p.From
		}
	}
	return max(to-from, width/2)
}

// phaseStrip names the phases, and marks when all was well again.
func phaseStrip(a axis, x *Experiment) template.HTML {
	c := &chart{axis: a, height: 24}
	c.open("svg", "class", "strip", "width", "100%", "height", "24", "role", "img", "aria-label", phaseSentence(x))
	for i, p := range x.Course {
		c.open("svg", "x", c.share(p.From), "width", c.width(p.From, p.To), "height", "24")
		c.tag("rect", "class", fmt.Sprintf("phase-%d %s", i%2, phaseClass(p.Name)), "width", "100%", "height", "24")
		if c.part(p.To)-c.part(p.From) > 0.012*float64(len(p.Name)) { // a phase too short for its name is in the tables
			c.text(p.Name, "class", "label", "x", "4", "y", "16")
		}
		c.shut("svg")
	}
	if well, ok := x.recovered(); ok {
		c.open("line", "class", "well", "x1", c.share(well), "x2", c.share(well), "y1", "0", "y2", "24")
		c.title("well again at " + at(well))
		c.shut("line")
	}
	return c.close()
}

func phaseClass(name string) string {
	if name == "fault" {
		return "broken"
	}
	return "calm"
}

// faultStrip draws when one fault was there, each time, and when its effect was observed.
func faultStrip(a axis, group faultGroup) template.HTML {
	c := &chart{axis: a, height: 18}
	c.open("svg", "class", "strip", "width", "100%", "height", "18", "role", "img", "aria-label", group.sentence())
	for _, f := range group.Faults {
		c.tag("rect", "class", "fault", "x", c.share(f.From), "width", c.width(f.From, f.until(c.end)), "y", "2", "height", "14")
		c.tag("rect", "fill", "url(#hatch)", "x", c.share(f.From), "width", c.width(f.From, f.until(c.end)), "y", "2", "height", "14")
		for _, p := range f.Proof {
			class := "proof unseen"
			if p.Observed {
				class = "proof seen"
			}
			c.open("circle", "class", class, "cx", c.share(p.At), "cy", "9", "r", "4")
			c.title(fmt.Sprintf("%s at %s: %s", p.Target, at(p.At), p.Text))
			c.shut("circle")
		}
	}
	return c.close()
}

// laneStrip draws the states and roles of one instance.
func laneStrip(a axis, x *Experiment, lane Lane) template.HTML {
	c := newChart(a, x, 30, strings.Trim(lane.sentence()+"; "+lane.peak(), "; "))
	c.usageArea(lane.Usage, x.mostCores())
	var state Mark
	bar := func(from, to time.Duration) {
		if state.Name != "" {
			c.tag("rect", "class", "state "+stateClass(state.Name), "x", c.share(from), "width", c.width(from, to), "y", "20", "height", "6")
		}
	}
	for _, m := range lane.Marks {
		if m.Kind != "state" {
			continue
		}
		bar(state.At, m.At)
		state = m
	}
	bar(state.At, c.end)
	for _, m := range lane.Marks {
		if m.Kind == "role" {
			c.open("circle", "class", "role", "cx", c.share(m.At), "cy", "23", "r", "4")
			c.title(fmt.Sprintf("%s at %s", m.Name, at(m.At)))
			c.shut("circle")
		}
	}
	labels := 0.0
	for _, m := range lane.Marks { // a label needs room: it is left out where it would stand on the one before
		if part := c.part(m.At); m.At == lane.Marks[0].At || part-labels > 0.14 && part < 0.9 {
			c.text(m.Name, "class", "tick", "x", fmt.Sprintf("%.2f%%", 100*max(part, 0.002)), "y", "14")
			labels = part
		}
	}
	return c.close()
}

func stateClass(name string) string {
	switch name {
	case "ready":
		return "up"
	case "starting", "unready":
		return "half"
	}
	return "down"
}

// tickStrip is the axis itself.
func tickStrip(a axis) template.HTML {
	c := &chart{axis: a, height: 18}
	c.open("svg", "class", "strip ticks", "width", "100%", "height", "18", "aria-hidden", "true")
	for _, t := range a.ticks() {
		anchor := "middle"
		switch part := c.part(t); {
		case part < 0.03:
			anchor = "start"
		case part > 0.97:
			anchor = "end"
		}
		c.tag("line", "class", "phase", "x1", c.share(t), "x2", c.share(t), "y1", "0", "y2", "4")
		c.text(axisText(t), "class", "tick", "x", c.share(t), "y", "15", "text-anchor", anchor)
	}
	return c.close()
}

func axisText(t time.Duration) string {
	switch {
	case t == 0:
		return "0"
	case t%time.Minute == 0:
		return fmt.Sprintf("%d min", t/time.Minute)
	case t < time.Second:
		return fmt.Sprintf("%d ms", t.Milliseconds())
	}
	return fmt.Sprintf("%.4g s", t.Seconds())
}
