package consistency

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/history"
)

// A journal is what was put into an object and what was seen of it.
type journal struct {
	appends []*history.Op            // append, add and enqueue, however they ended
	byValue map[string][]*history.Op // the same, by value
	reads   []*history.Op            // ok ones
	taken   []*history.Op            // dequeues that gave a value
	empty   []*history.Op            // dequeues that found nothing
	unsure  []*history.Op            // dequeues that may have taken a value which nobody saw
}

// newJournal sorts an object's operations. A read returns the list of all
// values, or nil for none; a dequeue returns one value, or nil where there is none.
func newJournal(ops []*history.Op) (journal, error) {
	j := journal{byValue: map[string][]*history.Op{}}
	for _, op := range ops {
		switch op.Name {
		case "append", "enqueue", "add":
			j.appends = append(j.appends, op)
			j.byValue[text(op.Input)] = append(j.byValue[text(op.Input)], op)
		case "read":
			if op.Outcome != history.OK {
				continue
			}
			if k := op.Output.Kind(); k != history.KindList && k != history.KindNil {
				return j, fmt.Errorf("operation %d read %v, and a list was expected", op.ID, op.Output)
			}
			j.reads = append(j.reads, op)
		case "dequeue":
			j.dequeue(op)
		default:
			return j, fmt.Errorf("operation %d is a %s, and only append, add, enqueue, read and dequeue can be judged", op.ID, op.Name)
		}
	}
	return j, nil
}

func (j *journal) dequeue(op *history.Op) {
	switch {
	case op.Outcome == history.Maybe:
		j.unsure = append(j.unsure, op)
	case op.Outcome == history.OK && op.Output.IsNil():
		j.empty = append(j.empty, op)
	case op.Outcome == history.OK:
		j.taken = append(j.taken, op)
	}
}

// acknowledged returns how many appends were acknowledged.
func (j journal) acknowledged() int {
	n := 0
	for _, op := range j.appends {
		if op.Outcome == history.OK {
			n++
		}
	}
	return n
}

// sees says whether an operation that looks at key, nil for the whole object, sees what was put under other.
func sees(key, other history.Value) bool { return key.IsNil() || key.Equal(other) }

// last returns the operation that was called last of those that see key, nil if none does.
func last(ops []*history.Op, key history.Value) *history.Op {
	var newest *history.Op
	for _, op := range ops {
		if sees(op.Key, key) && (newest == nil || op.Call >= newest.Call) {
			newest = op
		}
	}
	return newest
}

// lastReads returns the last read of each key that was read, and of the whole object.
func (j journal) lastReads() []*history.Op {
	at := map[string]int{}
	var reads []*history.Op
	for _, op := range j.reads {
		i, ok := at[text(op.Key)]
		switch {
		case !ok:
			at[text(op.Key)] = len(reads)
			reads = append(reads, op)
		case op.Call >= reads[i].Call:
			reads[i] = op
		}
	}
	return reads
}

// before returns the values that were read before anything was appended: they
// were there when the records began.
func (j journal) before() map[string]bool {
	var first time.Duration
	for i, op := range j.appends {
		if i == 0 || op.Call < first {
			first = op.Call
		}
	}
	there := map[string]bool{}
	for _, op := range j.reads {
		if op.Return < first {
			for _, item := range op.Output.Items() {
				there[text(item)] = true
			}
		}
	}
	return there
}
