package trial

import (
	"context"
	"time"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Report is what came of a history.
type Report struct {
	File    string          `json:"file"`
	Format  string          `json:"format"`
	Model   string          `json:"model"`
	Init    *history.Value  `json:"init,omitempty"` // what the object holds at first, where that was given
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
	// Others are, where a session guarantee was asked for, the other ones.
	Others []Guarantee `json:"other_guarantees,omitempty"`
	// Facts are what was counted beside the verdict.
	Facts []string `json:"facts,omitempty"`
	// Order is the order of a pass: ids of operations.
	Order []uint64 `json:"order,omitempty"`
	// Snapshots is, of a pass that has no such order, the order of starts and commits of transactions.
	Snapshots []Moment `json:"snapshots,omitempty"`
	// Prefix is, of a fail, how far operations have an order.
	Prefix *Prefix `json:"prefix,omitempty"`
	// Smallest is the smallest part found of a failing history that fails by itself. It was checked anew.
	Smallest []history.Op `json:"smallest,omitempty"`
	// SmallestNames are the names of its transactions in the reason, and NoSmallest is why there is none.
	SmallestNames []string `json:"smallest_names,omitempty"`
	NoSmallest    string   `json:"no_smallest,omitempty"`
	// NotSmaller is why the search for a smaller part ended before nothing could be left out.
	NotSmaller string `json:"not_smaller,omitempty"`

	small       *txn.History // Smallest, of transactions
	smallPlaces []int        // of its transactions
	wholeTest   string       // the expression of a Go test, of a model that is decided in one look
	first       int          // place of the operation to look at first, -1 if none
}

// A Moment is when a transaction takes its snapshot, or when it commits.
type Moment struct {
	ID     uint64 `json:"id"`
	Commit bool   `json:"commit"`
}

// A Guarantee is a session guarantee, and whether the history keeps it.
type Guarantee struct {
	Name    string          `json:"name"`
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"`
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

// Judge decides whether a history is of a model. Budget is how many steps a search may take; 0 is usual.
func Judge(ctx context.Context, c *Case, model string, budget int64) (*Report, error) {
	return JudgeFrom(ctx, c, model, budget, nil)
}

// JudgeFrom is Judge for an object that holds other values at first; nil is the model's own.
func JudgeFrom(ctx context.Context, c *Case, model string, budget int64, start *history.Value) (*Report, error) {
	if err := KnowsModel(model); err != nil {
		return nil, err
	}
	if len(c.Ops) == 0 {
		return nil, input("%s: these are %s, and no operations", c.File, c.Format)
	}
	rep := &Report{File: c.File, Format: string(c.Format), Model: model, Counts: c.counts(), Cut: c.Cut, first: -1}
	var err error
	object, isSequential := splitModel(model)
	m, notObject := linear.Named(object)
	if start != nil {
		if notObject != nil {
			return nil, input("%s: only objects start from given values, and %s is none", c.File, model)
		}
		if m, err = m.From(*start); err != nil {
			return nil, input("%s: %w", c.File, err)
		}
		rep.Init = start
	}
	guarantee, isSession := sessionModels()[model]
	whole, isWhole := wholeOf(model, c.Ops)
	switch {
	case notObject == nil:
		err = rep.object(ctx, c, m, isSequential, budget)
	case isSession:
		err = rep.session(c, guarantee)
	case isWhole:
		err = rep.whole(c, whole)
	default:
		err = rep.transactions(ctx, c, model)
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

func (c *Case) witness(i int) Witness {
	return Witness{Op: c.Ops[i], Line: c.Lines[i].Line, End: c.Lines[i].End, place: i}
}
