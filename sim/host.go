package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// world is what a simulation is made of besides goroutines. Sim.pinned guards it.
type world struct {
	hosts  []*Host // in order of creation; a host's place is its address
	byID   []*Host // by incarnation, from 1
	cuts   [][2]uint32
	links  map[pair]Link // as the test has set them
	bends  []*bend       // in order
	booted uint32        // incarnations so far
	disks  DiskOptions
	// Of disks below package os: numbers of files so far, and mappings.
	numbers uintptr
	mapped  []mapping
}

// A Host is a machine of the simulation: goroutines that die together, an address, a clock. Code on it uses
// package net as ever: it listens on the host's address, and names of hosts resolve.
//
// Package variables belong to the process, not to the host: a crash does not reset them.
type Host struct {
	s    *Sim
	name string
	ip   uint32
	id   atomic.Uint32 // incarnation, 0 while it is down
	boot func()        // guarded by Sim.pinned, like clock and gone
	gone chan struct{} // closed when the incarnation ends
	clock
	disk *Disk // nil before it is asked for; guarded by Sim.pinned
}

// Host returns the host of a name, which is made, and up, when it is first asked for. Large and small letters of names are one, as ever.
func (s *Sim) Host(name string) *Host {
	if _, err := netip.ParseAddr(name); name == "" || err == nil {
		panic(fmt.Sprintf("sim: Host(%q): a host has a name, by which it is found", name))
	}
	s.needs("Sim.Host")
	var h *Host
	made := false
	s.pinned(func() {
		for _, o := range s.world.hosts {
			if strings.EqualFold(o.name, name) {
				h = o
				return
			}
		}
		n := uint32(len(s.world.hosts) + 1)
		h = &Host{s: s, name: name, ip: 10<<24 | n/250<<8 | n%250 + 1}
		s.world.hosts = append(s.world.hosts, h)
		made = true
	})
	if made {
		h.begin()
	}
	return h
}

// begin gives the host a new incarnation.
func (h *Host) begin() {
	h.s.pinned(func() {
		h.s.world.booted++
		id := h.s.world.booted
		h.s.world.byID = append(h.s.world.byID, h)
		h.clock.tell(id, h.s.Now())
		h.gone = make(chan struct{})
		netHost(id, h.ip, h.name)
		h.id.Store(id)
	})
}

// Name is the host's name, which resolves to its address.
func (h *Host) Name() string { return h.name }

// Addr is the host's address.
func (h *Host) Addr() netip.Addr {
	return netip.AddrFrom4([4]byte{byte(h.ip >> 24), byte(h.ip >> 16), byte(h.ip >> 8), byte(h.ip)})
}

// Up reports whether the host runs.
func (h *Host) Up() bool { return h.id.Load() != 0 }

// Go runs f on the host, in a goroutine of its own. On a host that is down nothing happens. What f starts runs on the host, too.
func (h *Host) Go(f func()) {
	rtPin(1) // or a crash of the host, between these lines, would be the caller's
	if id := h.id.Load(); id != 0 {
		was := rtSetHost(id)
		go f()
		rtSetHost(was)
	}
	rtPin(-1)
}

// Do runs f on the host and waits for it. It reports false where the host is down, or crashed before f returned.
func (h *Host) Do(f func()) bool {
	done := make(chan struct{})
	var gone chan struct{}
	h.s.pinned(func() {
		if !h.Up() {
			return
		}
		gone = h.gone
		h.Go(func() {
			defer close(done)
			f()
		})
	})
	if gone == nil {
		return false
	}
	select {
	case <-done:
		return true
	case <-gone:
	}
	rtCrash(0) // what the host did came before
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Boot runs f on the host now, and again after each Restart: what a machine starts by itself.
func (h *Host) Boot(f func()) {
	h.s.pinned(func() { h.boot = f })
	h.Go(f)
}

// Crash ends the host as a power cut does: its goroutines stop where they stand, without their deferred
// functions; its connections are gone, and nobody is told. It may be called on the host itself, and does not return then.
// All that they did happened before Crash returns; locks that they held stay locked.
func (h *Host) Crash() {
	if h.Up() {
		h.s.Event("crash of %s", h.name)
	}
	h.end()
}

// end ends the host's incarnation, with nothing of the simulation in between. Of the host's own goroutines it does not return,
// and the runtime takes the pin back.
func (h *Host) end() {
	rtPin(1)
	id := h.id.Swap(0)
	if id != 0 {
		netCrash(id)
		h.halt()
		h.s.pinned(func() { close(h.gone) })
	}
	rtCrash(id)
	rtPin(-1)
}

// Restart crashes the host if it is up, and starts it again: f of Boot runs.
func (h *Host) Restart() {
	if id := h.id.Load(); id != 0 && rtHost() == id {
		panic("sim: a host cannot restart itself: it would not be there to do so")
	}
	h.Crash()
	h.recover()
	h.begin()
	h.s.Event("start of %s", h.name)
	var boot func()
	h.s.pinned(func() { boot = h.boot })
	if boot != nil {
		h.Go(boot)
	}
}

// hostName is the host that the goroutine runs on, "" for none. The caller holds the lock.
func (s *Sim) hostName() string { return s.hostOf(rtHost()) }

// hostname is what the overlay's package os asks for: the name of the goroutine's host, "" for none.
func hostname() (name string) {
	if s := current.Load(); s != nil {
		s.pinned(func() { name = s.hostName() })
	}
	return name
}

// hosts are all there are so far, in order of creation.
func (s *Sim) hosts() (all []*Host) {
	s.pinned(func() { all = slices.Clone(s.world.hosts) })
	return all
}

// endHosts ends all goroutines of hosts, so that the simulation can end.
func (s *Sim) endHosts() {
	for _, h := range s.hosts() {
		h.end()
	}
	if s.controlled {
		netEnd()
	}
}

// String is how a host prints.
func (h *Host) String() string { return fmt.Sprintf("%s (%v)", h.name, h.Addr()) }
