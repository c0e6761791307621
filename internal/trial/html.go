package trial

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"

	"github.com/assay-dev/assay/history"
)

//go:embed page/page.html
var pageHTML string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

// view is what the page is made of.
type view struct {
	R        *Report
	Word     string
	Counts   string
	Prefix   string
	Cycle    template.HTML // an SVG of ours, with its texts escaped
	Edges    []edgeView
	Rows     []rowView
	RowsMore int
	Alone    string // that the witness alone fails
	steps
	Small     []rowView // the smallest part that fails, where it is not the witness
	SmallMore int
	Placed    bool
	Bands     []band
	HasFirst  bool
	Data      template.JS
	Style     template.CSS
	Script    template.JS
}

type edgeView struct{ From, To, Kind, Reason string }

type rowView struct {
	Lines, Client, Text, From, To string
	Place                         int
}

// data is what the picture draws: operations in columns, in order of call.
type data struct {
	Clients []string `json:"clients"`
	Client  []int    `json:"client"`
	Call    []int64  `json:"call"`
	Ret     []int64  `json:"ret"`
	Outcome []int    `json:"outcome"`
	Text    []string `json:"text"`
	Error   []string `json:"error"`
	Line    []int    `json:"line"`
	End     []int    `json:"end"`
	Witness []int    `json:"witness"`
	First   int      `json:"first"`
	Timed   bool     `json:"timed"` // times are of a clock, and not only the order of events
	Order   []int    `json:"order"`
	Placed  bool     `json:"placed"` // the order is of real time, so each operation took effect somewhere within its interval
	Prefix  bool     `json:"prefix"` // the order is of the longest good prefix, which ends at Until
	Until   int64    `json:"until"`
	State   []int    `json:"state"` // by place in the order: which of States
	States  []string `json:"states"`
	Events  []mark   `json:"events"`
	Bands   []band   `json:"bands"`
}

// A mark is an event on the axis.
type mark struct {
	At   int64  `json:"at"`
	Name string `json:"name"`
}

// A band is the time of a fault.
type band struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// HTML draws the history and its verdict as one page that opens without a network.
func (r *Report) HTML(w io.Writer, c *Case) error {
	page, err := template.New("history").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("the page is broken: %w", err)
	}
	d := r.data(c)
	encoded, err := json.Marshal(d) // < and > are escaped in it
	if err != nil {
		return err
	}
	v := view{R: r, Word: strings.ToUpper(r.Verdict.String()), Counts: r.Counts.text(r.Format), Cycle: r.cycle(), Bands: d.Bands, HasFirst: d.First >= 0,
		Alone: r.aloneText(), Placed: d.Placed, steps: r.steps(c, &d), Data: template.JS(encoded), Style: template.CSS(pageCSS), Script: template.JS(pageJS)}
	if r.Prefix != nil {
		v.Prefix = r.Prefix.text()
	}
	for _, e := range r.Edges {
		v.Edges = append(v.Edges, edgeView{r.Witness[e.From].Name, r.Witness[e.To].Name, e.Kind, e.Reason})
	}
	v.RowsMore = max(0, len(r.Witness)-mostRows)
	for _, x := range r.Witness[v.RowsMore:] {
		to := x.Op.Return.String()
		if x.Pending {
			to = "pending"
		}
		v.Rows = append(v.Rows, rowView{span(x.Line, x.End), x.Op.Client, strings.TrimSpace(x.Name + " " + Tell(&x.Op)), x.Op.Call.String(), to, x.place})
	}
	if r.small != nil && !r.same() {
		v.SmallMore = max(0, len(r.Smallest)-mostRows)
		for i := range r.Smallest[:len(r.Smallest)-v.SmallMore] {
			at := r.smallPlaces[i]
			v.Small = append(v.Small, rowView{Lines: span(c.Lines[at].Line, c.Lines[at].End), Client: r.Smallest[i].Client, Text: r.SmallestNames[i] + " " + Tell(&r.Smallest[i]), Place: at})
		}
	}
	return page.Execute(w, v)
}

