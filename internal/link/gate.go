package link

import (
	"fmt"
	"net"
	"slices"
	"time"
)

// A gate is what a front does with new dials before anybody accepts them.
type gate uint8

const (
	gateOpen    gate = iota
	gateSilent       // SYNs get no answer
	gateRefused      // ECONNREFUSED
)

// asks says that only Pick knows whom the front could reach.
func (f *front) asks() bool {
	return f.Src != "" && f.Instances == nil && f.mesh.opts.ServiceOf(f.Host) == f.Host
}

// reachable returns the instances that the front could reach.
func (f *front) reachable() []string {
	if f.Instances != nil {
		return f.Instances
	}
	if !f.asks() {
		return []string{f.Host}
	}
	var found []string
	for n := uint64(1); n <= 64; n++ {
		if name, _, ok := f.Pick(f.Src, n); ok && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// settle brings the gate to what the rules want. The caller holds Mesh.arming.
func (f *front) settle() error {
	if f.Src == "" {
		return nil
	}
	targets := []string(nil)
	if f.mesh.mayGate() {
		targets = f.reachable()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	want := f.wants(targets)
	if want == f.gate {
		return nil
	}
	if err := f.shift(want); err != nil {
		return fmt.Errorf("front %s of %s for %s: %w", f.Addr, f.Src, f.Host, err)
	}
	f.targets = targets
	return nil
}

func (f *front) isGated() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gate != gateOpen
}

// wants returns the gate that fits the rules towards all targets. Where they differ it is open,
// and each connection is judged after accept.
func (f *front) wants(targets []string) gate {
	all := func(holds func(there, back *lane) bool) bool {
		for _, t := range targets {
			if !holds(f.mesh.lane(f.Src, t), f.mesh.lane(t, f.Src)) {
				return false
			}
		}
		return len(targets) > 0
	}
	if all(func(there, back *lane) bool { return there.effect.Load().cut || back.effect.Load().cut }) {
		return gateSilent
	}
	if all(func(there, _ *lane) bool { return there.effect.Load().refuse && there.proven.Load() }) {
		return gateRefused
	}
	return gateOpen
}

// shift changes the gate. A gate that this system cannot close stays open, and
// connections are stalled or reset after accept instead.
func (f *front) shift(want gate) error {
	f.harvestLocked()
	if f.gate == gateOpen {
		f.pause()
	}
	var err error
	switch want {
	case gateSilent:
		err = f.silence()
	case gateRefused:
		err = f.refuseDials()
	}
	if err != nil {
		want = gateOpen
	}
	if want == gateOpen {
		if err := f.listenAgain(); err != nil {
			f.gate = gateRefused // what a socket that cannot listen does
			return err
		}
		f.resume()
	}
	f.gate = want
	return nil
}

// pause takes the accept loop off the listener.
func (f *front) pause() {
	_ = f.listener.SetDeadline(time.Unix(1, 0))
	f.accepting.Lock()
}

func (f *front) resume() {
	_ = f.listener.SetDeadline(time.Time{})
	f.accepting.Unlock()
}

// isFiller says whether c is the other end of a filler, and closes that filler.
func (f *front) isFiller(c *net.TCPConn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := addrPort(c.RemoteAddr())
	filler, ok := f.fillers[at]
	delete(f.fillers, at)
	if filler != nil {
		reset(filler)
	}
	return ok
}

func (f *front) closeFillers() {
	for _, filler := range f.fillers {
		if filler != nil {
			reset(filler)
		}
	}
	f.fillers = nil
}

// harvest counts the dials that the kernel left unanswered, dealt to the targets in turn.
func (f *front) harvest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.harvestLocked()
}

func (f *front) harvestLocked() {
	if f.gate != gateSilent || f.closed {
		return
	}
	drops, ok := f.kernelDrops()
	if !ok {
		return
	}
	for range drops - f.drops {
		target := f.targets[f.dropped%uint64(len(f.targets))]
		there, back := f.mesh.lane(f.Src, target), f.mesh.lane(target, f.Src)
		there.dialled(1)
		stallDial(there, back, there.effect.Load().cuts, back.effect.Load().cuts)
		f.dropped++
	}
	f.drops = drops
}
