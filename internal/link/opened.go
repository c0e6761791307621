package link

import (
	"net"
	"slices"

	"github.com/assay-dev/assay/system"
)

// An Opened is a front that can be closed before its Mesh is. Its methods are safe for concurrent use.
type Opened struct{ f *front }

// Serve opens a front on a listener that is there already, and owns it from here, also where it
// fails. f.Addr is taken from it. Front.Src must not be empty, since what is counted is counted by it.
func (m *Mesh) Serve(l *net.TCPListener, f Front) (*Opened, error) {
	f.Addr = addrPort(l.Addr())
	opened := &Opened{newFront(m, f, l)}
	if err := m.open(opened.f); err != nil {
		return nil, err
	}
	return opened, nil
}

// Close closes the front, ends its connections, dials that are under way too, and returns when all
// are gone. What was passed on arrives; the rules stay. A second call does nothing.
func (o *Opened) Close() error {
	err := o.shut()
	o.f.serving.Wait()
	return err
}

func (o *Opened) shut() error {
	m := o.f.mesh
	m.arming.Lock()
	defer m.arming.Unlock()
	if !m.remove(o.f) {
		return nil
	}
	err := o.f.close()
	for _, c := range m.connections() {
		if c.front == o.f {
			c.hangUp()
		}
	}
	return err
}

// remove takes the front from the mesh, and says whether it was there.
func (m *Mesh) remove(f *front) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || f.gone {
		return false
	}
	f.gone = true
	m.fronts = slices.DeleteFunc(slices.Clone(m.fronts), func(other *front) bool { return other == f })
	return true
}

// Count returns the counters of one link, all zero for one that was never used.
func (m *Mesh) Count(link system.Link) system.LinkStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.lanes[link]; ok {
		return l.stats()
	}
	return system.LinkStats{Link: link}
}

// Forget drops the counters of a link that no front leads to any more, and whose rules are cleared.
func (m *Mesh) Forget(link system.Link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.lanes[link]; ok && l.idle() {
		delete(m.lanes, link)
	}
	delete(m.dials, link)
}
