package linear

import (
	"cmp"
	"context"
	"slices"

	"github.com/assay-dev/assay/verdict"
)

// A search looks for an order of a problem's operations: depth first, one operation after the other, never twice from one place
// (Wing and Gong 1993, Lowe 2017). A place is the first operation in order of return that is not ordered yet, the few that overlap
// it and are ordered, the state, and the pending operations that took effect; so memory follows concurrency.
//
// These rules leave out what changes no verdict:
//   - an operation that never changes the state, and fits it, comes at once: wherever it comes later, the rest stays an order;
//   - of operations of one class that may come next, the first to return comes first: any order can swap them;
//   - a pending operation comes only where the next operation could not have come the same without it;
//   - what overwrites every state comes only where something that waits can see it, or when it must; and when it must, it may have come
//     unseen, just before the last that overwrote all since its call;
//   - a place where more that only reads is ordered, with all else the same, is at least as good;
//   - where states only rise, a place is dead that is past what an operation needs which is not ordered yet.
type search struct {
	*problem
	uses   *uses
	seen   *seen
	steps  int64
	budget int64
	ctx    context.Context

	position int32 // the rank that must come before time goes on
	state    int32
	used     int32
	hides    int32    // how many arrivals were in the list when the state was last overwritten: those may hide before
	ordered  []uint64 // slots of ordered operations that return after position: those that change states
	read     []uint64 // and those that do not
	// The operations that were called by the return of position and are not ordered are a list, in order of call.
	next, prev []int32 // by rank; n is head and tail
	entered    int32   // how many arrivals were in the list

	moves    []move
	chains   []int32 // classes of pending operations, as places in waiting
	frames   []frame
	trail    []done
	best     []int32 // class: the first rank to return, in one round of offers
	round    []int32
	rounds   int32
	farthest int32
}

// A move takes pending operations and then one that returned.
type move struct {
	rank, state, used int32
	chain, chained    int32 // its pending operations: chains[chain:chained]
	hidden            bool  // it comes before what last overwrote the state
}

// A frame is a place with the moves that are left to try there.
type frame struct {
	moves, chains int32 // where its moves and chains begin
	at            int32 // the next move
	pending       bool  // its moves with pending operations were offered too
	trail         int32 // how many operations had come before it
}

// done is what undoing a move needs.
type done struct {
	rank                  int32
	position, state, used int32
	entered, hides        int32
	chain, chained        int32
	hidden                bool
}

// maxPlaces bounds what one search remembers, the same on every machine.
const maxPlaces = 1 << 26

// An outcome is what a search found.
type outcome struct {
	verdict  verdict.Verdict
	steps    int64
	farthest int32   // the greatest rank so that all before it, in order of return, could be ordered
	order    []int32 // places in the history, if there is an order
	stopped  string  // why it is unknown

	engine    string  // what found it; "" for a search
	monitored bool    // a monitor did
	core      []int32 // where it fails, operations that do; nil for all
}

func (p *problem) search(ctx context.Context, budget int64) outcome {
	n := len(p.index)
	s := &search{problem: p, uses: newUses(), seen: newSeen(p.words, p.readWords), budget: budget, ctx: ctx}
	s.ordered, s.read = make([]uint64, p.words), make([]uint64, p.readWords)
	s.next, s.prev = make([]int32, n+1), make([]int32, n+1)
	s.next[n], s.prev[n] = int32(n), int32(n)
	s.arriveAt(0)
	return s.run()
}

func (s *search) run() outcome {
	end := int32(len(s.index))
	for s.enter(); ; {
		if s.position == end {
			return outcome{verdict: verdict.Pass, steps: s.steps, farthest: end, order: s.order()}
		}
		if why := s.exhausted(); why != "" {
			return outcome{steps: s.steps, farthest: s.farthest, stopped: why}
		}
		f := &s.frames[len(s.frames)-1]
		if int(f.at) == len(s.moves) && !f.pending {
			f.pending = true
			s.offerPending()
		}
		if int(f.at) < len(s.moves) {
			m := s.moves[f.at]
			f.at++
			s.take(m)
			s.enter()
			continue
		}
		if len(s.frames) == 1 {
			return outcome{verdict: verdict.Fail, steps: s.steps, farthest: s.farthest}
		}
		s.leave()
	}
}

// exhausted says why the search must end, or nothing.
func (s *search) exhausted() string {
	switch {
	case s.steps > s.budget:
		return "the budget of steps was used up"
	case len(s.seen.nodes) > maxPlaces:
		return "it remembered as much as it may"
	case s.steps&1023 < 16 && s.ctx.Err() != nil:
		return "it was stopped"
	}
	return ""
}

