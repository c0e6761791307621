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
	// Unexpected is what a read shows that nobody added, or whose add failed; Duplicated is there twice in one read.
	Unexpected, Duplicated []history.Value
	// Latency is, for each element that was read, from when its add returned until the last read was called that missed it; 0 if none did.
	Latency []time.Duration
}

type setElement struct {
	add     history.Op
	known   time.Duration // when it was certain first: its add returned, or a read that saw it did
	isKnown bool
	ok      bool
	in      []int // the reads that saw it, ascending
}

// SetFull judges operations named "add" and "read", whose output is a list of all. An element that was seen, or
// whose add was ok, is lost if every read called after some time misses it; stale if a read missed it that was called after its add
// returned, and it is there later. Stale fails only if linearizable is asked for. What a read shows that is not in the set
// yet, or shows twice, fails.
//
// It takes time in proportion to what was read.
func SetFull(ops []history.Op, linearizable bool) Set {
	var s Set
	elements, reads, odd := s.elements(ops)
	if odd != "" {
		s.Finding = Finding{Reason: odd}
		return s
	}
	s.Elements = len(elements)
	var lost, stale []history.Op // of the first of each: its add, and the last read that missed it
	for _, e := range elements {
		if !e.isKnown {
			continue
		}
		missed := e.lastMissed(reads)
		switch {
		case missed >= 0 && (len(e.in) == 0 || reads[missed].Call > reads[e.in[len(e.in)-1]].Call):
			s.Lost = append(s.Lost, e.add.Input)
			if lost == nil {
				lost = []history.Op{e.add, reads[missed]}
			}
			continue
		case len(e.in) == 0:
			s.NeverRead = append(s.NeverRead, e.add.Input)
			continue
		case missed >= 0:
			s.Stale = append(s.Stale, e.add.Input)
			s.Latency = append(s.Latency, reads[missed].Call-e.known)
			if stale == nil {
				stale = []history.Op{e.add, reads[missed]}
			}
		default:
			s.Latency = append(s.Latency, 0)
		}
		if !e.ok {
			s.Recovered = append(s.Recovered, e.add.Input)
		}
	}
	s.conclude(len(reads), linearizable, lost, stale)
	return s
}

// elements returns the elements in order of their adds, and the reads in order of their calls; or what is no read of a set.
func (s *Set) elements(ops []history.Op) (elements []*setElement, reads []history.Op, odd string) {
	named := map[string]*setElement{}
	for _, op := range ops {
		switch {
		case op.Name == "add" && op.Outcome != history.Failed:
			text := op.Input.String()
			if named[text] == nil {
				named[text] = &setElement{add: op}
				elements = append(elements, named[text])
			}
			named[text].added(op)
		case op.Name == "remove" && op.Outcome != history.Failed:
			odd = fmt.Sprintf("operation %d removes %v, and here is judged what was added for good", op.ID, op.Input)
		case op.Name == "read" && op.Outcome == history.OK:
			reads = append(reads, op)
			if op.Output.Kind() != history.KindList {
				odd = fmt.Sprintf("operation %d read %v, which is no list of elements", op.ID, op.Output)
			}
		}
	}
	slices.SortStableFunc(reads, func(a, b history.Op) int { return cmpInt(int64(a.Call), int64(b.Call)) })
	for i, read := range reads {
		for _, v := range read.Output.Items() {
			e := named[v.String()]
			switch {
			case e == nil || read.Return < e.add.Call:
				s.note(&s.Unexpected, v, read)
				continue
			case len(e.in) > 0 && e.in[len(e.in)-1] == i:
				s.note(&s.Duplicated, v, read)
				continue
			}
			e.in = append(e.in, i)
			if !e.isKnown || read.Return < e.known {
				e.known, e.isKnown = read.Return, true
			}
		}
	}
	return elements, reads, odd
}

// added notes one more add of the element: a second one changes nothing, but may be the one that is certain.
func (e *setElement) added(op history.Op) {
	if op.Call < e.add.Call {
		e.add = op
	}
	if op.Outcome == history.OK && (!e.isKnown || op.Return < e.known) {
		e.known, e.isKnown, e.ok = op.Return, true, true
	}
}

// note keeps an element that a read must not show, and the first such read.
func (s *Set) note(kind *[]history.Value, v history.Value, read history.Op) {
	if len(s.Unexpected)+len(s.Duplicated) == 0 {
		s.Ops = []history.Op{read}
	}
	*kind = append(*kind, v)
}

// lastMissed returns the last read that missed the element though it was called after it was known, or -1.
func (e *setElement) lastMissed(reads []history.Op) int {
	in := len(e.in)
	for i := len(reads) - 1; i >= 0 && reads[i].Call > e.known; i-- {
		if in == 0 || e.in[in-1] != i {
			return i
		}
		in--
	}
	return -1
}

func (s *Set) conclude(reads int, linearizable bool, lost, stale []history.Op) {
	switch {
	case len(s.Unexpected)+len(s.Duplicated) > 0:
		s.Finding = failed(s.Ops, "reads show %d elements that were not added %v, and %d twice %v", len(s.Unexpected), few(s.Unexpected),
			len(s.Duplicated), few(s.Duplicated))
	case reads == 0 || s.Elements == 0:
		s.Finding = nothing("read of an added element")
	case len(s.Lost) > 0:
		s.Finding = failed(lost, "%d of %d elements are lost: %v", len(s.Lost), s.Elements, few(s.Lost))
	case linearizable && len(s.Stale) > 0:
		s.Finding = failed(stale, "%d of %d elements were missed by reads called after they were there: %v", len(s.Stale), s.Elements, few(s.Stale))
	case len(s.NeverRead) == s.Elements:
		s.Finding = Finding{Reason: "no read was called after an add returned"}
	default:
		s.Finding = Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("none of %d elements is lost, %d were stale, %d were not read since their add", s.Elements, len(s.Stale), len(s.NeverRead))}
	}
}
