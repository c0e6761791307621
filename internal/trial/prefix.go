package trial

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Prefix is the longest beginning of a history that is not linearizable which is: all that returned up to a moment, and of what
// was under way then what the order needs.
type Prefix struct {
	Returned int           `json:"returned"`
	Until    time.Duration `json:"until"`
	Key      history.Value `json:"key,omitzero"`    // the part of the object that it is of
	Order    []uint64      `json:"order"`           // ids of operations
	State    string        `json:"state,omitempty"` // what the object holds at the end of this order
	Next     *Witness      `json:"next,omitempty"`  // what returned next, and fits no order
	last     []string      // of the order, in words
}

// How many operations of the end of the order are told in words.
const lastOfPrefix = 4

// prefix looks up how far a failing history is good, and checks that anew to have the order.
func (r *Report) prefix(ctx context.Context, c *Case, m linear.Model, res linear.Result, budget int64) {
	if res.Good == 0 {
		return
	}
	places := c.part(res.Part)
	var returned []int
	for _, i := range places {
		if c.Ops[i].Outcome == history.OK {
			returned = append(returned, i)
		}
	}
	slices.SortStableFunc(returned, func(a, b int) int { return cmp.Compare(c.Ops[a].Return, c.Ops[b].Return) })
	if res.Good > len(returned) {
		return
	}
	p := &Prefix{Returned: res.Good, Until: c.Ops[returned[res.Good-1]].Return, Key: res.Part}
	complete := make(map[int]bool, res.Good)
	for _, i := range returned[:res.Good] {
		complete[i] = true
	}
	var ops []history.Op
	var from []int
	for _, i := range places {
		op := c.Ops[i]
		if op.Call > p.Until {
			continue
		}
		if op.Outcome == history.OK && !complete[i] { // under way
			op.Outcome, op.Output = history.Maybe, history.Value{}
		}
		ops, from = append(ops, op), append(from, i)
	}
	good := linear.Check(ctx, m, ops, linear.Options{Budget: budget})
	if good.Verdict != verdict.Pass {
		return
	}
	if res.Good < len(returned) {
		next := c.witness(returned[res.Good])
		p.Next = &next
	}
	states := newStates(m.String(), r.Init)
	for k, i := range good.Order {
		p.Order = append(p.Order, ops[i].ID)
		if states != nil {
			p.State = states.after(&ops[i])
		}
		if k >= len(good.Order)-lastOfPrefix {
			p.last = append(p.last, fmt.Sprintf("%s: %s", ops[i].Client, Tell(&c.Ops[from[i]])))
		}
	}
	r.Prefix = p
}

// part is the places of the operations on a part of the object, or on all of it where it has one only.
func (c *Case) part(key history.Value) []int {
	var places []int
	for i := range c.Ops {
		if key.IsNil() || c.Ops[i].Key.Equal(key) {
			places = append(places, i)
		}
	}
	return places
}

// text tells the prefix in a sentence.
func (p *Prefix) text() string {
	text := fmt.Sprintf("longest good prefix: the first %s to return", plural(p.Returned, "operation"))
	if !p.Key.IsNil() {
		text += " on " + p.Key.String()
	}
	text += fmt.Sprintf(", up to %v, have an order; it ends with %s", p.Until, strings.Join(p.last, ", "))
	if p.State != "" {
		text += "; then the state is " + p.State
	}
	if p.Next != nil {
		text += fmt.Sprintf("; next to return, and in no order: %s: %s, %s", p.Next.Op.Client, Tell(&p.Next.Op), lines(p.Next.Line, p.Next.End))
	}
	return text
}
