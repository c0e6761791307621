package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Owner returns the instance that owns the socket with these addresses, its own and its
// peer's, and whether one does. The kernel names the socket's inode, and /proc the process.
func (o *Owners) Owner(local, remote netip.AddrPort) (string, bool) {
	inode, err := inodeOf(local, remote)
	if err != nil || inode == 0 {
		return "", false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if name, ok := o.holder(inode); ok {
		return name, true
	}
	o.scan()
	return o.holder(inode)
}

// holder looks through the known processes for one that has the socket open, and
// moves it to the front, since who dialled will dial again.
func (o *Owners) holder(inode uint32) (string, bool) {
	want := fmt.Sprintf("socket:[%d]", inode)
	for i, p := range o.pids {
		if !hasOpen(p.pid, want) || startOf(p.pid) != p.start {
			continue
		}
		copy(o.pids[1:i+1], o.pids[:i])
		o.pids[0] = p
		return p.instance, true
	}
	return "", false
}

// scan learns which processes belong to instances. Known ones keep their place.
func (o *Owners) scan() {
	known := o.pids
	o.pids = slices.DeleteFunc(known, func(p process) bool { return startOf(p.pid) != p.start })
	for _, pid := range allPIDs() {
		if pid == o.self || slices.ContainsFunc(o.pids, func(p process) bool { return p.pid == pid }) {
			continue
		}
		if name := o.instanceOf(pid); name != "" {
			o.pids = append(o.pids, process{pid, startOf(pid), name})
		}
	}
}

func allPIDs() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// startOf returns when the process started, "" if there is none: field 22 of its stat,
// counted behind the name, which may hold spaces.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

func hasOpen(pid int, want string) bool {
	found := false
	eachOpen(pid, func(target string) bool {
		found = target == want
		return !found
	})
	return found
}

// eachOpen calls on with what each file descriptor of the process refers to, until on returns false.
func eachOpen(pid int, on func(target string) bool) {
	path := fmt.Sprintf("/proc/%d/fd", pid)
	dir, err := os.Open(path)
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		target, err := os.Readlink(path + "/" + name)
		if err == nil && !on(target) {
			return
		}
	}
}

// Leaks returns the established TCP connections whose ends belong to two different
// instances, and so pass no front. Connections inside one instance are none, and
// neither are those of this process.
func (o *Owners) Leaks() ([]Leak, error) {
	ends, listens, err := sockets()
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	return leaks(ends, listens, o.inodes()), nil
}

// inodes returns the instance of every socket that an instance has open.
func (o *Owners) inodes() map[uint32]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.scan()
	owner := map[uint32]string{}
	for _, p := range o.pids {
		eachOpen(p.pid, func(target string) bool {
			text, ok := strings.CutPrefix(target, "socket:[")
			if inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 32); ok && err == nil {
				owner[uint32(inode)] = p.instance
			}
			return true
		})
	}
	return owner
}

// sockets returns the ends of all established TCP connections, and the ports that are listened on.
func sockets() (ends []endpoint, listens map[uint16]bool, err error) {
	listens = map[uint16]bool{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		all, err := netlink.SocketDiagTCP(family)
		if err != nil && !tolerable(family, err) {
			return nil, nil, fmt.Errorf("ask the kernel for sockets: %w", err)
		}
		for _, s := range all {
			switch s.State {
			case netlink.TCP_LISTEN:
				listens[s.ID.SourcePort] = true
			case netlink.TCP_ESTABLISHED:
				ends = append(ends, endpoint{socketAddr(s.ID.Source, s.ID.SourcePort), socketAddr(s.ID.Destination, s.ID.DestinationPort), s.INode})
			}
		}
	}
	return ends, listens, nil
}

// tolerable says that an answer does without: sockets that came and went while the kernel
// listed them are no standing leak, and a system may have no IPv6.
func tolerable(family uint8, err error) bool {
	return errors.Is(err, netlink.ErrDumpInterrupted) || family == unix.AF_INET6 && errors.Is(err, unix.ENOENT)
}

// socketAddr unmaps IPv4 in IPv6, so that the ends of one connection compare equal.
func socketAddr(ip net.IP, port uint16) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr.Unmap(), port)
}
