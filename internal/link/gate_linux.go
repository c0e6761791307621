package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tcpClose is the kernel's TCP_CLOSE.
const tcpClose = 7

// isAborted says whether the connection is gone.
func isAborted(fd uintptr) bool {
	info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO)
	return err == nil && info.State == tcpClose
}

// control calls do with the listener's file descriptor.
func (f *front) control(do func(fd int) error) error {
	raw, err := f.listener.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = do(int(fd)) })
	return errors.Join(err, inner)
}

// silence shrinks the backlog to nothing and fills the one place that is left, so that the
// kernel drops every SYN. Connections already in the backlog fill it as well; they
// are served after the heal. The caller holds accepting.
func (f *front) silence() error {
	if err := f.listen(0); err != nil {
		return err
	}
	for range 8 {
		full, err := f.full()
		if full || err != nil {
			f.drops, _ = f.kernelDrops()
			return err
		}
		if err := f.fill(); err != nil {
			continue // full by now, or the next look says why
		}
	}
	return errors.New("the backlog does not fill")
}

// fill adds a connection of our own to the backlog. On a busy machine a dial can time out whose connection is there all the same,
// so its address is known, and in fillers, before it is dialled: else it would reach the instance as a caller's.
func (f *front) fill() error {
	var at netip.AddrPort
	dialer := net.Dialer{Timeout: 100 * time.Millisecond, KeepAlive: -1, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if controlErr := raw.Control(func(fd uintptr) { at, err = bindBeside(int(fd), f.Addr.Addr()) }); controlErr != nil {
			return controlErr
		}
		return err
	}}
	dialer.SetMultipathTCP(false)
	c, err := dialer.Dial("tcp", f.Addr.String())
	if f.fillers == nil {
		f.fillers = map[netip.AddrPort]*net.TCPConn{}
	}
	f.fillers[at], _ = c.(*net.TCPConn)
	return err
}

// bindBeside gives a socket a free port of an address.
func bindBeside(fd int, addr netip.Addr) (netip.AddrPort, error) {
	var want unix.Sockaddr = &unix.SockaddrInet6{Addr: addr.As16()}
	if addr.Is4() {
		want = &unix.SockaddrInet4{Addr: addr.As4()}
	}
	if err := unix.Bind(fd, want); err != nil {
		return netip.AddrPort{}, err
	}
	switch got, err := unix.Getsockname(fd); got := got.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(addr, uint16(got.Port)), err
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(addr, uint16(got.Port)), err
	default:
		return netip.AddrPort{}, err
	}
}

// full says whether the kernel would drop the next SYN. For a listening socket
// tcp_info's unacked and sacked are the length and the limit of its backlog.
func (f *front) full() (bool, error) {
	var full bool
	err := f.control(func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
		if err == nil {
			full = info.Unacked > info.Sacked
		}
		return err
	})
	return full, err
}

// refuseDials stops listening. The socket keeps its port, since it was bound to one. The
// connections in its backlog are reset.
func (f *front) refuseDials() error {
	defer f.closeFillers()
	return f.control(func(fd int) error { return unix.Shutdown(fd, unix.SHUT_RD) })
}

// listenAgain restores the backlog. The accept loop drops the fillers.
func (f *front) listenAgain() error {
	const most = 1 << 16 // the kernel lowers it to somaxconn
	if err := f.listen(most); err != nil {
		return fmt.Errorf("listen again: %w", err)
	}
	return nil
}

func (f *front) listen(backlog int) error {
	return f.control(func(fd int) error { return unix.Listen(fd, backlog) })
}

// kernelDrops returns how many SYNs the kernel has dropped at this listener, and whether it says so.
func (f *front) kernelDrops() (uint32, bool) {
	drops := uint32(0)
	err := f.control(func(fd int) error {
		var err error
		drops, err = socketDrops(fd)
		return err
	})
	return drops, err == nil
}
