package sim

import (
	"slices"
	"time"
)

// Traffic is what passed, or did not, in one direction from one host to another since the simulation began. None of it ever gets less.
type Traffic struct {
	BytesIn  int64 // that were sent
	BytesOut int64 // those of them that arrive
	Chunks   int64 // segments and datagrams that arrive
	Dials    int64 // connections that the one made to the other
	Stalled  int64 // tries to connect that a cut left without an answer
	Held     int64 // chunks that a cut kept back, or took
	Lost     int64 // chunks that were lost; one of TCP each time that it was
	Waits    int64 // chunks that waited for the link's rate
	Waited   time.Duration
	// Residence counts chunks by how long they took: bucket i those of [2^i, 2^(i+1)) microseconds, bucket 0 also all below.
	Residence [36]int64
}

// counts is laid out like the struct in the overlay's net.
type counts struct {
	in, out        int64
	chunks         int64
	dials, stalled int64
	held, lost     int64
	waits, waited  int64
	residence      [36]int64
}

// Traffic returns what passed from one host to another.
func (s *Sim) Traffic(from, to *Host) Traffic {
	var c counts
	netCount(from.ip, to.ip, &c)
	return Traffic{BytesIn: c.in, BytesOut: c.out, Chunks: c.chunks, Dials: c.dials, Stalled: c.stalled, Held: c.held, Lost: c.lost,
		Waits: c.waits, Waited: time.Duration(c.waited), Residence: c.residence}
}

// Bend changes what the link from one host to another does, on top of what Link and Links have set, until it is healed. Several bends
// of a link are laid on one another.
func (s *Sim) Bend(from, to *Host, change func(*Link)) (heal func()) {
	b := &bend{pair{from.ip, to.ip}, change}
	s.pinned(func() { s.world.bends = append(s.world.bends, b) })
	s.lay(b.pair)
	return func() {
		s.pinned(func() {
			s.world.bends = slices.DeleteFunc(s.world.bends, func(x *bend) bool { return x == b })
		})
		s.lay(b.pair)
	}
}

// Mend takes one cut of a direction back, where there may be several.
func (s *Sim) Mend(from, to *Host) { s.uncut(from, to) }

// Incarnation tells one run of the host from another: it is another number after each start, and 0 while it is down.
func (h *Host) Incarnation() int { return int(h.id.Load()) }
