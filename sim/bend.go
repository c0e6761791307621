package sim

import "slices"

// A pair is one direction between two hosts, by their addresses; the zero value stands for all others.
type pair [2]uint32

// A bend changes what a link does for a while, on top of what the test has set.
type bend struct {
	pair   pair
	change func(*Link)
}

// bend changes both directions between two hosts until it is healed.
func (s *Sim) bend(a, b *Host, change func(*Link)) (heal func()) {
	there, back := &bend{pair{a.ip, b.ip}, change}, &bend{pair{b.ip, a.ip}, change}
	s.pinned(func() { s.world.bends = append(s.world.bends, there, back) })
	s.lay(there.pair)
	s.lay(back.pair)
	return func() {
		s.pinned(func() {
			s.world.bends = slices.DeleteFunc(s.world.bends, func(x *bend) bool { return x == there || x == back })
		})
		s.lay(there.pair)
		s.lay(back.pair)
	}
}

// setLink keeps what the test wants of a link, and lays it.
func (s *Sim) setLink(p pair, l Link) {
	var bent []pair
	s.pinned(func() {
		if s.world.links == nil {
			s.world.links = map[pair]Link{}
		}
		s.world.links[p] = l
		for _, b := range s.world.bends {
			bent = append(bent, b.pair)
		}
	})
	if p == (pair{}) {
		netLink(0, 0, l.spec())
		for _, b := range bent {
			s.lay(b)
		}
		return
	}
	s.lay(p)
}

// lay tells the network what a link does now.
func (s *Sim) lay(p pair) {
	var l Link
	own := false
	s.pinned(func() {
		if l, own = s.world.links[p]; !own {
			var all bool
			if l, all = s.world.links[pair{}]; !all {
				l = plainLink()
			}
		}
		for _, b := range s.world.bends {
			if b.pair == p {
				b.change(&l)
				own = true
			}
		}
	})
	if !own {
		netLink(p[0], p[1], nil) // like all others
		return
	}
	netLink(p[0], p[1], l.spec())
}

// uncut takes one cut of a direction back.
func (s *Sim) uncut(from, to *Host) {
	left := false
	p := [2]uint32{from.ip, to.ip}
	s.pinned(func() {
		if i := slices.Index(s.world.cuts, p); i >= 0 {
			s.world.cuts = slices.Delete(s.world.cuts, i, i+1)
		}
		left = slices.Contains(s.world.cuts, p)
	})
	if !left {
		netCut(from.ip, to.ip, false)
	}
}
