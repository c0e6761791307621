package consistency

import (
	"cmp"
	"context"
	"slices"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// Ordered returns the checker that values of one key are read, or dequeued, in
// the order in which they were appended. The key is that of the append, or else
// the first of a pair [key, value].
//
// Only order in real time counts: of two appends that overlap either may come
// first, and an append whose outcome is not known may take effect at any later
// time. Only the first place of a value counts, and a value that was appended
// more than once has no order: where two such appends were acknowledged, the others may
// be found out of order, and never in order. An object in which no two values of a key could have
// been out of order is unknown.
func Ordered(object string) check.Checker { return &checker{"ordered", object, "", judgeOrder} }

// A sighting is a value that was seen between from and to, on an axis of time
// or of places in a list.
type sighting struct {
	put, seen *history.Op
	from, to  int64
}

func judgeOrder(ctx context.Context, object string, in check.Input) check.Result {
	j, err := newJournal(modelOps(in, object))
	if err != nil {
		return unknown("%v", err)
	}
	keys := map[string]bool{} // in which an order was to be kept
	sequences := append(j.inReads(), j.inDequeues())
	for _, sequence := range sequences {
		for key, sightings := range byKey(sequence) {
			if ctx.Err() != nil {
				return unknown("stopped")
			}
			if first, second, ok := outOfOrder(sightings); ok {
				witness := dedupe([]*history.Op{second.put, first.put, first.seen, second.seen})
				return fail(witness, "key %s: %v was seen before %v, which was appended before it", key, first.put.Input, second.put.Input)
			}
			if hasOrder(sightings) {
				keys[key] = true
			}
		}
	}
	if len(keys) == 0 {
		return unknown("%q recorded no two appends of one key, one after the other, that were read together", object)
	}
	return j.sure(pass("the values of %d keys were read in the order they were appended", len(keys)))
}

// inReads returns the sightings of each read, by their place in its list.
func (j journal) inReads() [][]sighting {
	var sequences [][]sighting
	for _, op := range j.reads {
		var sequence []sighting
		seen := map[string]bool{}
		for place, item := range op.Output.Items() {
			if put, ok := j.only(item, op.Key); ok && !seen[text(item)] {
				sequence = append(sequence, sighting{put, op, int64(place), int64(place)})
			}
			seen[text(item)] = true
		}
		sequences = append(sequences, sequence)
	}
	return sequences
}

// inDequeues returns the sightings of all dequeues, by their time.
func (j journal) inDequeues() []sighting {
	taken := byCall(slices.Clone(j.taken))
	var sequence []sighting
	seen := map[string]bool{}
	for _, op := range taken {
		if put, ok := j.only(op.Output, op.Key); ok && !seen[text(op.Output)] {
			sequence = append(sequence, sighting{put, op, int64(op.Call), int64(op.Return)})
		}
		seen[text(op.Output)] = true
	}
	return sequence
}

// only returns the append of a value that key sees, if there was exactly one.
func (j journal) only(value, key history.Value) (*history.Op, bool) {
	var found *history.Op
	n := 0
	for _, op := range j.byValue[text(value)] {
		if op.Outcome != history.Failed && sees(key, op.Key) {
			found = op
			n++
		}
	}
	return found, n == 1
}

func byKey(sequence []sighting) map[string][]sighting {
	keys := map[string][]sighting{}
	for _, s := range sequence {
		key := s.put.Key
		if pair := s.put.Input.Items(); key.IsNil() && len(pair) == 2 {
			key = pair[0]
		}
		keys[text(key)] = append(keys[text(key)], s)
	}
	return keys
}

// outOfOrder returns two sightings, the first seen before the second, whose
// appends were the other way round. It goes through them from the last seen to the
// first, and keeps of those seen for certain later the append that returned first:
// if that one does not precede the append at hand, none does. One whose outcome
// is not known may take effect later than any, and precedes none.
func outOfOrder(sightings []sighting) (first, second sighting, found bool) {
	byEnd := slices.SortedFunc(slices.Values(sightings), func(a, b sighting) int { return cmp.Compare(b.to, a.to) })
	byStart := slices.SortedFunc(slices.Values(sightings), func(a, b sighting) int { return cmp.Compare(b.from, a.from) })
	var earliest sighting
	any, next := false, 0
	for _, s := range byEnd {
		for ; next < len(byStart) && byStart[next].from > s.to; next++ {
			later := byStart[next]
			if later.put.Outcome == history.OK && (!any || later.put.Return < earliest.put.Return) {
				earliest, any = later, true
			}
		}
		if any && earliest.put.Return < s.put.Call {
			return s, earliest, true
		}
	}
	return sighting{}, sighting{}, false
}

// hasOrder says whether there are two sightings whose appends have an order, and
// whose own order is certain too, so that a wrong one would have been seen.
func hasOrder(sightings []sighting) bool {
	reversed := make([]sighting, len(sightings))
	for i, s := range sightings {
		reversed[i] = s
		reversed[i].from, reversed[i].to = -s.to, -s.from
	}
	_, _, found := outOfOrder(reversed)
	return found
}
