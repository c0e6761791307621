package txn

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// LongFork judges reads of several keys, operations named "read" whose output maps keys to values, nil for one that was not written
// yet. Each key is written once. Two reads may not each see a write that the other misses, among the keys that both read.
//
// Without a read of two keys that sees a write there is nothing to judge.
func LongFork(ops []history.Op) Finding {
	reads, odd := forkReads(ops)
	if odd != "" {
		return Finding{Reason: odd}
	}
	groups := sameKeys(reads)
	shared := map[string][]int{} // by key: the groups so far that have it
	for i, group := range groups {
		if f := forked(group, group[0].keys); f.Reason != "" {
			return f
		}
		for _, other := range meeting(shared, group[0].keys, i) {
			if f := forked(slices.Concat(group, groups[other]), group[0].common(groups[other][0])); f.Reason != "" {
				return f
			}
		}
	}
	values, shown := map[string]history.Value{}, false
	for _, r := range reads {
		for j, k := range r.keys {
			v, w := r.op.Output.Entries()[j].Val, values[k]
			if !v.IsNil() && !w.IsNil() && !v.Equal(w) {
				return Finding{Reason: fmt.Sprintf("key %s has the values %v and %v: write each key once, so that it is known what a read missed", k, w, v)}
			}
			if !v.IsNil() {
				values[k] = v
			}
		}
		shown = shown || len(r.keys) > 1 && len(r.sees) > 0
	}
	if !shown {
		return nothing("read of two keys that sees a write")
	}
	return Finding{Verdict: verdict.Pass, Reason: fmt.Sprintf("%d reads see writes in one order", len(reads))}
}

// A forkRead is a read of several keys.
type forkRead struct {
	op   history.Op
	keys []string        // in order
	sees map[string]bool // those that were written
}

// forkReads returns the reads that are ok, or what is no read of keys.
func forkReads(ops []history.Op) (reads []forkRead, odd string) {
	for _, op := range ops {
		if op.Name != "read" || op.Outcome != history.OK {
			continue
		}
		if len(op.Output.Entries()) == 0 {
			return nil, fmt.Sprintf("operation %d read %v, which maps no keys to values", op.ID, op.Output)
		}
		r := forkRead{op: op, sees: map[string]bool{}}
		for _, e := range op.Output.Entries() {
			k := e.Key.String()
			r.keys = append(r.keys, k)
			if !e.Val.IsNil() {
				r.sees[k] = true
			}
		}
		reads = append(reads, r)
	}
	return reads, ""
}

// sameKeys groups reads by the keys they read.
func sameKeys(reads []forkRead) (groups [][]forkRead) {
	at := map[string]int{}
	for _, r := range reads {
		keys := fmt.Sprint(r.keys)
		i, ok := at[keys]
		if !ok {
			i = len(groups)
			at[keys], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// meeting returns the groups so far that have two of some keys, and notes the next group with these.
func meeting(shared map[string][]int, keys []string, group int) (groups []int) {
	times := map[int]int{}
	for _, k := range keys {
		for _, other := range shared[k] {
			if times[other]++; times[other] == 2 {
				groups = append(groups, other)
			}
		}
		shared[k] = append(shared[k], group)
	}
	return groups
}

// common returns the keys that two reads have both.
func (r forkRead) common(other forkRead) []string {
	return slices.DeleteFunc(slices.Clone(r.keys), func(k string) bool { return !slices.Contains(other.keys, k) })
}

// forked says whether two of some reads each see a write of a key that the other misses. A read that sees more comes after: sorted
// by how much they see, all are a chain iff each is within the next.
func forked(reads []forkRead, keys []string) Finding {
	count := func(r forkRead) (n int) {
		for _, k := range keys {
			if r.sees[k] {
				n++
			}
		}
		return n
	}
	reads = slices.Clone(reads)
	slices.SortStableFunc(reads, func(a, b forkRead) int { return cmp.Compare(count(a), count(b)) })
	for i := 1; i < len(reads); i++ {
		a, b := reads[i-1], reads[i]
		for _, k := range keys {
			if a.sees[k] && !b.sees[k] {
				return failed([]history.Op{a.op, b.op}, "operations %d and %d each see a write that the other misses: %d sees key %s", a.op.ID, b.op.ID, a.op.ID, k)
			}
		}
	}
	return Finding{}
}