// enter begins a place: what only reads comes at once, and if the place is new its moves are offered.
func (s *search) enter() {
	trail := int32(len(s.trail))
	s.absorb()
	s.farthest = max(s.farthest, s.position)
	f := frame{moves: int32(len(s.moves)), chains: int32(len(s.chains)), at: int32(len(s.moves)), trail: trail}
	s.frames = append(s.frames, f)
	if int(s.position) == len(s.index) {
		return
	}
	if !s.dead() && s.fresh() {
		s.offer()
	} else {
		s.frames[len(s.frames)-1].pending = true
	}
}

// fresh says whether the place is new, and none that is as good was there before.
func (s *search) fresh() bool {
	is, looked := s.seen.visit(s.uses, s.position, s.state, s.ordered, node{uses: s.used, hides: s.hides}, s.read)
	s.steps += looked
	return is
}

// leave goes back to the place before.
func (s *search) leave() {
	f := s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	s.moves, s.chains = s.moves[:f.moves], s.chains[:f.chains]
	for len(s.trail) > int(f.trail) {
		s.undo()
	}
	s.undo() // the move that led here
}

// absorb orders the operations that only read and fit the state.
func (s *search) absorb() {
	n := int32(len(s.index))
	for again := true; again; {
		again = false
		for rank := s.next[n]; rank != n; rank = s.next[rank] {
			if !s.pure[rank] {
				continue
			}
			s.steps++
			if s.machine.step(s.state, s.class[rank]) == s.state {
				before := s.position
				s.take(move{rank: rank, state: s.state, used: s.used})
				again = again || s.position != before
			}
		}
	}
}

// offer lists the moves without pending operations.
func (s *search) offer() {
	s.mark()
	n := int32(len(s.index))
	for rank := s.next[n]; rank != n; rank = s.next[rank] {
		if s.best[s.class[rank]] != rank {
			continue
		}
		s.steps++
		to := s.machine.step(s.state, s.class[rank])
		switch {
		case to == illegal, s.blind[rank] && rank != s.position && !s.useful(to):
			continue
		case s.blind[rank] && rank == s.position && s.arrival[rank] < s.hides:
			s.moves = append(s.moves, move{rank: rank, state: s.state, used: s.used, hidden: true})
		}
		s.moves = append(s.moves, move{rank: rank, state: to, used: s.used})
	}
	if s.byCall {
		return
	}
	moves := s.moves[s.frames[len(s.frames)-1].moves:]
	slices.SortStableFunc(moves, func(a, b move) int { return cmp.Compare(a.rank, b.rank) }) // what must come soonest first
}

// useful says whether something that waits sees a state that was just overwritten.
func (s *search) useful(state int32) bool {
	n := int32(len(s.index))
	for rank := s.next[n]; rank != n; rank = s.next[rank] {
		if s.blind[rank] || s.best[s.class[rank]] != rank {
			continue
		}
		s.steps++
		if s.machine.step(state, s.class[rank]) != illegal {
			return true
		}
	}
	for w := range s.waiting {
		s.steps++
		if to := s.machine.step(state, s.waiting[w].class); !s.waiting[w].blind && to != illegal && to != state {
			return true
		}
	}
	return false
}

// mark finds the first to return of each class.
func (s *search) mark() {
	s.rounds++
	n := int32(len(s.index))
	for rank := s.next[n]; rank != n; rank = s.next[rank] {
		class := s.class[rank]
		for int(class) >= len(s.round) {
			s.round, s.best = append(s.round, 0), append(s.best, 0)
		}
		if s.round[class] != s.rounds || rank < s.best[class] {
			s.round[class], s.best[class] = s.rounds, rank
		}
	}
}

// offerPending lists the moves that begin with pending operations.
func (s *search) offerPending() {
	if len(s.waiting) == 0 {
		return
	}
	s.mark()
	c := chain{search: s, start: len(s.chains)}
	c.extend(s.state, s.state, s.used, -1)
}

// A chain is pending operations that come one after the other before one that returned.
type chain struct {
	*search
	start   int
	classes []int32 // as places in waiting
	been    []node  // uses and states that a chain already led to
}

// extend goes on from a state that the last of the chain led to from before.
func (c *chain) extend(before, state, used, last int32) {
	for w := range c.waiting {
		class := &c.waiting[w]
		count := c.uses.count(used, int32(w))
		if int(count) == len(class.index) || class.from[count] > c.position || c.steps > c.budget {
			continue
		}
		c.steps++
		to := c.machine.step(state, class.class)
		if to == illegal || to == state || last >= 0 && to == c.machine.step(before, class.class) {
			continue
		}
		next := c.uses.with(used, int32(w))
		if !c.fresh(to, next) {
			continue
		}
		c.classes = append(c.classes, int32(w))
		c.offer(state, to, next)
		c.extend(state, to, next, int32(w))
		c.classes = c.classes[:len(c.classes)-1]
	}
}

