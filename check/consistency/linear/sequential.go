package linear

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const sequentialEngine = "search of the clients' orders"

// Sequential decides whether the operations on one object are sequentially consistent: whether they have an order that fits the
// model, and in which the operations of each client come as it called them. A pending operation takes effect after those before it,
// or never. Where a client does several things at once a fail is unknown, for its order is.
//
// All parts of an object are one here: each by itself may have such an order while the whole has none.
func Sequential(ctx context.Context, m Model, ops []history.Op, o Options) Result {
	if len(ops) == 0 {
		return nothing(m)
	}
	return sequential(ctx, m, ops, o).ordered(ops)
}

func sequential(ctx context.Context, m Model, ops []history.Op, o Options) Result {
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	if err := valid(m, ops); err != nil {
		return Result{Model: m.name, Reason: err.Error()}
	}
	res := Result{Model: m.name, Engine: sequentialEngine}
	var whole []int32
	returned := 0
	for i := range ops {
		if ops[i].Outcome != history.Failed {
			whole = append(whole, int32(i))
		}
		if ops[i].Outcome == history.OK {
			returned++
		}
	}
	steps := int64(0)
	var orders *forced
	if !o.Search {
		var f outcome
		f, orders = decideForced(m, ops, whole)
		if steps = f.steps; f.verdict == verdict.Fail {
			res.Verdict, res.Steps, res.Engine, res.Core, res.Until = f.verdict, steps, f.engine, f.core, forever
			return res.outOfOrder(ctx, m, ops, o)
		}
		// What has an order in real time nearly always has one for the clients: the same, which is found much sooner.
		timed := checkParts(ctx, m, ops, Options{Budget: o.Budget/4 + 1, Workers: o.Workers, WholeCore: true})
		if steps += timed.Steps; timed.Verdict == verdict.Pass && certifyOrder(m, ops, timed.Order, clientOrder{}) == nil {
			timed.Reason = fmt.Sprintf("%d operations have an order that fits the %s, real time and each client", len(timed.Order), m.name)
			return timed
		}
	}
	f := newSessions(m, ops, whole, orders).search(ctx, o.Budget)
	res.Verdict, res.Steps, res.Order, res.Good = f.verdict, steps+f.steps, f.order, int(f.farthest)
	switch f.verdict {
	case verdict.Pass:
		res.Reason = fmt.Sprintf("%d operations have an order that fits the %s and each client", len(f.order), m.name)
	case verdict.Unknown:
		res.Reason = fmt.Sprintf("no order was found nor ruled out: %s after %d steps, when at most %d of %d operations were ordered", f.stopped, f.steps, f.farthest, returned)
	case verdict.Fail:
		res.Core, res.Until = whole, forever
		return res.outOfOrder(ctx, m, ops, o)
	}
	return res
}

// outOfOrder makes the core of what is not sequentially consistent small, and puts it in words.
func (r Result) outOfOrder(ctx context.Context, m Model, ops []history.Op, o Options) Result {
	s := &shrinker{ctx: ctx, m: m, ops: ops, search: func(core []int32) outcome {
		f, orders := decideForced(m, ops, core)
		if f.verdict == verdict.Fail {
			return f
		}
		return newSessions(m, ops, core, orders).search(ctx, coreSteps)
	}}
	if !o.WholeCore {
		r.Core = s.shrink(r.Core, forever)
	}
	r.Steps += s.steps
	slices.SortStableFunc(r.Core, func(a, b int32) int { return cmp.Compare(ops[a].Call, ops[b].Call) })
	r.Reason = fmt.Sprintf("no order of the operations fits the %s and each client: %s", r.Model, tell(ops, r.Core, r.Until))
	return r
}

// sessions is the operations of each client, with numbers.
type sessions struct {
	machines []machine  // of each part
	clients  [][]single // those that returned, in order of call
	pending  []single
	left     int

	at    []int32 // client: how many are ordered
	state []int32 // part
	used  []byte  // pending: 1 if it took effect
	trail []int32
	seen  map[string]struct{}
	text  []byte
	guide *guide // nil: none

	steps, budget int64
	farthest      int
	ctx           context.Context
	stopped       string
}

// A single is one operation.
type single struct {
	i, part, class int32
	pure           bool
	client, after  int32 // pending: how many of its client come before it
}

