package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// experimentView is one experiment as the page draws it.
type experimentView struct {
	*Experiment
	Index        int
	Open         bool
	Foreign      bool
	Place        string
	Proved       string
	RecoveryText string
	RecoveredAt  string
	Trouble      []string
	Drawn        bool
	EndMs        string
	Length       string
	PhaseStrip   template.HTML
	FaultRows    []faultRow
	Groups       []faultGroup
	Charts       []chartView
	LaneRows     []laneRow
	StillText    string
	StillRows    []laneRow
	Ticks        template.HTML
	Timeline     []timelineRow
	CheckRows    []checkRow
	Witnesses    []witnessView
	HasErrors    bool
	OpRows       []operationView
}

type faultRow struct {
	Name, When, On string
	Seen           bool
	Strip          template.HTML
}

type laneRow struct {
	Instance string
	Peak     string
	Strip    template.HTML
}

type timelineRow struct {
	at                   time.Duration
	At, Kind, Name, Text string
}

type checkRow struct {
	evidence.Checked
	Says, Missed, Times string
}

type chartView struct {
	Name, Sentence, Latency string
	WidthMs, Data           string
	Success, LatencyChart   template.HTML
	Load, Ticks             template.HTML
	Rows                    []numberRow
}

type numberRow struct {
	At                      string
	N, OK, Degraded, Failed int64
	Maybe                   int64
	P50, P95, P99           string
}

// mostRows is how many rows a table of figures has.
const mostRows = 60

func newExperimentView(r *Report, index int) *experimentView {
	x := &r.Experiments[index-1]
	v := &experimentView{Experiment: x, Index: index, Foreign: r.foreign(), Open: x.Verdict != verdict.Pass && !x.Control && !x.NotRun, Place: r.place(x.Pos),
		Proved: proved(x), RecoveryText: recovery(x), Trouble: trouble(x), Drawn: x.End > 0, EndMs: num(ms(x.End)), Length: at(x.End)}
	if v.Drawn {
		v.draw()
	}
	v.checks()
	for _, j := range x.Journeys {
		v.HasErrors = v.HasErrors || len(j.Errors) > 0
	}
	for _, o := range x.Operations {
		v.OpRows = append(v.OpRows, newOperationView(o, o.ID == x.First))
	}
	slices.SortStableFunc(v.OpRows, func(a, b operationView) int { return order2(a.Icon) - order2(b.Icon) })
	return v
}

func order2(icon string) int { return map[string]int{"fail": 0, "unknown": 0, "pass": 2}[icon] }

func proved(x *Experiment) string {
	var cells []string
	for _, journey := range sortedNames(x.Modes) {
		for _, m := range x.Modes[journey] {
			if m.Proved {
				cells = append(cells, journey+": "+m.Name)
			}
		}
	}
	if len(cells) == 0 {
		return "-"
	}
	return strings.Join(cells, ", ")
}

func recovery(x *Experiment) string {
	switch {
	case x.Recovery == nil:
		return "-"
	case !x.Recovery.Recovered:
		return "never"
	}
	return fmt.Sprintf("%.1f s", x.Recovery.FromInject.Seconds())
}

// trouble lists what keeps an experiment from being read or believed in full.
func trouble(x *Experiment) []string {
	list := slices.Clone(x.Problems)
	for _, c := range x.CannotFail {
		list = append(list, c+" cannot fail: it held in every control")
	}
	for _, d := range x.Damage {
		list = append(list, d.String()+". What could be read is drawn.")
	}
	if x.Dropped > 0 {
		list = append(list, fmt.Sprintf("%d more changes of instances and notes were left out of the drawing", x.Dropped))
	}
	return list
}

