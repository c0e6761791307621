package trial

import (
	"time"

	"github.com/assay-dev/assay/history"
)

// steps are the order of a pass, or of the longest good prefix, as a list.
type steps struct {
	StepsHead, StepsNote string
	Steps                []stepView
	StepsAll, StepsMore  int
	StepStates           bool // the state after each is known
}

type stepView struct {
	N                          int
	Lines, Client, Text, State string
	Place                      int
}

// How many steps of an order are listed. Of a good prefix these are the last ones.
const mostSteps = 500

func (r *Report) steps(c *Case, d *data) steps {
	s := steps{StepsHead: "The order", StepsNote: "The operations that took effect, in an order that is of the model " + r.Model + ".", StepStates: len(d.State) > 0, StepsAll: len(d.Order)}
	from := 0
	switch {
	case len(r.Snapshots) > 0:
		return r.moments(c)
	case len(d.Order) == 0:
		return steps{}
	case d.Prefix:
		from = max(0, len(d.Order)-mostSteps)
		s.StepsHead, s.StepsNote = "The longest good prefix", "An order of what returned until the error, to its end."
	}
	for k := from; k < len(d.Order) && k < from+mostSteps; k++ {
		v := c.step(k, d.Order[k])
		if s.StepStates {
			v.State = d.States[d.State[k]]
		}
		s.Steps = append(s.Steps, v)
	}
	s.StepsMore = s.StepsAll - len(s.Steps)
	return s
}

// moments lists the starts and commits of transactions.
func (r *Report) moments(c *Case) steps {
	s := steps{StepsHead: "The order of starts and commits", StepsAll: len(r.Snapshots),
		StepsNote: "Each transaction reads what was committed when it starts, and of two that write one key the first commits before the other starts."}
	places := c.places()
	for k, m := range r.Snapshots[:most(len(r.Snapshots), mostSteps)] {
		v := c.step(k, places[m.ID])
		v.Text = "starts: " + v.Text
		if m.Commit {
			v.Text = "commits" + v.Text[len("starts"):]
		}
		s.Steps = append(s.Steps, v)
	}
	s.StepsMore = s.StepsAll - len(s.Steps)
	return s
}

func (c *Case) step(k, place int) stepView {
	op := &c.Ops[place]
	return stepView{N: k + 1, Lines: span(c.Lines[place].Line, c.Lines[place].End), Client: op.Client, Text: Tell(op), Place: place}
}

// places are those of operations by their ids.
func (c *Case) places() map[uint64]int {
	places := make(map[uint64]int, len(c.Ops))
	for i := range c.Ops {
		places[c.Ops[i].ID] = i
	}
	return places
}

// fits says whether each operation of the order can have taken effect within its interval, one after the other.
func (d *data) fits() bool {
	now := int64(0)
	for k, i := range d.Order {
		if now = max(now, d.Call[i]); k == 0 {
			now = d.Call[i]
		}
		if history.Outcome(d.Outcome[i]) == history.OK && now > d.Ret[i] {
			return false
		}
	}
	return true
}

// lanes gives operations their rows: one for each client, and more where a client does several things at a time.
type lanes struct {
	rows    map[string][]int // by client
	clients []string         // by row
	until   []time.Duration  // by row
}

// first puts the rows of some operations before the others, and returns the new place of each row.
func (l *lanes) first(rows []int) []int {
	at := make([]int, len(l.clients))
	for row := range at {
		at[row] = -1
	}
	clients := make([]string, 0, len(l.clients))
	for row := range l.clients {
		rows = append(rows, row)
	}
	for _, row := range rows {
		if at[row] < 0 {
			at[row] = len(clients)
			clients = append(clients, l.clients[row])
		}
	}
	l.clients = clients
	return at
}

// How many things of one client are drawn beside each other; more overlap.
const mostLanes = 8

func (l *lanes) row(op *history.Op, ret time.Duration) int {
	rows := l.rows[op.Client]
	for k, row := range rows {
		if l.until[row] <= op.Call || k == mostLanes-1 {
			l.until[row] = max(l.until[row], ret)
			return row
		}
	}
	row := len(l.clients)
	l.rows[op.Client] = append(rows, row)
	l.clients, l.until = append(l.clients, op.Client), append(l.until, ret)
	return row
}