func newSessions(m Model, ops []history.Op, members []int32, orders *forced) *sessions {
	s := &sessions{seen: map[string]struct{}{}}
	clients, parts := map[string]int32{}, map[string]int32{}
	members = slices.Clone(m.withoutUnseen(ops, members))
	slices.SortStableFunc(members, func(a, b int32) int { return cmp.Compare(ops[a].Call, ops[b].Call) })
	for _, i := range members {
		op := &ops[i]
		client, ok := clients[op.Client]
		if !ok {
			client = int32(len(s.clients))
			clients[op.Client], s.clients = client, append(s.clients, nil)
		}
		name := ""
		if m.partition != nil {
			name = text(m.partition(op))
		}
		part, ok := parts[name]
		if !ok {
			part = int32(len(s.machines))
			parts[name], s.machines = part, append(s.machines, m.start())
		}
		one := single{i, part, s.machines[part].class(op), m.reads(op), client, int32(len(s.clients[client]))}
		switch {
		case op.Outcome == history.OK:
			s.clients[client] = append(s.clients[client], one)
			s.left++
		case !one.pure:
			s.pending = append(s.pending, one)
		}
	}
	s.follow(newGuide(orders, m, members), clients)
	s.at, s.state, s.used = make([]int32, len(s.clients)), make([]int32, len(s.machines)), make([]byte, len(s.pending))
	return s
}

func (s *sessions) search(ctx context.Context, budget int64) outcome {
	s.ctx, s.budget = ctx, budget
	total := s.left
	found := s.next()
	f := outcome{steps: s.steps, farthest: int32(s.farthest), stopped: s.stopped}
	switch {
	case found:
		f.verdict, f.order, f.farthest = verdict.Pass, s.trail, int32(total)
	case s.stopped == "":
		f.verdict = verdict.Fail
	}
	return f
}

// next orders the rest.
func (s *sessions) next() bool {
	trail := len(s.trail)
	absorbed := s.absorb()
	s.farthest = max(s.farthest, len(s.trail))
	if s.left == 0 {
		return true
	}
	if s.fresh() && (s.tryReturned() || s.tryPending()) {
		return true
	}
	for _, client := range absorbed {
		s.at[client]--
		s.left++
		i := s.clients[client][s.at[client]].i
		if s.guide != nil {
			s.guide.undo(i, s.guide.current[s.guide.of[i].key])
		}
	}
	s.trail = s.trail[:trail]
	return false
}

// absorb takes what only reads and fits: it may as well come now.
func (s *sessions) absorb() []int32 {
	var clients []int32
	for again := true; again; {
		again = false
		for client, line := range s.clients {
			for int(s.at[client]) < len(line) {
				o := line[s.at[client]]
				if s.steps++; !o.pure || s.machines[o.part].step(s.state[o.part], o.class) != s.state[o.part] {
					break
				}
				s.at[client]++
				s.left--
				s.trail = append(s.trail, o.i)
				s.guide.take(o.i)
				clients = append(clients, int32(client))
			}
		}
	}
	return clients
}

// fresh says whether the search has not been here.
func (s *sessions) fresh() bool {
	if s.steps > s.budget || len(s.seen) > maxPlaces/16 {
		s.stopped = "the budget of steps was used up"
	} else if s.ctx.Err() != nil {
		s.stopped = "it was stopped"
	}
	if s.stopped != "" {
		return false
	}
	b := s.text[:0]
	for _, n := range s.at {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, n := range s.state {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = append(b, s.used...)
	s.text = b
	if _, ok := s.seen[string(b)]; ok {
		return false
	}
	s.seen[string(b)] = struct{}{}
	return true
}

func (s *sessions) tryReturned() bool {
	for client, line := range s.clients {
		if int(s.at[client]) == len(line) {
			continue
		}
		o := line[s.at[client]]
		before := s.state[o.part]
		to := s.machines[o.part].step(before, o.class)
		if s.steps++; to == illegal || s.guide != nil && !s.guide.mayCome(o.i, s) {
			continue
		}
		s.state[o.part], s.trail = to, append(s.trail, o.i)
		s.at[client]++
		s.left--
		last := s.guide.take(o.i)
		if s.next() {
			return true
		}
		s.guide.undo(o.i, last)
		s.at[client]--
		s.left++
		s.state[o.part], s.trail = before, s.trail[:len(s.trail)-1]
	}
	return false
}

func (s *sessions) tryPending() bool {
	for n, o := range s.pending {
		if s.used[n] == 1 || o.after > s.at[o.client] {
			continue
		}
		before := s.state[o.part]
		to := s.machines[o.part].step(before, o.class)
		if s.steps++; to == illegal || to == before || s.guide != nil && !s.guide.mayCome(o.i, s) {
			continue
		}
		s.state[o.part], s.trail, s.used[n] = to, append(s.trail, o.i), 1
		last := s.guide.take(o.i)
		if s.next() {
			return true
		}
		s.guide.undo(o.i, last)
		s.state[o.part], s.trail, s.used[n] = before, s.trail[:len(s.trail)-1], 0
	}
	return false
}
