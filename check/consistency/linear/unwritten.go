package linear

import (
	"context"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const unwrittenEngine = "a value that nobody wrote"

// neverWritten returns the first operation to return of those that read from a register what nobody had begun to write, with a later
// write of it if there is one; nil if there is none.
func (m Model) neverWritten(ops []history.Op, part []int32) []int32 {
	if m.cell == nil {
		return nil
	}
	type writer struct {
		call time.Duration
		i    int32
	}
	var values numbers
	var first []writer // of each value: the first call
	at := func(v history.Value) *writer {
		n, fresh := values.of(v)
		if fresh {
			first = append(first, writer{forever, -1})
		}
		return &first[n]
	}
	for _, i := range part {
		if c := m.cell(&ops[i]); c.writes {
			if w := at(c.wrote); ops[i].Call < w.call {
				*w = writer{ops[i].Call, i}
			}
		}
	}
	var core []int32
	for _, i := range part {
		c, op := m.cell(&ops[i]), &ops[i]
		if !c.reads || c.read.Equal(c.start) || core != nil && ops[core[0]].Return <= op.Return {
			continue
		}
		// What a cas wrote itself it cannot have read, unless it swapped a value for itself, which others must have written first.
		if w := at(c.read); w.i < 0 || w.call > op.Return {
			core = []int32{i}
			if w.i >= 0 {
				core = append(core, w.i)
			}
		}
	}
	return core
}

// untilRead decides a part that has no order for what one operation read, by how far it has one.
func (m Model) untilRead(ctx context.Context, ops []history.Op, part, core []int32, budget int64) outcome {
	before := ops[core[0]].Return - 1
	f := m.search(ctx, ops, part, before, min(budget, coreSteps))
	switch f.verdict {
	case verdict.Fail: // something was wrong before
		return f
	case verdict.Pass:
		f.farthest = 0
		for _, i := range part {
			if ops[i].Outcome == history.OK && ops[i].Return <= before {
				f.farthest++
			}
		}
	}
	return outcome{verdict: verdict.Fail, steps: f.steps, farthest: f.farthest, core: core, engine: unwrittenEngine}
}
