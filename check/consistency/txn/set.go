package txn

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Set counts what became of the elements of a set.
type Set struct {
	Finding
	Elements                          int
	Lost, Stale, Recovered, NeverRead []history.Value
	// Latency is, for each element that was read, from when its add returned until the last read was called that missed it; 0 if none did.
	Latency []time.Duration
}

type setElement struct {
	value      history.Value
	known      time.Duration // when it was certain first: its add returned, or a read that saw it did
	isKnown    bool
	ok         bool
	lastSeen   time.Duration // call of the last read that saw it
	seen       bool
	lastMissed time.Duration // call of the last read that missed it, called after known
	missed     bool
}

// SetFull judges operations named "add", of unique elements, and "read", whose output is a list of all. An element that was seen, or
// whose add was ok, is lost if every read called after some time misses it; stale if a read missed it that was called after its add
// returned, and it is there later. Stale fails only if linearizable is asked for.
func SetFull(ops []history.Op, linearizable bool) Set {
	elements := map[string]*setElement{}
	var order []*setElement
	var reads []history.Op
	for _, op := range ops {
		switch {
		case op.Name == "add" && op.Outcome != history.Failed:
			e := &setElement{value: op.Input, ok: op.Outcome == history.OK}
			if e.ok {
				e.known, e.isKnown = op.Return, true
			}
			elements[op.Input.String()] = e
			order = append(order, e)
		case op.Name == "read" && op.Outcome == history.OK:
			reads = append(reads, op)
		}
	}
	slices.SortStableFunc(reads, func(a, b history.Op) int { return cmpInt(int64(a.Call), int64(b.Call)) })
	has := make([]map[string]bool, len(reads))
	for i, read := range reads {
		has[i] = map[string]bool{}
		for _, v := range read.Output.Items() {
			text := v.String()
			has[i][text] = true
			if e := elements[text]; e != nil {
				e.seen, e.lastSeen = true, read.Call
				if !e.isKnown || read.Return < e.known {
					e.known, e.isKnown = read.Return, true
				}
			}
		}
	}
	var s Set
	s.Elements = len(order)
	for _, e := range order {
		text := e.value.String()
		for i, read := range reads {
			if e.isKnown && read.Call > e.known && !has[i][text] {
				e.missed, e.lastMissed = true, read.Call
			}
		}
		switch {
		case !e.isKnown:
			continue
		case e.missed && (!e.seen || e.lastMissed > e.lastSeen):
			s.Lost = append(s.Lost, e.value)
			continue
		case !e.seen:
			s.NeverRead = append(s.NeverRead, e.value)
			continue
		case e.missed:
			s.Stale = append(s.Stale, e.value)
			s.Latency = append(s.Latency, e.lastMissed-e.known)
		default:
			s.Latency = append(s.Latency, 0)
		}
		if !e.ok {
			s.Recovered = append(s.Recovered, e.value)
		}
	}
	s.conclude(len(reads), linearizable)
	return s
}

func (s *Set) conclude(reads int, linearizable bool) {
	switch {
	case reads == 0 || s.Elements == 0:
		s.Finding = nothing("read of an added element")
	case len(s.Lost) > 0:
		s.Finding = failed(nil, "%d of %d elements are lost: %v", len(s.Lost), s.Elements, few(s.Lost))
	case linearizable && len(s.Stale) > 0:
		s.Finding = failed(nil, "%d of %d elements were missed by reads called after they were there: %v", len(s.Stale), s.Elements, few(s.Stale))
	case len(s.NeverRead) == s.Elements:
		s.Finding = Finding{Reason: "no read was called after an add returned"}
	default:
		s.Finding = Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("none of %d elements is lost, %d were stale", s.Elements, len(s.Stale))}
	}
}
