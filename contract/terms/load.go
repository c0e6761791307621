package terms

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// busy is how often a node is called at most for one call of what nothing declared calls, and by which caller.
type busy struct {
	calls   int
	edge    *edge // nil: nobody calls it
	limited bool  // false: without limit, or not declared
}

func (n *node) busiest() busy {
	if n.looped {
		return busy{}
	}
	if n.busy != nil {
		return *n.busy
	}
	b := busy{calls: 1, limited: true}
	for i, e := range n.callers {
		from := e.from.busiest()
		a, ok := e.attempts()
		limited := from.limited && ok && a > 0
		calls := product(from.calls, max(a, 1))
		if i == 0 || calls > b.calls {
			b.calls, b.edge = calls, e
		}
		b.limited = b.limited && limited
	}
	n.busy = &b
	return b
}

func product(a, b int) int {
	if a > math.MaxInt/b {
		return math.MaxInt
	}
	return a * b
}

// path returns the path on which the node is called most often, where anything calls it. What has no limit counts once, and is found on its own.
func (n *node) path() (Path, bool) {
	b := n.busiest()
	if b.edge == nil {
		return Path{}, false
	}
	p := Path{Calls: b.calls, Operations: []string{n.name}}
	var factors []string
	const most = 100 // operations that are named beside the first
	for e := b.edge; e != nil; e = e.from.busiest().edge {
		a, _ := e.attempts()
		if beyond := len(p.Operations) - most; beyond >= 0 && e.from.busiest().edge != nil {
			if beyond == 0 {
				p.Operations, factors = append(p.Operations, "…"), append(factors, "…")
			}
			continue
		}
		p.Operations = append(p.Operations, e.from.name)
		factors = append(factors, fmt.Sprint(max(a, 1)))
	}
	slices.Reverse(p.Operations)
	slices.Reverse(factors)
	p.Product = strings.Join(factors, " × ")
	if !b.limited {
		p.Product += ", and more without limit"
	}
	return p, true
}

// demand returns how many calls per second the operation takes at most, NaN where terms do not say it.
func (n *node) demand() float64 {
	if n.demanded == nil {
		d := n.offered()
		if n.Limit > 0 && (math.IsNaN(d) || d > n.Limit) {
			d = n.Limit // it refuses what is beyond
		}
		n.demanded = &d
	}
	return *n.demanded
}

// offered returns how many calls per second its declared callers make at most.
func (n *node) offered() float64 {
	if n.looped || len(n.callers) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, e := range n.callers {
		a, ok := e.attempts()
		if !ok || a == 0 {
			return math.NaN()
		}
		sum += e.from.demand() * float64(a)
	}
	return sum
}

// load holds what callers may ask for against the limit of an operation.
func (c *checker) load(n *node) {
	if n.Limit == 0 || len(n.callers) == 0 {
		return
	}
	offered := n.offered()
	switch {
	case math.IsNaN(offered):
		c.gap(n, "limit", n.at("limit"), "takes %s, and how often its callers call is not declared (limit of the operations that they begin with)", rate(n.Limit))
	case offered > n.Limit*(1+1e-9):
		var parts []string
		for _, e := range n.callers {
			a, _ := e.attempts()
			parts = append(parts, fmt.Sprintf("%s %s × %d", e.from.name, rate(e.from.demand()), a))
		}
		s := (&schedule{}).add(moment{what: loads, count: int(math.Floor(offered*1000 + 1e-6)), wait: 1000e9})
		found := len(c.Findings)
		c.breaks("limit-exceeded", n, "limit", "retry overload", fmt.Sprintf("takes %s, and its callers come to %s: %s", rate(n.Limit), rate(offered), strings.Join(parts, " + ")),
			"raise the limit, lower those of its callers, or let them make fewer attempts", n.at("limit"), s)
		for _, e := range n.callers {
			c.endWay(found, []*edge{e})
		}
	}
}
