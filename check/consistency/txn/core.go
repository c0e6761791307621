package txn

import (
	"fmt"
	"strings"
)

// How many steps are taken to find fewer transactions that have no order.
const coreSteps = 20_000_000

// core returns the fewest transactions found that have no order by themselves, with what they read of one another.
func (c *checking) core(l level, split bool) []int {
	var parts []part
	for _, p := range c.h.parts() {
		if c.live[p.txn] {
			parts = append(parts, p)
		}
	}
	left := min(coreSteps, c.most)
	parts = fewest(parts, func(parts []part) bool {
		sub := c.h.keep(parts)
		if left <= 0 || c.stopped() || sub == nil {
			return false
		}
		live := make([]bool, sub.Len())
		for t := range live {
			live[t] = true // as in the whole
		}
		inner := checking{ctx: c.ctx, h: sub, live: live, most: left}
		_, end := inner.search(sub.graph(l), split)
		left -= inner.steps
		return end == none
	})
	c.steps += coreSteps - left
	var core []int
	for _, p := range parts {
		core = append(core, p.txn)
	}
	return core
}

// addNone reports that of all orders of some transactions none explains what they read.
func (r *reporter) addNone(name string, txns []int) {
	what := "one after another"
	if strings.HasPrefix(name, "no-snapshot-order") {
		what = "each on a snapshot"
	}
	r.found[name] = append(r.found[name], Anomaly{Name: name, Txns: txns,
		Text: fmt.Sprintf("%d transactions did not run %s: every order was tried, and none explains what they read of one another", len(txns), what)})
	r.count[name]++
}
