package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/verdict"
)

// transactions asks which isolation the transactions had.
func (r *Report) transactions(ctx context.Context, c *Case, model string) error {
	h, err := txn.FromOps(c.Ops)
	if err != nil {
		return input("%s: %w", c.File, err)
	}
	var places []int // of transactions, in order of call
	for i := range c.Ops {
		if c.Ops[i].Name == "txn" {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return input("%s: it holds no transactions, which %s is about; for objects there are: %s", c.File, model, strings.Join(linear.Names(), ", "))
	}
	if others := len(c.Ops) - len(places); others > 0 {
		r.Facts = append(r.Facts, plural(others, "operation")+" of other names beside the transactions: not judged")
	}
	res := txn.Check(ctx, h, txn.Model(model))
	r.Verdict, r.Reason, r.Engine = res.Verdict, res.Reason, "cycles among transactions ("+h.Type().String()+")"
	r.Not, r.AlsoNot, r.May = words(res.Not), words(res.AlsoNot), words(res.May)
	for _, t := range res.Order {
		r.Order = append(r.Order, c.Ops[places[t]].ID)
	}
	for _, s := range res.Snapshots {
		r.Snapshots = append(r.Snapshots, Moment{c.Ops[places[s/2]].ID, s%2 == 1})
	}
	for name, n := range res.Count {
		r.Anomalies = append(r.Anomalies, Anomaly{Name: name, Count: n})
	}
	slices.SortFunc(r.Anomalies, func(a, b Anomaly) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range res.Anomalies {
		for i := range r.Anomalies {
			if r.Anomalies[i].Name == a.Name && r.Anomalies[i].Text == "" {
				r.Anomalies[i].Text = a.Text
			}
		}
	}
	if r.Verdict == verdict.Fail && len(res.Anomalies) > 0 {
		a := told(res)
		r.anomaly(c, a, places)
		r.shrink(ctx, c, h, txn.Model(model), a, places)
	}
	return nil
}

// told is the anomaly that the reason speaks of.
func told(res txn.Result) txn.Anomaly {
	for _, a := range res.Anomalies {
		if strings.Contains(res.Reason, a.Text) {
			return a
		}
	}
	return res.Anomalies[0]
}

// anomaly makes the witness of an anomaly.
func (r *Report) anomaly(c *Case, a txn.Anomaly, places []int) {
	at := map[int]int{} // transaction: place in the witness
	for _, t := range a.Txns {
		if _, ok := at[t]; ok {
			continue
		}
		at[t] = len(r.Witness)
		w := c.witness(places[t])
		w.Name = fmt.Sprintf("T%d", t)
		r.Witness = append(r.Witness, w)
		r.first = places[t]
	}
	if len(a.Cycle) > 0 { // the edges tell it, one by one
		r.Reason = fmt.Sprintf("not %s: %s: a cycle of %d transactions, each before the next", r.Model, a.Name, len(a.Cycle))
	}
	for _, s := range a.Cycle {
		r.Edges = append(r.Edges, Edge{From: at[s.From], To: at[s.To], Kind: s.Kind, Reason: s.Reason})
	}
}

func words[T ~string](names []T) []string {
	var texts []string
	for _, name := range names {
		texts = append(texts, string(name))
	}
	return texts
}
