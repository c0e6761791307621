package txn

// all tries every order that can be told apart: a unit that only reads runs as soon as it can, which takes nothing from the others,
// and two ways to the same state go on alike.
func (s *scheduler) all(state [2]uint64) ending {
	if len(s.order) == s.total {
		return found
	}
	if s.tried[state] {
		return none
	}
	s.steps -= len(s.done)
	if s.steps < 0 || s.stop() {
		return outOfSteps
	}
	s.tried[state] = true
	var choices []int32
	for u := range int32(len(s.done)) {
		if s.done[u] || s.before[u] > 0 || !s.live[s.txn(u)] || s.blocked(u) >= 0 {
			continue
		}
		if !s.changes(u) {
			choices = append(choices[:0], u)
			break
		}
		choices = append(choices, u)
	}
	for _, u := range choices {
		undo := s.remember(u)
		s.run(u, nil)
		if end := s.all(s.state()); end != none {
			return end
		}
		s.undo(u, undo)
	}
	return none
}

// changes says whether a unit does more than read.
func (s *scheduler) changes(unit int32) bool {
	touches, _, _ := s.of(unit)
	for _, x := range touches {
		if x.write >= 0 {
			return true
		}
	}
	return false
}

// state returns what is done, and the versions that somebody is left to read.
func (s *scheduler) state() [2]uint64 {
	var sum [2]uint64
	add := func(x uint64) {
		a := mix(x + 1)
		sum[0] += a
		sum[1] += mix(a ^ 0x5851f42d4c957f2d)
	}
	for u, done := range s.done {
		if done {
			add(uint64(u))
		}
	}
	for k, v := range s.now {
		if s.left[v] > 0 {
			add(uint64(k+1)<<32 | uint64(v))
		}
	}
	return sum
}

// remember returns the versions and holds that running a unit replaces.
func (s *scheduler) remember(unit int32) []int32 {
	touches, _, _ := s.of(unit)
	var was []int32
	for _, x := range touches {
		held := int32(0)
		if s.held[x.key] {
			held = 1
		}
		was = append(was, s.now[x.key], held)
	}
	return was
}

func (s *scheduler) undo(unit int32, was []int32) {
	touches, reads, _ := s.of(unit)
	for i, x := range touches {
		if reads && x.read >= 0 {
			s.left[x.read]++
		}
		s.now[x.key], s.held[x.key] = was[2*i], was[2*i+1] == 1
	}
	s.done[unit] = false
	s.order = s.order[:len(s.order)-1]
	s.unfollow(unit)
}

func (s *scheduler) unfollow(v int32) {
	for e := s.g.start[v]; e < s.g.start[v+1]; e++ {
		w := s.g.dst[e]
		if int(w) >= s.g.txns && s.before[w] == 0 {
			s.unfollow(w)
		}
		s.before[w]++
	}
}
