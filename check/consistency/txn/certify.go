package txn

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// ErrNotChecked says that a result has no certificate, or one too large to be checked: the search that came to it is all there is.
var ErrNotChecked = errors.New("not checked")

// Certify checks what a result claims against the history alone, with none of the code that came to the result: the order by
// replaying it, a cycle edge by edge, what single reads show by looking at them, and that there is no order by trying all of those
// of the few transactions it names. It is slow and plain, for tests and audits.
//
// It returns nil only for what it checked, and an error that is ErrNotChecked for the rest: an unknown result, a pass of a model
// that needs no order, and a fail that is too large to be tried again.
func Certify(h *History, model Model, res Result) error {
	c := certifier{h: h, relations: map[string]relation{}, contradictory: map[string]bool{}}
	for t := range h.Len() {
		c.mops = append(c.mops, h.Mops(t))
	}
	switch {
	case res.Verdict == verdict.Fail:
		return c.fail(model, res)
	case res.Verdict == verdict.Unknown:
		return fmt.Errorf("%w: it is undecided", ErrNotChecked)
	case res.Order != nil:
		return c.replay(model, res.Order)
	case res.Snapshots != nil:
		return c.replaySnapshots(model, res.Snapshots)
	case model.proof() == byOrder && h.Type() == Register:
		return fmt.Errorf("%s passes without an order", model)
	}
	return fmt.Errorf("%w: that nothing of what %s forbids is there has no certificate", ErrNotChecked, model)
}

