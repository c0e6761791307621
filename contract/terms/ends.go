package terms

import (
	"github.com/assay-dev/assay/contract"
)

// Shown returns the terms with the files of their places named as show has them, so that terms of several sources can be held
// against each other by [Check].
func Shown(all []Terms, show func(file string) string) []Terms {
	at := func(p contract.Place) contract.Place {
		p.File = show(p.File)
		return p
	}
	of := func(places map[string]contract.Place) map[string]contract.Place {
		named := map[string]contract.Place{}
		for key, p := range places {
			named[key] = at(p)
		}
		return named
	}
	var shown []Terms
	for _, t := range all {
		t.At, t.Operations = at(t.At), append([]Operation(nil), t.Operations...)
		for i := range t.Operations {
			o := &t.Operations[i]
			o.At, o.places = at(o.At), of(o.places)
			var stages [][]Call
			for _, stage := range o.Stages {
				stage = append([]Call(nil), stage...)
				for k := range stage {
					stage[k].At, stage[k].places = at(stage[k].At), of(stage[k].places)
				}
				stages = append(stages, stage)
			}
			o.Stages = stages
		}
		shown = append(shown, t)
	}
	return shown
}

// calleeKeys says which of the callee's terms a rule of calls is about.
func calleeKeys() map[string]string {
	return map[string]string{"timeout-too-short": "deadline", "key-missing": "key.required", "key-retention-short": "key.retention", "retry-unsafe": "idempotent",
		"attempts-exceeded": "retry.attempts", "backoff-too-short": "retry.backoff", "code-not-retryable": "retry.on", "retry-after-ignored": "retry-after",
		"delivery-too-weak": "delivery.guarantee", "order-missing": "delivery.order-by", "dedup-too-short": "delivery.redeliveries", "redelivered-while-handled": "delivery.redeliver-after",
		"redelivery-unsafe": "delivery.guarantee"}
}

// end adds the other end of a call, or of an event, to the findings from the one on.
func (c *checker) end(from int, other *node) {
	for i := range c.Findings[from:] {
		f := &c.Findings[from+i]
		if other != nil {
			f.Ends = append(f.Ends, contract.End{What: other.name, At: other.at(calleeKeys()[f.Rule])})
		}
	}
}

// endCalls adds the calls of an operation to the findings from the one on.
func (c *checker) endCalls(from int, n *node) {
	for i := range c.Findings[from:] {
		for _, e := range n.calls {
			c.Findings[from+i].Ends = append(c.Findings[from+i].Ends, contract.End{What: "its call of " + e.call.Target(), At: e.call.At})
		}
	}
}

// endWay adds where each call of a way stands to the findings from the one on.
func (c *checker) endWay(from int, way []*edge) {
	for i := range c.Findings[from:] {
		for _, e := range way {
			what, at := e.from.name+" → "+e.to.name, e.from.At
			if e.call != nil {
				at = e.call.At
			}
			c.Findings[from+i].Ends = append(c.Findings[from+i].Ends, contract.End{What: what, At: at})
		}
	}
}

// way returns the calls of the path on which a node is called most often, the first of them first.
func (n *node) way() (way []*edge) {
	const most = 100
	for e := n.busiest().edge; e != nil && len(way) < most; e = e.from.busiest().edge {
		way = append([]*edge{e}, way...)
	}
	return way
}