func (v *experimentView) draw() {
	x, a := v.Experiment, axis{v.End}
	v.PhaseStrip, v.Ticks = phaseStrip(a, x), tickStrip(a)
	if well, ok := x.recovered(); ok {
		v.RecoveredAt = at(well)
	}
	v.Groups = groups(x.Faults)
	for _, g := range v.Groups {
		v.FaultRows = append(v.FaultRows, newFaultRow(a, g))
	}
	for _, j := range x.Journeys {
		v.Charts = append(v.Charts, newChartView(a, x, j))
	}
	var still []string
	for _, lane := range x.Lanes {
		if lane.Still {
			still = append(still, strings.TrimSpace(lane.Instance+" "+lane.steady()))
			continue
		}
		v.LaneRows = append(v.LaneRows, laneRow{lane.Instance, lane.peak(), laneStrip(a, x, lane)})
	}
	if len(still) > 0 {
		v.StillText = "Unchanged all the time: " + strings.Join(still, ", ") + "."
	}
	v.stillStrips(a)
	v.timeline()
}

// steady is what an unchanged instance was all the time.
func (l Lane) steady() string {
	var words []string
	for _, m := range l.Marks {
		words = append(words, m.Name)
	}
	if len(words) == 0 {
		return ""
	}
	return "(" + strings.Join(words, ", ") + ")"
}

func newFaultRow(a axis, g faultGroup) faultRow {
	row := faultRow{Name: g.Name, Seen: g.Observed(), Strip: faultStrip(a, g)}
	first := g.Faults[0]
	row.When = "from " + at(first.From)
	if first.To > 0 {
		row.When += fmt.Sprintf(" for %s", took(first.To-first.From))
	} else {
		row.When += ", no heal was recorded"
	}
	if n := len(g.Faults); n > 1 {
		row.When += fmt.Sprintf(", %d times", n)
	}
	seen, proof := 0, g.Proof()
	for _, t := range proof {
		if t.Seen > 0 {
			seen++
		}
	}
	row.On = fmt.Sprintf("on %d of %d %s", seen, len(proof), plural(len(proof), "target"))
	if len(proof) == 1 {
		row.On = "on " + proof[0].Target
	}
	return row
}

func newChartView(a axis, x *Experiment, j Journey) chartView {
	v := chartView{Name: j.Name, Sentence: j.sentence(), WidthMs: num(ms(j.Width)), Ticks: tickStrip(a),
		Success: successChart(a, x, j), LatencyChart: latencyChart(a, x, j), Load: loadChart(a, x, j)}
	if j.Count() > 0 {
		v.Latency = fmt.Sprintf("p50 %s, p95 %s, p99 %s, longest %s", took(j.P50), took(j.P95), took(j.P99), took(j.Max))
	}
	var data strings.Builder
	short := func(d time.Duration) string { return strconv.FormatFloat(ms(d), 'g', 3, 64) }
	for i, p := range j.Points {
		if i > 0 {
			data.WriteByte(';')
		}
		if p.Count() > 0 {
			fmt.Fprintf(&data, "%d,%d,%d,%s,%s,%s", p.Count(), p.OK, p.Degraded, short(p.P50), short(p.P95), short(p.P99))
		}
	}
	v.Data = data.String()
	v.Rows = numberRows(j)
	return v
}

// numberRows are the figures of a journey in at most mostRows stretches. Of quantiles a row has the largest of its stretch.
func numberRows(j Journey) []numberRow {
	each := int(math.Ceil(float64(len(j.Points)) / mostRows))
	var rows []numberRow
	for part := range slices.Chunk(j.Points, max(each, 1)) {
		row := Point{At: part[0].At}
		for _, p := range part {
			row.OK, row.Degraded, row.Failed, row.Maybe = row.OK+p.OK, row.Degraded+p.Degraded, row.Failed+p.Failed, row.Maybe+p.Maybe
			row.P50, row.P95, row.P99 = max(row.P50, p.P50), max(row.P95, p.P95), max(row.P99, p.P99)
		}
		rows = append(rows, numberRow{At: at(row.At), N: row.Count(), OK: row.OK, Degraded: row.Degraded, Failed: row.Failed, Maybe: row.Maybe,
			P50: took(row.P50), P95: took(row.P95), P99: took(row.P99)})
	}
	return rows
}