// fail checks each anomaly. One that is wrong is an error, and so is it if none that counts was checked.
func (c *certifier) fail(model Model, res Result) error {
	forbidden := forbidden(model)
	unchecked := fmt.Errorf("it fails without an anomaly that %s forbids", model)
	checked := false
	for _, a := range res.Anomalies {
		counts := false
		for name := range expand([]string{a.Name}) {
			counts = counts || forbidden[name]
		}
		switch err := c.anomaly(a); {
		case err == nil:
			checked = checked || counts
		case !errors.Is(err, ErrNotChecked):
			return fmt.Errorf("%s (%s): %w", a.Name, a.Text, err)
		case counts:
			unchecked = fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	if !checked {
		return unchecked
	}
	return nil
}

type certifier struct {
	h             *History
	mops          [][]Mop
	keyViews      map[string][]view
	relations     map[string]relation // by level and footing
	contradictory map[string]bool     // those that put a transaction ahead of itself
}

func (c *certifier) ok(t int) bool { return c.h.Outcome(t) == history.OK }

// replay runs the transactions one after another.
func (c *certifier) replay(model Model, order []int32) error {
	seen := make([]bool, c.h.Len())
	state := map[string][]history.Value{}
	latest, latestOf := time.Duration(-1<<62), map[string]int{} // the latest call, and of each process its latest transaction
	for _, at := range order {
		t := int(at)
		if seen[t] || c.h.Outcome(t) == history.Failed {
			return fmt.Errorf("transaction T%d is in the order twice, or failed", t)
		}
		seen[t] = true
		call, ret := c.h.Interval(t)
		process := c.h.Process(t).String()
		if model.need() == byTime && c.ok(t) && ret < latest {
			return fmt.Errorf("transaction T%d returned before one was called that is ahead of it", t)
		}
		if last := latestOf[process]; last > t && model.need() >= byProcess && c.ok(t) {
			if called, _ := c.h.Interval(last); ret <= called {
				return fmt.Errorf("transaction T%d is of process %s and behind T%d, which came later", t, process, last)
			}
		}
		latest, latestOf[process] = max(latest, call), max(latestOf[process], t)
		if err := c.run(t, state); err != nil {
			return err
		}
	}
	for t := range seen {
		if c.ok(t) && !seen[t] {
			return fmt.Errorf("transaction T%d is ok and not in the order", t)
		}
	}
	return nil
}

func (c *certifier) run(t int, state map[string][]history.Value) error {
	for _, m := range c.mops[t] {
		key := m.Key.String()
		switch {
		case m.Write && c.h.Type() == Register:
			state[key] = []history.Value{m.Value}
		case m.Write:
			state[key] = append(state[key], m.Value)
		case !m.Known || !c.ok(t):
		case c.h.Type() == Register:
			got := append(slices.Clone(state[key]), history.Value{})[0]
			if !got.Equal(m.Value) {
				return fmt.Errorf("transaction T%d read %v of key %v, and in the order it is %v", t, m.Value, m.Key, got)
			}
		case !slices.EqualFunc(m.List, state[key], history.Value.Equal):
			return fmt.Errorf("transaction T%d read %v of key %v, and in the order it is %v", t, m.List, m.Key, state[key])
		}
	}
	return nil
}

func (c *certifier) anomaly(a Anomaly) error {
	if a.Cycle == nil {
		return c.direct(a)
	}
	seen := map[int]bool{}
	for i, st := range a.Cycle {
		if next := a.Cycle[(i+1)%len(a.Cycle)]; st.To != next.From || seen[st.From] {
			return fmt.Errorf("step %d: T%d to T%d does not lead on", i, st.From, st.To)
		}
		seen[st.From] = true
		if err := c.step(st, a.Name); err != nil {
			return fmt.Errorf("transaction T%d to T%d: %w", st.From, st.To, err)
		}
	}
	return c.class(a)
}

// class holds the name of a cycle against its steps.
func (c *certifier) class(a Anomaly) error {
	count := map[string]int{}
	adjacent := false
	for i, st := range a.Cycle {
		count[st.Kind]++
		adjacent = adjacent || st.Kind == "rw" && a.Cycle[(i+1)%len(a.Cycle)].Kind == "rw"
	}
	name := "G0"
	switch {
	case count["rw"] > 1 && adjacent:
		name = "G2-item"
	case count["rw"] > 1:
		name = "G-nonadjacent"
	case count["rw"] == 1:
		name = "G-single"
	case count["wr"] > 0:
		name = "G1c"
	}
	switch {
	case count["realtime"] > 0:
		name += "-realtime"
	case count["process"] > 0:
		name += "-process"
	}
	if name != a.Name && (c.h.Type() == ListAppend || !expand([]string{name})[a.Name]) { // of registers a version order may rest on time
		return fmt.Errorf("the cycle is a %s", name)
	}
	return nil
}

func (c *certifier) step(st Step, name string) error {
	switch {
	case c.h.Outcome(st.From) == history.Failed || c.h.Outcome(st.To) == history.Failed:
		return fmt.Errorf("one of them did not take effect")
	case st.Kind == "realtime" && !c.returnsBefore(st.From, st.To):
		return fmt.Errorf("no order of time")
	case st.Kind == "process" && !c.processBefore(st.From, st.To):
		return fmt.Errorf("no order of a process")
	case st.Kind == "realtime" || st.Kind == "process":
		return nil
	case c.h.Type() == Register:
		return c.registerStep(st, name)
	}
	return c.listStep(st)
}

// wrote returns whether a transaction wrote a value to a key.
func (c *certifier) wrote(t int, key, value history.Value) bool {
	return slices.ContainsFunc(c.mops[t], func(m Mop) bool { return m.Write && m.Key.Equal(key) && m.Value.Equal(value) })
}

// reads visits what transactions that are ok read of a key.
func (c *certifier) reads(key history.Value, visit func(t int, m Mop)) {
	for t, mops := range c.mops {
		for _, m := range mops {
			if c.ok(t) && !m.Write && m.Known && m.Key.Equal(key) {
				visit(t, m)
			}
		}
	}
}

// registerStep checks who wrote and who read, and that one version is later than another.
func (c *certifier) registerStep(st Step, name string) error {
	holds := c.wrote(st.To, st.Key, st.Value)
	switch st.Kind {
	case "wr":
		holds = false
		c.reads(st.Key, func(t int, m Mop) {
			holds = holds || t == st.To && m.Value.Equal(st.Value) && c.wrote(st.From, st.Key, st.Value)
		})
	case "rw":
		saw := false
		c.reads(st.Key, func(t int, m Mop) { saw = saw || t == st.From && !m.Value.Equal(st.Value) })
		holds = holds && saw
	}
	switch {
	case !holds:
		return fmt.Errorf("no %s edge on key %v", st.Kind, st.Key)
	case st.Kind == "wr":
		return nil
	}
	return c.later(st, name)
}

func indexOf(list []history.Value, v history.Value) int {
	return slices.IndexFunc(list, func(w history.Value) bool { return w.Equal(v) })
}

func (c *certifier) listStep(st Step) error {
	holds := false
	switch st.Kind {
	case "wr":
		c.reads(st.Key, func(t int, m Mop) {
			n := len(m.List)
			holds = holds || t == st.To && n > 0 && m.List[n-1].Equal(st.Value) && c.wrote(st.From, st.Key, st.Value)
		})
	case "rw":
		c.reads(st.Key, func(t int, m Mop) {
			holds = holds || t == st.From && indexOf(m.List, st.Value) < 0 && c.wrote(st.To, st.Key, st.Value)
		})
	case "ww":
		var shown bool
		c.reads(st.Key, func(_ int, m Mop) { shown = shown || indexOf(m.List, st.Value) >= 0 })
		c.reads(st.Key, func(_ int, m Mop) {
			end := indexOf(m.List, st.Value)
			if !shown {
				end = len(m.List)
			}
			for _, v := range m.List[:max(end, 0)] {
				holds = holds || c.wrote(st.From, st.Key, v) && c.wrote(st.To, st.Key, st.Value)
			}
		})
	}
	if !holds {
		return fmt.Errorf("no %s edge on key %v", st.Kind, st.Key)
	}
	return nil
}
