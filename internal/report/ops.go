package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
)

const (
	keepOps    = 5    // slowest, and first not ok, of each journey
	keepErrors = 1000 // different texts of one journey that are counted apart
	farthest   = 1000 * time.Hour
)

// op is what a report reads of an operation.
type op struct {
	id, parent               uint64
	kind                     []byte // as all []byte here: the JSON string, valid until the next line
	journey, name, object    []byte
	outcome                  history.Outcome
	degraded                 bool
	scheduled, call, return_ time.Duration
	error, trace, input      []byte
	client                   []byte
}

// readOp reads what a report needs of a line of ops.jsonl.
func readOp(line []byte, o *op) error {
	*o = op{}
	var bad error
	note := func(err error) {
		if err != nil && bad == nil {
			bad = err
		}
	}
	number := func(value []byte) uint64 {
		n, err := whole(value)
		note(err)
		return uint64(n)
	}
	moment := func(value []byte) time.Duration {
		t, err := duration(value)
		if err == nil && (t < 0 || t > farthest) {
			err = fmt.Errorf("%d ns is no time of a run", t)
		}
		note(err)
		return t
	}
	err := members(line, func(key, value []byte) bool {
		switch string(key) {
		case "id":
			o.id = number(value)
		case "parent":
			o.parent = number(value)
		case "kind":
			o.kind = value
		case "client":
			o.client = value
		case "journey":
			o.journey = value
		case "name":
			o.name = value
		case "object":
			o.object = value
		case "input":
			o.input = value
		case "outcome":
			note(o.outcome.UnmarshalText(bare(value)))
		case "degraded":
			o.degraded = string(value) == "true"
		case "scheduled":
			o.scheduled = moment(value)
		case "call":
			o.call = moment(value)
		case "return":
			o.return_ = moment(value)
		case "error":
			o.error = value
		case "trace":
			o.trace = value
		}
		return true
	})
	if err == nil && bad == nil && o.id == 0 {
		bad = fmt.Errorf("it has no id")
	}
	return cmp.Or(err, bad)
}

// bare is a JSON string without its quotes, where no escapes are expected.
func bare(value []byte) []byte {
	if len(value) >= 2 && value[0] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// counted is what is kept of the operations of one journey.
type counted struct {
	slots   slots
	latency histogram
	max     time.Duration
	slowest []kept
	failed  []kept // the first not ok
	errors  map[string]*ErrorCount
	more    int64 // not ok, with a text beyond the keepErrors that are counted
	ops     slot  // all of them, without latency
	last    time.Duration
}

// kept is a journey operation that may be shown whole.
type kept struct {
	id       uint64
	at       time.Duration
	latency  time.Duration
	ok       bool
	degraded bool
}

func (c *counted) add(o *op) {
	latency := o.return_ - o.scheduled
	s := c.slots.at(o.scheduled)
	s.latency.add(latency)
	c.latency.add(latency)
	c.max = max(c.max, latency)
	c.last = max(c.last, o.return_)
	tally(s, o)
	tally(&c.ops, o)
	k := kept{id: o.id, at: o.scheduled, latency: latency, ok: o.outcome == history.OK, degraded: o.degraded}
	c.slowest = keep(c.slowest, k, slower)
	if o.outcome != history.OK {
		c.failed = keep(c.failed, k, earlier)
		c.addError(o)
	}
}

func tally(s *slot, o *op) {
	switch o.outcome {
	case history.OK:
		s.ok++
		if o.degraded {
			s.degraded++
		}
	case history.Failed:
		s.failed++
	default:
		s.maybe++
	}
}

func slower(a, b kept) int  { return cmp.Or(cmp.Compare(b.latency, a.latency), cmp.Compare(a.id, b.id)) }
func earlier(a, b kept) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) }

// keep adds k to a list in order, which holds no more than keepOps.
func keep(list []kept, k kept, order func(a, b kept) int) []kept {
	if len(list) == keepOps && order(k, list[keepOps-1]) >= 0 {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, k, order)
	list = slices.Insert(list, at, k)
	return list[:min(len(list), keepOps)]
}

func (c *counted) addError(o *op) {
	text := unquote(o.error)
	if text == "" {
		text = "no error was recorded"
	}
	c.countError(ErrorCount{Pattern: pattern(text), Example: cut(text, keptText), Count: 1, First: o.id, At: o.scheduled})
}

func (c *counted) countError(e ErrorCount) {
	known := c.errors[e.Pattern]
	switch {
	case known == nil && len(c.errors) >= keepErrors:
		c.more += e.Count
	case known == nil:
		c.errors[e.Pattern] = &e
	default:
		known.Count += e.Count
		if e.At < known.At || e.At == known.At && e.First < known.First {
			known.At, known.First, known.Example = e.At, e.First, e.Example
		}
	}
}

func (c *counted) merge(other *counted) {
	c.slots.merge(&other.slots)
	c.latency.merge(&other.latency)
	c.max, c.last = max(c.max, other.max), max(c.last, other.last)
	c.ops.merge(&other.ops)
	for _, k := range other.slowest {
		c.slowest = keep(c.slowest, k, slower)
	}
	for _, k := range other.failed {
		c.failed = keep(c.failed, k, earlier)
	}
	for _, e := range other.errors {
		c.countError(*e)
	}
	c.more += other.more
}

// counter counts the journey operations of one stretch of a file.
type counter struct {
	raw map[string]*counted // by the name as it is written in JSON
	op  op
}

func (c *counter) line(line []byte) error {
	if err := readOp(line, &c.op); err != nil {
		return err
	}
	if string(c.op.kind) != `"journey"` {
		return nil
	}
	journey := c.raw[string(c.op.journey)]
	if journey == nil {
		journey = newCounted()
		c.raw[string(c.op.journey)] = journey
	}
	journey.add(&c.op)
	return nil
}

func newCounted() *counted { return &counted{errors: map[string]*ErrorCount{}} }

// countOps reads ops.jsonl and returns what is kept of it by journey.
func countOps(path, name string, workers int) (map[string]*counted, *Damage) {
	counters := make([]counter, workers)
	handlers := make([]func([]byte) error, workers)
	for i := range counters {
		counters[i].raw = map[string]*counted{}
		handlers[i] = counters[i].line
	}
	damage := eachLine(path, name, handlers)
	whole := map[string]*counted{}
	for _, c := range counters {
		for raw, journey := range c.raw {
			name := unquote([]byte(raw))
			if whole[name] == nil {
				whole[name] = newCounted()
			}
			whole[name].merge(journey)
		}
	}
	return whole, damage
}

// An ErrorCount is a text that operations failed with, and how often.
type ErrorCount struct {
	Pattern string        `json:"pattern"` // the text, with numbers and ids that differ from one operation to the next taken out
	Example string        `json:"example"` // of the first
	Count   int64         `json:"count"`
	First   uint64        `json:"first"` // the first operation that failed so
	At      time.Duration `json:"at"`    // when that was scheduled
}

// commonest returns the counts, the highest first.
func (c *counted) commonest() []ErrorCount {
	var list []ErrorCount
	for _, e := range c.errors {
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.At, b.At), cmp.Compare(a.Pattern, b.Pattern))
	})
	return list
}
