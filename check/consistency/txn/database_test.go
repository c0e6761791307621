package txn

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/assay-dev/assay/history"
)

// A scheme is how a simulated database keeps its transactions apart. Those that write wait for nobody: who finds an item locked, or
// is not the first to commit it, is aborted.
type scheme struct {
	typ       DataType
	dirty     bool // reads show what is not committed yet
	snapshot  bool // reads show what was committed at the start, and the first to commit wins; or else writes lock
	readLocks bool // reads lock too, until the end: two-phase locking
	pivots    bool // nobody commits who missed a write of one and wrote what another missed: serializable snapshots
	alone     bool // one after another
}

// A running is a transaction of a database.
type running struct {
	at, left    int
	start       int64
	committed   int64 // 0 while it runs
	snapshot    map[int64][]int64
	own         map[int64][]int64
	read, wrote map[int64]bool
	in, out     bool // somebody missed what it wrote; it missed what somebody wrote
}

type database struct {
	scheme
	rng     *rand.Rand
	store   map[int64][]int64
	changed map[int64]int64 // by key: when it was committed last
	locks   map[int64]*running
	shared  map[int64][]*running
	active  [5]*running
	process [5]int64
	done    []*running
	txns    []small
	value   int64
	clock   int64
}

const databaseKeys = 4

// simulate runs n transactions, each step of each in random order. Some crash as they commit: whether they did is not known, and
// their process goes on under another name.
func (s scheme) simulate(rng *rand.Rand, n int) []small {
	db := &database{scheme: s, rng: rng, store: map[int64][]int64{}, changed: map[int64]int64{}, locks: map[int64]*running{},
		shared: map[int64][]*running{}, process: [5]int64{0, 1, 2, 3, 4}}
	for len(db.txns) < n || slices.ContainsFunc(db.active[:], func(r *running) bool { return r != nil }) {
		db.clock++
		p := rng.IntN(len(db.active))
		switch r := db.active[p]; {
		case r == nil && len(db.txns) < n && !(s.alone && slices.ContainsFunc(db.active[:], func(r *running) bool { return r != nil })):
			db.active[p] = &running{at: len(db.txns), left: 1 + rng.IntN(4), start: db.clock, snapshot: maps.Clone(db.store),
				own: map[int64][]int64{}, read: map[int64]bool{}, wrote: map[int64]bool{}}
			db.txns = append(db.txns, small{process: db.process[p], call: db.clock})
		case r != nil && r.left == 0:
			db.end(p, db.commits(r))
		case r != nil:
			r.left--
			if !db.step(r) {
				db.end(p, false)
			}
		}
	}
	return db.txns
}

// apply returns a key's value with what was written after it.
func (db *database) apply(was, own []int64) []int64 {
	if db.typ == Register && len(own) > 0 {
		return own[len(own)-1:]
	}
	return slices.Concat(was, own)
}

// step reads or writes, and says whether it could.
func (db *database) step(r *running) bool {
	x, k := &db.txns[r.at], db.rng.Int64N(databaseKeys)
	holder, others := db.locks[k], slices.ContainsFunc(db.shared[k], func(o *running) bool { return o != r })
	if db.rng.IntN(2) == 0 {
		if !db.snapshot && (holder != nil && holder != r || others) {
			return false
		}
		db.value++
		db.locks[k], r.wrote[k] = r, true
		r.own[k] = append(r.own[k], db.value)
		x.mops = append(x.mops, smallOp{write: true, key: k, value: db.value})
		return true
	}
	if db.readLocks {
		if holder != nil && holder != r {
			return false
		}
		db.shared[k] = append(db.shared[k], r)
	}
	from := db.store[k]
	if db.snapshot {
		from = r.snapshot[k]
	}
	r.read[k] = r.read[k] || len(r.own[k]) == 0
	list := db.apply(from, r.own[k])
	if db.dirty && holder != nil {
		list = db.apply(from, holder.own[k])
	}
	x.mops = append(x.mops, smallOp{key: k, list: slices.Clone(list)})
	return true
}

// commits says whether a transaction may commit.
func (db *database) commits(r *running) bool {
	for k := range r.wrote {
		if db.snapshot && db.changed[k] > r.start {
			return false
		}
	}
	if !db.pivots {
		return true
	}
	in, out := r.in, r.out
	var missed, missing []*running
	for _, u := range append(slices.Clone(db.done), db.active[:]...) {
		if u == nil || u == r || u.committed > 0 && u.committed < r.start {
			continue
		}
		if u.committed > 0 && meet(r.read, u.wrote) {
			out, missed = true, append(missed, u)
		}
		if meet(u.read, r.wrote) {
			in, missing = true, append(missing, u)
		}
	}
	if in && out || slices.ContainsFunc(missed, func(u *running) bool { return u.out }) ||
		slices.ContainsFunc(missing, func(u *running) bool { return u.committed > 0 && u.in }) {
		return false
	}
	r.in, r.out = in, out
	for _, u := range missed {
		u.in = true
	}
	for _, u := range missing {
		u.out = true
	}
	return true
}

func meet(a, b map[int64]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

// end ends the transaction of a process, of which a crash may hide how.
func (db *database) end(p int, commits bool) {
	r := db.active[p]
	x := &db.txns[r.at]
	x.ret, x.outcome = db.clock, history.OK
	if !commits {
		x.outcome = history.Failed
	}
	if db.rng.IntN(12) == 0 {
		x.outcome = history.Maybe
		db.process[p] += int64(len(db.process))
	}
	if commits {
		for k, own := range r.own {
			db.store[k], db.changed[k] = db.apply(db.store[k], own), db.clock
		}
		r.committed = db.clock
		db.done = append(db.done, r)
	}
	for k := range int64(databaseKeys) {
		if db.locks[k] == r {
			delete(db.locks, k)
		}
		db.shared[k] = slices.DeleteFunc(db.shared[k], func(o *running) bool { return o == r })
	}
	db.active[p] = nil
}
