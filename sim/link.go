package sim

import (
	"fmt"
	"time"
)

// A Link is what happens to what is sent in one direction from one host to another. The zero value is a
// perfect one, on which nothing takes time.
type Link struct {
	Latency time.Duration // of everything
	Jitter  time.Duration // up to so much more, or as Spread has it
	Spread  Spread        // how the jitter is spread
	// Chances from 0 to 1. Of TCP a lost segment is sent again, after 200 ms and more.
	Loss      float64
	Duplicate float64 // of datagrams
	Late      float64 // of datagrams: overtaken by others
	Rate      int64   // bytes a second, 0 for no limit
}

// netLinkSpec is laid out like the struct in the overlay's net.
type netLinkSpec struct {
	latency, jitter       int64
	loss, duplicate, late uint32
	rate                  int64
	spread                *[17]int32
}

func (l Link) spec() *netLinkSpec {
	ppm := func(p float64) uint32 { return uint32(min(max(p, 0), 1) * 1e6) }
	return &netLinkSpec{int64(l.Latency), int64(l.Jitter), ppm(l.Loss), ppm(l.Duplicate), ppm(l.Late), l.Rate, l.Spread.steps()}
}

// must panics where a link makes no sense.
func (l Link) must() {
	for _, c := range []struct {
		what string
		p    float64
	}{{"Loss", l.Loss}, {"Duplicate", l.Duplicate}, {"Late", l.Late}} {
		if !(c.p >= 0 && c.p <= 1) { // nor is it NaN
			panic(fmt.Sprintf("sim: Link.%s is %v: it is a chance, from 0 to 1", c.what, c.p))
		}
	}
	if l.Latency < 0 || l.Jitter < 0 || l.Rate < 0 {
		panic(fmt.Sprintf("sim: a link with a latency of %v, a jitter of %v and a rate of %d: none may be below 0", l.Latency, l.Jitter, l.Rate))
	}
}

// Links sets what all links do that are not set by themselves. At first they have a latency of 1 ms and as much jitter.
func (s *Sim) Links(l Link) {
	l.must()
	s.needs("Sim.Links")
	s.setLink(pair{}, l)
}

// Link sets what the link from one host to another does: one direction.
func (s *Sim) Link(from, to *Host, l Link) {
	l.must()
	s.setLink(pair{from.ip, to.ip}, l)
}

// plainLink is what all links do at first.
func plainLink() Link { return Link{Latency: time.Millisecond, Jitter: time.Millisecond} }

// Cut cuts the direction from one host to another, until Heal. Datagrams are lost; of connections, what is
// sent meanwhile arrives after the heal, and new ones are tried again and again.
func (s *Sim) Cut(from, to *Host) {
	s.pinned(func() { s.world.cuts = append(s.world.cuts, [2]uint32{from.ip, to.ip}) })
	netCut(from.ip, to.ip, true)
}

// Partition cuts all links between the hosts of some and those of the others, in both directions.
func (s *Sim) Partition(some, others []*Host) {
	s.Event("partition of %v from %v", names(some), names(others))
	for _, a := range some {
		for _, b := range others {
			s.Cut(a, b)
			s.Cut(b, a)
		}
	}
}

// Isolate cuts a host off from all others.
func (s *Sim) Isolate(h *Host) {
	var others []*Host
	for _, o := range s.hosts() {
		if o != h {
			others = append(others, o)
		}
	}
	s.Partition([]*Host{h}, others)
}

// Heal ends all cuts and partitions.
func (s *Sim) Heal() {
	s.Event("heal")
	var cuts [][2]uint32
	s.pinned(func() { cuts, s.world.cuts = s.world.cuts, nil })
	for _, c := range cuts {
		netCut(c[0], c[1], false)
	}
}

func names(hosts []*Host) []string {
	var all []string
	for _, h := range hosts {
		all = append(all, h.name)
	}
	return all
}
