package link

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// socketQuery is the kernel's inet_diag_req_v2 for one TCP socket. netlink.SocketGet walks through
// all sockets, and compares ports alone.
type socketQuery struct{ local, remote netip.AddrPort }

// Len returns the size of the request.
func (q *socketQuery) Len() int { return 56 }

// Serialize returns the request.
func (q *socketQuery) Serialize() []byte {
	b := make([]byte, q.Len())
	b[0], b[1] = unix.AF_INET, unix.IPPROTO_TCP
	if q.local.Addr().Is6() {
		b[0] = unix.AF_INET6
	}
	binary.NativeEndian.PutUint32(b[4:], ^uint32(0)) // states: any
	binary.BigEndian.PutUint16(b[8:], q.local.Port())
	binary.BigEndian.PutUint16(b[10:], q.remote.Port())
	copy(b[12:28], q.local.Addr().AsSlice())
	copy(b[28:44], q.remote.Addr().AsSlice())
	binary.NativeEndian.PutUint32(b[48:], nl.TCPDIAG_NOCOOKIE)
	binary.NativeEndian.PutUint32(b[52:], nl.TCPDIAG_NOCOOKIE)
	return b
}

// inodeOf returns the inode of the socket with these addresses, its own and its peer's.
func inodeOf(local, remote netip.AddrPort) (uint32, error) {
	request := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, 0)
	request.AddData(&socketQuery{local, remote})
	answers, err := request.Execute(unix.NETLINK_INET_DIAG, nl.SOCK_DIAG_BY_FAMILY)
	if err != nil {
		return 0, fmt.Errorf("ask the kernel for the socket %s -> %s: %w", local, remote, err)
	}
	const inodeAt = 68 // in inet_diag_msg
	if len(answers) != 1 || len(answers[0]) < inodeAt+4 {
		return 0, fmt.Errorf("ask the kernel for the socket %s -> %s: %d answers", local, remote, len(answers))
	}
	return binary.NativeEndian.Uint32(answers[0][inodeAt:]), nil
}
