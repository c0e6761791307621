package plain

import (
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
)

const (
	firstSlot = 16
	lastSlot  = 250
	guardPort = 61023
)

// claimSlot takes a network 127.S.0.0/16 for one environment. The claim is a
// listener, so the kernel gives the slot back however the process ends. The
// search starts at a hash of the id: then two environments seldom meet, and a
// new one seldom follows one whose processes are still dying.
func claimSlot(id string) (prefix string, guard net.Listener, err error) {
	sockets, err := listeners()
	if err != nil {
		return "", nil, fmt.Errorf("look for a free network: %w", err)
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	const slots = lastSlot - firstSlot + 1
	var last error
	for i := range slots {
		slot := firstSlot + (int(h.Sum32()%slots)+i)%slots
		if occupied(slot, sockets) {
			continue
		}
		prefix = fmt.Sprintf("127.%d", slot)
		guard, last = net.Listen("tcp4", fmt.Sprintf("%s.%d.254:%d", prefix, guardOctet, guardPort))
		if last == nil {
			return prefix, guard, nil
		}
	}
	return "", nil, fmt.Errorf("no free network in 127.%d.0.0 to 127.%d.0.0 (last: %v): %d environments run already, or something listens on 0.0.0.0:%d",
		firstSlot, lastSlot, last, slots, guardPort)
}

// occupied says whether anything listens in the slot, such as what a dead
// environment's daemonised child has left.
func occupied(slot int, sockets []listener) bool {
	network := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, byte(slot), 0, 0}), 16)
	for _, socket := range sockets {
		if network.Contains(socket.Addr.Addr()) {
			return true
		}
	}
	return false
}