func (r *Report) data(c *Case) data {
	d := data{First: r.first, Witness: []int{}, Order: []int{}, State: []int{}, Events: []mark{}, Bands: []band{}}
	lanes, last := lanes{rows: map[string][]int{}}, end(c)
	for i := range c.Ops {
		op := &c.Ops[i]
		ret := op.Return
		if op.Outcome == history.Maybe && c.Lines[i].End == 0 {
			ret = last
		}
		row := lanes.row(op, ret)
		d.Client, d.Call, d.Ret = append(d.Client, row), append(d.Call, int64(op.Call)), append(d.Ret, int64(ret))
		d.Outcome, d.Text, d.Error = append(d.Outcome, int(op.Outcome)), append(d.Text, Tell(op)), append(d.Error, op.Error)
		d.Line, d.End = append(d.Line, c.Lines[i].Line), append(d.End, c.Lines[i].End)
	}
	var rows []int
	for _, w := range r.Witness {
		rows = append(rows, d.Client[w.place])
		d.Witness = append(d.Witness, w.place)
		d.Text[w.place] = strings.TrimSpace(w.Name + " " + d.Text[w.place])
	}
	at := lanes.first(rows)
	for i, row := range d.Client {
		d.Client[i] = at[row]
	}
	d.Clients = lanes.clients
	d.Timed = last-c.Ops[0].Call > 4*time.Duration(len(c.Ops)+len(c.Events)) // where there are none, events are a nanosecond apart
	r.order(c, &d)
	d.Placed = d.fits()
	d.faults(c.Events, last)
	return d
}

// end is the moment of the last return.
func end(c *Case) time.Duration {
	last := time.Duration(math.MinInt64)
	for i := range c.Ops {
		last = max(last, c.Ops[i].Return)
	}
	return last
}

// order adds the order of a pass, or of a fail's longest good prefix, with the states where the model's are known.
func (r *Report) order(c *Case, d *data) {
	places := c.places()
	known := map[string]int{}
	object, _ := splitModel(r.Model)
	states, order := newStates(object, r.Init), r.Order
	if r.Prefix != nil {
		order, d.Prefix, d.Until = r.Prefix.Order, true, int64(r.Prefix.Until)
	}
	for _, id := range order {
		i := places[id]
		d.Order = append(d.Order, i)
		if states == nil {
			continue
		}
		text := states.after(&c.Ops[i])
		n, ok := known[text]
		if !ok {
			n = len(d.States)
			known[text] = n
			d.States = append(d.States, text)
		}
		d.State = append(d.State, n)
	}
	if len(d.Witness) == 0 && len(d.Order) > 0 {
		d.First = d.Order[0]
	}
}

// faults adds what was done to the system: each event, and the time from what breaks to what heals.
func (d *data) faults(events []history.Event, last time.Duration) {
	since, by := time.Duration(-1), ""
	for _, e := range events {
		if e.Kind != history.Note && e.Kind != history.Inject && e.Kind != history.Heal && e.Kind != history.Phase {
			continue
		}
		name := e.Name
		if e.Kind == history.Heal {
			name = "heal " + name
		}
		d.Events = append(d.Events, mark{int64(e.At), name})
		switch breaks, heals := turns(e, by); {
		case heals && since >= 0:
			d.Bands = append(d.Bands, band{int64(since), int64(e.At)})
			since, by = -1, ""
		case breaks && since < 0:
			since, by = e.At, e.Name
		}
	}
	if since >= 0 {
		d.Bands = append(d.Bands, band{int64(since), int64(last)})
	}
}

// turns says whether an event begins a fault or ends the one that began by another. A nemesis' events have names and nothing else, so these are the usual ones.
func turns(e history.Event, by string) (breaks, heals bool) {
	switch e.Kind {
	case history.Inject:
		return true, false
	case history.Heal:
		return false, true
	case history.Phase:
		return false, false
	}
	for _, word := range []string{"stop", "heal", "recover", "resume", "end", "restart"} {
		if strings.HasPrefix(e.Name, word) {
			return false, true
		}
	}
	for _, word := range []string{"kill", "pause", "isolate", "partition", "break", "cut", "start-"} {
		if strings.HasPrefix(e.Name, word) {
			return true, false
		}
	}
	return e.Name == "start", e.Name == "start" && by != "" && by != "start" // what was killed is started; a start of a fault is noted twice
}
