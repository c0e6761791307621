package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/sim/disk"
)

// A kindOfFault strikes once: it returns what is to be told and how it heals, nil where it has nothing to strike.
type kindOfFault struct {
	name   string
	strike func(*swarm) (what string, heal func())
}

func kindsOfFaults() []kindOfFault {
	return []kindOfFault{
		{"crash", (*swarm).crash},
		{"partition", (*swarm).partition},
		{"delay", func(w *swarm) (string, func()) {
			by := []time.Duration{20, 50, 100, 200, 500}[w.s.Choose(5)] * time.Millisecond
			return w.link(fmt.Sprintf("delay of %v", by), func(l *Link) { l.Latency += by })
		}},
		{"loss", func(w *swarm) (string, func()) {
			p := []float64{0.02, 0.1, 0.3, 0.5}[w.s.Choose(4)]
			return w.link(fmt.Sprintf("loss of %v", p), func(l *Link) { l.Loss = max(l.Loss, p) })
		}},
		{"reorder", func(w *swarm) (string, func()) {
			p := []float64{0.1, 0.3, 0.5}[w.s.Choose(3)]
			return w.link(fmt.Sprintf("reordering of %v", p), func(l *Link) { l.Late = max(l.Late, p) })
		}},
		{"duplicate", func(w *swarm) (string, func()) {
			p := []float64{0.1, 0.3, 0.5}[w.s.Choose(3)]
			return w.link(fmt.Sprintf("duplicates of %v", p), func(l *Link) { l.Duplicate = max(l.Duplicate, p) })
		}},
		{"clock", (*swarm).clock},
		{"disk", (*swarm).disk},
	}
}

// whole are the hosts that are neither down nor cut off, and how many of them may be.
func (w *swarm) whole() (hosts []*Host, most int) {
	w.s.pinned(func() {
		for _, h := range w.Hosts {
			if h.Up() && !w.hurt[h] {
				hosts = append(hosts, h)
			}
		}
		most = min(w.Down-len(w.hurt), len(hosts))
	})
	return hosts, most
}

func (w *swarm) mark(hosts []*Host, hurt bool) {
	w.s.pinned(func() {
		for _, h := range hosts {
			if delete(w.hurt, h); hurt {
				w.hurt[h] = true
			}
		}
	})
}

func (w *swarm) crash() (string, func()) {
	hosts, most := w.whole()
	if most < 1 {
		return "", nil
	}
	h := hosts[w.s.Choose(len(hosts))]
	w.mark([]*Host{h}, true)
	h.Crash()
	return "", func() {
		if !h.Up() { // else the test was first
			h.Restart()
		}
		w.mark([]*Host{h}, false)
	}
}

func (w *swarm) partition() (string, func()) {
	hosts, most := w.whole()
	all := w.s.hosts()
	if most < 1 || len(all) < 2 {
		return "", nil
	}
	var some []*Host
	for range 1 + w.s.Choose(min(most, len(all)-1)) {
		i := w.s.Choose(len(hosts))
		some = append(some, hosts[i])
		hosts = slices.Delete(hosts, i, i+1)
	}
	w.mark(some, true)
	ways := w.s.Choose(3)
	var cuts [][2]*Host
	for _, a := range some {
		for _, b := range all {
			if slices.Contains(some, b) {
				continue
			}
			if ways != 1 {
				cuts = append(cuts, [2]*Host{a, b})
			}
			if ways != 2 {
				cuts = append(cuts, [2]*Host{b, a})
			}
		}
	}
	for _, c := range cuts {
		w.s.Cut(c[0], c[1])
	}
	what := fmt.Sprintf("partition of %v: %s", names(some), []string{"cut off", "they hear nothing", "nobody hears them"}[ways])
	return what, func() {
		for _, c := range cuts {
			w.s.uncut(c[0], c[1])
		}
		w.mark(some, false)
	}
}

// link changes what happens between one of the hosts and any other.
func (w *swarm) link(what string, change func(*Link)) (string, func()) {
	all := w.s.hosts()
	if len(all) < 2 || len(w.Hosts) == 0 {
		return "", nil
	}
	a := w.Hosts[w.s.Choose(len(w.Hosts))]
	others := slices.DeleteFunc(all, func(h *Host) bool { return h == a })
	b := others[w.s.Choose(len(others))]
	return fmt.Sprintf("%s between %s and %s", what, a.name, b.name), w.s.bend(a, b, change)
}

func (w *swarm) clock() (string, func()) {
	if len(w.Hosts) == 0 {
		return "", nil
	}
	h := w.Hosts[w.s.Choose(len(w.Hosts))]
	by := []time.Duration{10 * time.Millisecond, time.Second, 30 * time.Second, 10 * time.Minute}[w.s.Choose(4)]
	if w.s.Choose(2) == 1 {
		by = -by
	}
	w.turn(h, by)
	return fmt.Sprintf("clock of %s jumps by %v", h.name, by), func() { w.turn(h, -by) }
}

func (w *swarm) turn(h *Host, by time.Duration) {
	var ahead time.Duration
	w.s.pinned(func() { ahead = h.clock.at(w.s.Now()) })
	h.Clock(ahead + by)
}

func (w *swarm) disk() (string, func()) {
	var with []*Host
	w.s.pinned(func() {
		for _, h := range w.Hosts {
			if h.disk != nil {
				with = append(with, h)
			}
		}
	})
	if len(with) == 0 {
		return "", nil
	}
	d := with[w.s.Choose(len(with))].Disk()
	f := []disk.Fault{
		{Kind: disk.Slow, Delay: 20 * time.Millisecond},
		{Kind: disk.Slow, Delay: 200 * time.Millisecond},
		{Kind: disk.Fail, On: disk.Sync, OneIn: 3},
		{Kind: disk.Fail, On: disk.Write, OneIn: 3},
		{Kind: disk.Full, Bytes: 1},
	}[w.s.Choose(5)]
	return "", d.Fault(f)
}
