package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/history"
)

// A Fault is one injection: when it took hold, when it was healed, and what was seen of it.
type Fault struct {
	Index   int           `json:"index"` // from 1, of the method's action
	Name    string        `json:"name"`
	Pos     string        `json:"pos,omitempty"`
	From    time.Duration `json:"from"`
	To      time.Duration `json:"to,omitempty"` // 0 where no heal was recorded
	Targets []string      `json:"targets,omitempty"`
	Proof   []Proof       `json:"proof,omitempty"`
}

// A Proof is the last thing that was observed of a fault on one target.
type Proof struct {
	Target   string        `json:"target"`
	At       time.Duration `json:"at"`
	Observed bool          `json:"observed"`
	Text     string        `json:"text,omitempty"`
}

// A Lane is what happened to one instance.
type Lane struct {
	Instance string  `json:"instance"`
	Marks    []Mark  `json:"marks"`
	Still    bool    `json:"still,omitempty"` // nothing changed since it was first seen
	Usage    []Usage `json:"usage,omitempty"`
}

// A Mark is a change on a lane. It holds until the next of its kind.
type Mark struct {
	At   time.Duration `json:"at"`
	Kind string        `json:"kind"` // "state" or "role"
	Name string        `json:"name"` // "ready", "exited", …; "leader", …
	Text string        `json:"text,omitempty"`
}

// A Moment is a point of the time axis with a word to it: a stop, a leak, a note.
type Moment struct {
	At   time.Duration `json:"at"`
	Kind string        `json:"kind"`
	Name string        `json:"name"`
	Text string        `json:"text,omitempty"`
}

const mostMarks = 400 // of one lane, and moments; a state that flaps all the time needs no more to be seen

// course is what the events say of an experiment.
type course struct {
	phases  []evidence.Phase
	faults  []Fault
	lanes   []Lane
	moments []Moment
	dropped int // marks and moments beyond mostMarks
	end     time.Duration
}

// readCourse reads events.jsonl and env.jsonl of a folder of records.
func readCourse(dir, name string) (course, []Damage) {
	var events []history.Event
	var damages []Damage
	for _, file := range []string{"events.jsonl", "env.jsonl"} {
		damage := eachLine(filepath.Join(dir, file), name+"/"+file, []func([]byte) error{func(line []byte) error {
			var e history.Event
			if err := readEvent(line, &e); err != nil {
				return err
			}
			if e.Kind != history.Probe || e.Name == "role" {
				events = append(events, e)
			}
			return nil
		}})
		if damage != nil {
			damages = append(damages, *damage)
		}
	}
	slices.SortStableFunc(events, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
	var c course
	for _, e := range events {
		c.add(e)
	}
	c.close()
	return c, damages
}

func readEvent(line []byte, e *history.Event) error {
	var bad error
	note := func(err error) {
		if err != nil && bad == nil {
			bad = err
		}
	}
	err := members(line, func(key, value []byte) bool {
		switch string(key) {
		case "at":
			at, err := duration(value)
			if err == nil && (at < 0 || at > farthest) {
				err = fmt.Errorf("%d ns is no time of a run", at)
			}
			note(err)
			e.At = at
		case "kind":
			note(e.Kind.UnmarshalText(bare(value)))
		case "name":
			e.Name = unquote(value)
		case "fault":
			n, err := whole(value)
			note(err)
			e.Fault = int(n)
		case "target":
			e.Target = unquote(value)
		case "ok":
			e.OK = string(value) == "true"
		case "value":
			if value[0] == '"' { // of values only the answer of a role probe is shown
				e.Value = history.String(unquote(value))
			}
		case "text":
			e.Text = unquote(value)
		}
		return true
	})
	return cmp.Or(err, bad)
}

func (c *course) add(e history.Event) {
	c.end = max(c.end, e.At)
	switch e.Kind {
	case history.Phase:
		c.phases = append(c.phases, evidence.Phase{Name: e.Name, From: e.At})
	case history.Inject, history.Effect, history.Heal:
		c.fault(e)
	case history.State:
		c.mark(e.Target, Mark{e.At, "state", e.Name, e.Text})
	case history.Probe:
		role, _ := e.Value.AsString()
		c.mark(e.Target, Mark{At: e.At, Kind: "role", Name: role})
	default:
		if len(c.moments) < mostMarks {
			c.moments = append(c.moments, Moment{e.At, e.Kind.String(), e.Name, e.Text})
		} else {
			c.dropped++
		}
	}
}

func (c *course) fault(e history.Event) {
	i := slices.IndexFunc(c.faults, func(f Fault) bool { return f.Index == e.Fault })
	if i < 0 {
		c.faults = append(c.faults, Fault{Index: e.Fault, Name: e.Name, From: e.At})
		i = len(c.faults) - 1
	}
	f := &c.faults[i]
	switch e.Kind {
	case history.Inject:
		f.Targets = append(f.Targets, e.Target)
	case history.Heal:
		f.To = max(f.To, e.At)
	case history.Effect: // the last word on a target counts, as for the judge
		f.Proof = slices.DeleteFunc(f.Proof, func(p Proof) bool { return p.Target == e.Target })
		f.Proof = append(f.Proof, Proof{e.Target, e.At, e.OK, e.Text})
	}
}

// mark adds a change to an instance's lane. The same answer again is no change.
func (c *course) mark(instance string, m Mark) {
	i := slices.IndexFunc(c.lanes, func(l Lane) bool { return l.Instance == instance })
	if i < 0 {
		c.lanes = append(c.lanes, Lane{Instance: instance, Still: true})
		i = len(c.lanes) - 1
	}
	lane := &c.lanes[i]
	last, seen := lane.last(m.Kind)
	if seen && last.Name == m.Name {
		return
	}
	lane.Still = lane.Still && !seen
	if len(lane.Marks) >= mostMarks {
		c.dropped++
		return
	}
	lane.Marks = append(lane.Marks, m)
}

func (l Lane) last(kind string) (Mark, bool) {
	for _, m := range slices.Backward(l.Marks) {
		if m.Kind == kind {
			return m, true
		}
	}
	return Mark{}, false
}

// close ends each phase where the next begins.
func (c *course) close() {
	for i := range c.phases {
		c.phases[i].To = c.end
		if i+1 < len(c.phases) {
			c.phases[i].To = c.phases[i+1].From
		}
	}
	slices.SortFunc(c.lanes, func(a, b Lane) int { return cmp.Compare(a.Instance, b.Instance) })
}
