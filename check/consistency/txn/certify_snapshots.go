package txn

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
)

// replaySnapshots runs starts and commits one after another.
func (c *certifier) replaySnapshots(model Model, events []int32) error {
	n := c.h.Len()
	store, at := map[string][]history.Value{}, map[string]int{} // at: which event wrote it
	started, committed := make([]int, n), make([]int, n)        // 1 + the event
	for i, event := range events {
		t := int(event / 2)
		if event%2 == 0 {
			if started[t] != 0 || c.h.Outcome(t) == history.Failed {
				return fmt.Errorf("transaction T%d starts twice, or failed", t)
			}
			started[t] = i + 1
			view := map[string][]history.Value{}
			for k, v := range store {
				view[k] = slices.Clone(v)
			}
			if err := c.run(t, view); err != nil {
				return err
			}
			continue
		}
		if started[t] == 0 || committed[t] != 0 {
			return fmt.Errorf("transaction T%d commits twice, or before its start", t)
		}
		committed[t] = i + 1
		for _, m := range c.mops[t] {
			key := m.Key.String()
			if !m.Write {
				continue
			}
			if by := at[key]; by > started[t] && by != i+1 {
				return fmt.Errorf("transaction T%d writes key %v, which another one wrote since its start", t, m.Key)
			}
			at[key] = i + 1
			if c.h.Type() == Register {
				store[key] = nil
			}
			store[key] = append(store[key], m.Value)
		}
	}
	for t := range n {
		if c.ok(t) && committed[t] == 0 {
			return fmt.Errorf("transaction T%d is ok and does not commit", t)
		}
		for u := range n {
			if committed[t] == 0 || committed[u] == 0 || !c.ok(t) || committed[t] < started[u] {
				continue
			}
			_, ret := c.h.Interval(t)
			call, _ := c.h.Interval(u)
			if model.need() == byTime && ret < call || model.need() >= byProcess && t < u && ret <= call && c.h.Process(t).Equal(c.h.Process(u)) {
				return fmt.Errorf("transaction T%d returned before T%d was called, which starts before it commits", t, u)
			}
		}
	}
	return nil
}
