package link

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// lingerLimit is how long a receiver may take to take what was written before its connection was closed here.
const lingerLimit = 10 * time.Second

// hangUp ends the connection here, and what was written arrives, and then the end.
func (c *conn) hangUp() { c.end(c.mesh.linger) }

// linger closes t. To close a socket with unread data sends a RST, at which the kernel throws away what the other end did not
// take yet: so the end of data goes first, and what still comes is thrown away until all of ours is taken.
func (m *Mesh) linger(t *net.TCPConn) {
	rest, err := duplicate(t)
	_ = t.CloseWrite()
	_ = t.Close()
	if err == nil {
		m.wg.Go(func() { m.awaitTaken(m.ctx, rest) })
	}
}

// duplicate returns the same socket with a descriptor of its own.
func duplicate(t *net.TCPConn) (*os.File, error) {
	raw, err := t.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	if outer := raw.Control(func(old uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(old)); err == nil {
			syscall.CloseOnExec(fd)
		}
	}); outer != nil || err != nil {
		return nil, errors.Join(outer, err)
	}
	return os.NewFile(uintptr(fd), "lingering"), nil
}

// awaitTaken reads, and throws away, until all that was written is taken, or nobody is there who could.
func (m *Mesh) awaitTaken(ctx context.Context, rest *os.File) {
	defer rest.Close()
	buf := m.pool.Get().(*[chunkBytes]byte)
	defer m.pool.Put(buf)
	wait := time.Millisecond
	for end := time.Now().Add(lingerLimit); ctx.Err() == nil && time.Now().Before(end) && !isTaken(rest); {
		if rest.SetReadDeadline(time.Now().Add(wait)) != nil {
			return
		}
		if _, err := rest.Read(buf[:]); errors.Is(err, os.ErrDeadlineExceeded) {
			wait = min(2*wait, 50*time.Millisecond)
		} else if err != nil { // with nothing unread a close is none that loses anything
			return
		}
	}
}