func (c *chain) fresh(state, used int32) bool {
	for _, b := range c.been {
		if b.next == state && b.uses == used {
			return false
		}
	}
	c.been = append(c.been, node{uses: used, next: state})
	return true
}

// offer lists the operations that come after the chain, and could not have come the same without its last.
func (c *chain) offer(before, state, used int32) {
	n := int32(len(c.index))
	from := int32(-1)
	for rank := c.next[n]; rank != n; rank = c.next[rank] {
		class := c.class[rank]
		if c.best[class] != rank {
			continue
		}
		c.steps++
		to := c.machine.step(state, class)
		if to == illegal || to == c.machine.step(before, class) {
			continue
		}
		if from < 0 {
			from = int32(len(c.chains))
			c.chains = append(c.chains, c.classes...)
		}
		c.moves = append(c.moves, move{rank: rank, state: to, used: used, chain: from, chained: int32(len(c.chains))})
	}
}

// take makes a move.
func (s *search) take(m move) {
	s.trail = append(s.trail, done{m.rank, s.position, s.state, s.used, s.entered, s.hides, m.chain, m.chained, m.hidden})
	s.next[s.prev[m.rank]], s.prev[s.next[m.rank]] = s.next[m.rank], s.prev[m.rank]
	s.state, s.used = m.state, m.used
	if !m.hidden && s.overwrites(m) {
		s.hides = s.entered
	}
	s.flip(m.rank)
	for int(s.position) < len(s.index) && s.isOrdered(s.position) {
		s.flip(s.position)
		s.position++
		s.arriveAt(s.position)
	}
}

// undo takes back the last move, with all that it changed.
func (s *search) undo() {
	d := s.trail[len(s.trail)-1]
	s.trail = s.trail[:len(s.trail)-1]
	for n := int32(len(s.index)); s.entered > d.entered; s.entered-- {
		last := s.arrivals[s.entered-1]
		s.next[s.prev[last]], s.prev[n] = n, s.prev[last]
	}
	for ; s.position > d.position; s.position-- {
		s.flip(s.position - 1)
	}
	s.flip(d.rank)
	s.state, s.used, s.hides = d.state, d.used, d.hides
	s.next[s.prev[d.rank]], s.prev[s.next[d.rank]] = d.rank, d.rank
}

// arriveAt adds what is called up to the return of a rank.
func (s *search) arriveAt(position int32) {
	n := int32(len(s.index))
	if position == n {
		return
	}
	for ; s.entered < s.arrived[position]; s.entered++ {
		rank := s.arrivals[s.entered]
		s.prev[rank], s.next[rank] = s.prev[n], n
		s.next[s.prev[n]], s.prev[n] = rank, rank
	}
}

// overwrites says whether a move overwrites all states.
func (s *search) overwrites(m move) bool {
	for _, w := range s.chains[m.chain:m.chained] {
		if s.waiting[w].blind {
			return true
		}
	}
	return s.blind[m.rank]
}

func (s *search) bits(rank int32) (words []uint64, slot int32) {
	if s.pure[rank] {
		return s.read, s.slot[rank]
	}
	return s.ordered, s.slot[rank]
}

func (s *search) flip(rank int32) {
	words, slot := s.bits(rank)
	words[slot/64] ^= 1 << (slot % 64)
}

func (s *search) isOrdered(rank int32) bool {
	words, slot := s.bits(rank)
	return words[slot/64]>>(slot%64)&1 == 1
}

// order returns the operations in the order that was found. It is made from its end, since what is hidden comes before what last
// overwrote the state.
func (s *search) order() []int32 {
	var order, hidden []int32
	counts := make([]int32, len(s.waiting))
	for _, d := range s.trail {
		for _, w := range s.chains[d.chain:d.chained] {
			counts[w]++
		}
	}
	add := func(i int32, blind bool) {
		if order = append(order, i); blind {
			order, hidden = append(order, hidden...), hidden[:0]
		}
	}
	for _, d := range slices.Backward(s.trail) {
		if d.hidden {
			hidden = append(hidden, s.index[d.rank])
			continue
		}
		add(s.index[d.rank], s.blind[d.rank])
		for _, w := range slices.Backward(s.chains[d.chain:d.chained]) {
			counts[w]--
			add(s.waiting[w].index[counts[w]], s.waiting[w].blind)
		}
	}
	slices.Reverse(order)
	return order
}
