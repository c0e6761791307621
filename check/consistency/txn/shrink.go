package txn

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Part is a smaller history that fails like the whole.
type Part struct {
	History *History // nil if the whole does not fail
	Txns    []int    // which transactions of the whole it holds
	// Why says what kept it from being made smaller: it is empty if nothing can be left out any more, by itself.
	Why string
}

// How many steps Shrink takes: a step is an operation or an element that is looked at, or one of a search.
const shrinkSteps = 300_000_000

// Shrink returns the smallest part found of a history that fails a model by the same anomaly as the whole does first. Each part is
// checked anew. What was read of writes that are left out is left out too.
//
// It starts from the keys that the anomaly is about, with all who touched them, and stops after a number of steps, which is the same
// on each machine.
func Shrink(ctx context.Context, h *History, model Model) Part {
	return shrink(ctx, h, model, shrinkSteps)
}

func shrink(ctx context.Context, h *History, model Model, most int) Part {
	res := Check(ctx, h, model)
	if res.Verdict != verdict.Fail {
		return Part{}
	}
	s := shrinker{ctx: ctx, h: h, model: model, name: res.worst(model).Name, steps: most, most: most}
	parts := h.about(res.worst(model))
	if !s.fails(parts) {
		parts = h.parts()
		if !s.fails(parts) {
			return Part{History: h, Txns: s.whole(), Why: s.why("the whole takes more steps to judge than there are for its parts")}
		}
	}
	parts = fewest(parts, s.fails)
	for i := range parts {
		if len(parts[i].mops) == 0 {
			continue
		}
		mops := fewest(parts[i].mops, func(mops []int) bool {
			less := slices.Clone(parts)
			less[i].mops = mops
			return s.fails(less)
		})
		parts = slices.Clone(parts)
		parts[i].mops = mops
	}
	part := Part{History: h.keep(parts), Why: s.why("")}
	for _, p := range parts {
		part.Txns = append(part.Txns, p.txn)
	}
	return part
}

// parts returns all transactions, whole.
func (h *History) parts() []part {
	parts := make([]part, h.Len())
	for t := range parts {
		parts[t].txn = t
		for i := range h.first[t+1] - h.first[t] {
			parts[t].mops = append(parts[t].mops, int(i))
		}
	}
	return parts
}

// about returns what transactions did to the keys of an anomaly, and those that take part in it.
func (h *History) about(a Anomaly) []part {
	keys := []history.Value{a.Key}
	for _, st := range a.Cycle {
		keys = append(keys, st.Key)
	}
	in := make([]bool, len(h.keyName))
	for k, name := range h.keyName {
		in[k] = slices.ContainsFunc(keys, h.names.value(name).Equal)
	}
	var parts []part
	for _, p := range h.parts() {
		p.mops = slices.DeleteFunc(p.mops, func(i int) bool { return !in[h.key[h.first[p.txn]+int32(i)]] })
		if len(p.mops) > 0 || slices.Contains(a.Txns, p.txn) {
			parts = append(parts, p)
		}
	}
	return parts
}

// A shrinker asks whether parts fail as the whole does.
type shrinker struct {
	ctx   context.Context
	h     *History
	model Model
	name  string
	steps int // left
	most  int
}

func (s *shrinker) fails(parts []part) bool {
	if s.steps <= 0 || s.ctx.Err() != nil {
		return false
	}
	sub := s.h.keep(parts)
	if sub == nil {
		return false
	}
	res, steps := checkWithin(s.ctx, sub, s.model, min(s.steps, orderSteps))
	s.steps -= steps
	return res.Verdict == verdict.Fail && res.worst(s.model).Name == s.name
}

func (s *shrinker) whole() []int {
	txns := make([]int, s.h.Len())
	for t := range txns {
		txns[t] = t
	}
	return txns
}

// why says what stopped it, or otherwise.
func (s *shrinker) why(otherwise string) string {
	switch {
	case s.ctx.Err() != nil:
		return fmt.Sprintf("stopped: %v", context.Cause(s.ctx))
	case s.steps <= 0:
		return fmt.Sprintf("stopped after %d steps", s.most)
	}
	return otherwise
}

// worst returns the first anomaly that the model forbids.
func (res Result) worst(model Model) Anomaly {
	forbidden := forbidden(model)
	for _, a := range res.Anomalies {
		for name := range expand([]string{a.Name}) {
			if forbidden[name] {
				return a
			}
		}
	}
	return Anomaly{}
}