// mostTimeline is how many rows the table of events has.
const mostTimeline = 200

func (v *experimentView) timeline() {
	add := func(t time.Duration, kind, name, text string) {
		v.Timeline = append(v.Timeline, timelineRow{t, at(t), kind, name, text})
	}
	for _, p := range v.Course {
		add(p.From, "phase", p.Name, "")
	}
	for _, f := range v.Faults {
		add(f.From, "inject", f.Name, "on "+strings.Join(f.Targets, ", "))
		if f.To > 0 {
			add(f.To, "heal", f.Name, "")
		}
	}
	for _, m := range v.Moments {
		add(m.At, m.Kind, m.Name, m.Text)
	}
	for _, lane := range v.Lanes {
		for i, m := range lane.Marks {
			if !lane.Still && i > 0 {
				add(m.At, m.Kind, lane.Instance+": "+m.Name, m.Text)
			}
		}
	}
	if v.First != 0 {
		for _, o := range v.Operations {
			if o.ID == v.First {
				add(o.Scheduled, "first failure", o.Journey, o.Error)
			}
		}
	}
	slices.SortStableFunc(v.Timeline, func(a, b timelineRow) int { return cmp.Compare(a.at, b.at) })
	if more := len(v.Timeline) - mostTimeline; more > 0 {
		v.Timeline = append(v.Timeline[:mostTimeline], timelineRow{Kind: "more", Text: fmt.Sprintf("%d rows are left out", more)})
	}
}

// checks puts failures first, and says once what the same check said several times, as of a fault that came six times.
func (v *experimentView) checks() {
	count := map[string]int{}
	text := func(c evidence.Checked) string {
		return strings.Join([]string{c.Phase, c.Check, c.Verdict.String(), c.Limit, c.Measured, c.Reason}, "\x00")
	}
	sorted := v.Failed()
	for _, c := range sorted {
		count[text(c)]++
	}
	for _, c := range sorted {
		n := count[text(c)]
		if n == 0 {
			continue
		}
		count[text(c)] = 0
		row := checkRow{Checked: c, Says: says(c.Check)}
		if c.Verdict != verdict.Pass {
			row.Missed = missed(c.Limit, c.Measured)
		}
		if n > 1 {
			row.Times = fmt.Sprintf("%d times", n)
		}
		v.CheckRows = append(v.CheckRows, row)
		v.witness(c)
	}
}

type witnessView struct {
	Check string
	Open  bool
	Ops   []witnessOp
}

type witnessOp struct {
	ID                                             uint64
	Link                                           string
	Client, Name, Outcome, From, To, Values, Error string
}

func operationLink(experiment int, op uint64) string { return fmt.Sprintf("#x%d-op%d", experiment, op) }

func (v *experimentView) witness(c evidence.Checked) {
	if len(c.Witness) == 0 || c.Verdict == verdict.Pass {
		return
	}
	w := witnessView{Check: c.Check, Open: len(v.Witnesses) == 0}
	for _, o := range c.Witness {
		row := witnessOp{ID: o.ID, Client: o.Client, Name: strings.TrimSpace(cmp.Or(o.Name, o.Journey) + " " + o.Object), Outcome: o.Outcome.String(),
			From: at(o.Call), To: at(o.Return), Error: o.Error}
		var values []string
		for _, value := range []struct {
			name string
			text fmt.Stringer
			none bool
		}{{"key", o.Key, o.Key.IsNil()}, {"in", o.Input, o.Input.IsNil()}, {"out", o.Output, o.Output.IsNil()}} {
			if !value.none {
				values = append(values, value.name+" "+brief(value.text.String(), 200))
			}
		}
		row.Values = strings.Join(values, ", ")
		for _, whole := range v.Operations {
			if whole.ID == o.ID || whole.ID == o.Parent {
				row.Link = operationLink(v.Index, whole.ID)
			}
		}
		w.Ops = append(w.Ops, row)
	}
	v.Witnesses = append(v.Witnesses, w)
}
