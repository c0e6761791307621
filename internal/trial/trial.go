package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Report is what came of a history.
type Report struct {
	File    string          `json:"file"`
	Format  string          `json:"format"`
	Model   string          `json:"model"`
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"` // one sentence
	Engine  string          `json:"engine"` // what decided
	Steps   int64           `json:"steps,omitempty"`
	Counts  Counts          `json:"counts"`
	Cut     string          `json:"cut,omitempty"` // why the end of the file is missing
	// Good is, where operations of the failing part have an order up to some moment, how many those are.
	Good int `json:"good,omitempty"`
	// Witness are the operations that show a fail, in order of call.
	Witness []Witness `json:"witness,omitempty"`
	// Edges are the reasons that make a cycle of transactions, from witness to witness.
	Edges []Edge `json:"cycle,omitempty"`
	// Anomalies are how often each kind was found.
	Anomalies []Anomaly `json:"anomalies,omitempty"`
	Not       []string  `json:"not,omitempty"`      // the weakest models that are ruled out
	AlsoNot   []string  `json:"also_not,omitempty"` // what they imply
	May       []string  `json:"may,omitempty"`      // the strongest that may hold
	// Order is the order of a pass: ids of operations.
	Order []uint64 `json:"order,omitempty"`

	first int // place of the operation to look at first, -1 if none
}

// Counts say what a history holds.
type Counts struct {
	Operations int           `json:"operations"`
	OK         int           `json:"ok"`
	Failed     int           `json:"failed"`
	Maybe      int           `json:"maybe"`
	Clients    int           `json:"clients"`
	Notes      int           `json:"notes,omitempty"`
	Open       int           `json:"never_completed,omitempty"`
	Backwards  int           `json:"times_backwards,omitempty"`
	Most       time.Duration `json:"most_backwards,omitempty"`
	Skipped    int           `json:"skipped,omitempty"`
}

// A Witness is an operation of a witness, with its lines.
type Witness struct {
	Op      history.Op `json:"op"`
	Line    int        `json:"line"`
	End     int        `json:"end,omitempty"`
	Pending bool       `json:"pending,omitempty"` // what it returned does not matter: it was under way
	Name    string     `json:"name,omitempty"`    // of a transaction in the reason: T12
	place   int
}

// An Edge says why one transaction comes before another: by their places in the witness.
type Edge struct {
	From   int    `json:"from"`
	To     int    `json:"to"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// An Anomaly is a kind of anomaly, and how often it was found.
type Anomaly struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Text  string `json:"text,omitempty"` // of one of them
}

// Models are the names of all models that can be asked for.
func Models() []string {
	names := linear.Names()
	return append(names, isolationModels()...)
}

// KnowsModel returns an error that lists the models, unless there is one of that name.
func KnowsModel(name string) error {
	if slices.Contains(Models(), name) {
		return nil
	}
	text := fmt.Sprintf("no model is called %q; linearizable objects: %s", name, strings.Join(linear.Names(), ", "))
	if isolation := isolationModels(); len(isolation) > 0 {
		text += "; transactions: " + strings.Join(isolation, ", ")
	}
	return errors.New(text)
}

// Judge decides whether a history is of a model. Budget is how many steps a search may take; 0 is usual.
func Judge(ctx context.Context, c *Case, model string, budget int64) (*Report, error) {
	if err := KnowsModel(model); err != nil {
		return nil, err
	}
	if len(c.Ops) == 0 {
		return nil, input("%s: these are %s, and no operations", c.File, c.Format)
	}
	rep := &Report{File: c.File, Format: string(c.Format), Model: model, Counts: c.counts(), Cut: c.Cut, first: -1}
	var err error
	if m, e := linear.Named(model); e == nil {
		err = rep.linear(ctx, c, m, budget)
	} else {
		err = rep.transactions(c, model)
	}
	if err == nil && rep.Cut != "" && rep.Verdict == verdict.Pass {
		rep.Verdict, rep.Reason = verdict.Unknown, "the file is cut, and what stands before the cut passes: "+rep.Reason
	}
	return rep, err
}

func (c *Case) counts() Counts {
	n := Counts{Operations: len(c.Ops), Notes: c.Stats.Notes, Open: c.Stats.Open, Backwards: c.Stats.Backwards, Most: c.Stats.Most, Skipped: c.Stats.Skipped}
	clients := map[string]bool{}
	for i := range c.Ops {
		clients[c.Ops[i].Client] = true
		switch c.Ops[i].Outcome {
		case history.OK:
			n.OK++
		case history.Failed:
			n.Failed++
		default:
			n.Maybe++
		}
	}
	n.Clients = len(clients)
	return n
}

// linear asks whether there is an order that fits real time.
func (r *Report) linear(ctx context.Context, c *Case, m linear.Model, budget int64) error {
	res := linear.Check(ctx, m, c.Ops, linear.Options{Budget: budget})
	if res.Engine == "" { // an operation that the model does not have
		return input("%s: %s: is the history of another model?", c.placeOf(res.Reason), res.Reason)
	}
	r.Verdict, r.Reason, r.Engine, r.Steps, r.Good = res.Verdict, res.Reason, res.Engine, res.Steps, res.Good
	for _, i := range res.Order {
		r.Order = append(r.Order, c.Ops[i].ID)
	}
	for _, i := range res.Core {
		w := c.witness(int(i))
		w.Pending = w.Op.Outcome == history.Maybe || w.Op.Return > res.Until
		r.Witness = append(r.Witness, w)
		if !w.Pending && (r.first < 0 || c.Ops[r.first].Return < w.Op.Return) {
			r.first = int(i) // where the order ends
		}
	}
	return nil
}

// placeOf is the file and line of the operation that a reason begins with.
func (c *Case) placeOf(reason string) string {
	var id uint64
	if _, err := fmt.Sscanf(reason, "operation %d", &id); err == nil {
		for i := range c.Ops {
			if c.Ops[i].ID == id {
				return fmt.Sprintf("%s:%d", c.File, c.Lines[i].Line)
			}
		}
	}
	return c.File
}

func (c *Case) witness(i int) Witness {
	return Witness{Op: c.Ops[i], Line: c.Lines[i].Line, End: c.Lines[i].End, place: i}
}
