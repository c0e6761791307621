package link

import (
	"cmp"
	"net/netip"
	"os"
	"slices"
	"sync"
)

// Owners finds the instance that a socket belongs to. It is safe for concurrent use.
type Owners struct {
	instanceOf func(pid int) string
	self       int

	mu   sync.Mutex
	pids []process // of instances, the one that dialled last first
}

// process is a process of an instance. Start tells it from a later one with its pid.
type process struct {
	pid      int
	start    string
	instance string
}

// NewOwners returns Owners that ask instanceOf for the instance of a process. It
// returns "" for a process of none, and may be asked about any process of the machine.
func NewOwners(instanceOf func(pid int) string) *Owners {
	return &Owners{instanceOf: instanceOf, self: os.Getpid()}
}

// A Leak is a connection between two instances that passes no front.
type Leak struct {
	FromInstance, ToInstance string         // From dialled, where one end's port is listened on
	LocalAddr, RemoteAddr    netip.AddrPort // From's end and To's
}

// endpoint is one end of an established connection.
type endpoint struct {
	local, remote netip.AddrPort
	inode         uint32
}

// leaks pairs the ends of connections and keeps those that belong to two instances.
func leaks(ends []endpoint, listens map[uint16]bool, owner map[uint32]string) []Leak {
	byAddr := map[[2]netip.AddrPort]endpoint{}
	for _, e := range ends {
		byAddr[[2]netip.AddrPort{e.local, e.remote}] = e
	}
	var found []Leak
	for _, e := range ends {
		peer, ok := byAddr[[2]netip.AddrPort{e.remote, e.local}]
		from, to := owner[e.inode], owner[peer.inode]
		if !ok || from == "" || to == "" || from == to || !dialled(e, listens) {
			continue
		}
		found = append(found, Leak{from, to, e.local, e.remote})
	}
	slices.SortFunc(found, func(a, b Leak) int {
		return cmp.Or(cmp.Compare(a.FromInstance, b.FromInstance), cmp.Compare(a.ToInstance, b.ToInstance), a.LocalAddr.Compare(b.LocalAddr))
	})
	return found
}

// dialled says whether e is the dialler's end: the one whose port nobody listens on, and
// of two alike the one with the higher port.
func dialled(e endpoint, listens map[uint16]bool) bool {
	mine, theirs := listens[e.local.Port()], listens[e.remote.Port()]
	if mine != theirs {
		return theirs
	}
	return e.local.Port() > e.remote.Port() || e.local.Port() == e.remote.Port() && e.local.Compare(e.remote) > 0
}
