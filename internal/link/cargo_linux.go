package link

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	pipeBytes = 512 << 10
	idlePipes = 32  // kept for the next use
	maxPipes  = 128 // in use at a time, by all connections
)

// A pipe holds bytes on their way through the kernel. It is taken when there are bytes, and given back when they are gone.
type pipe struct {
	r, w int
	held int // bytes
}

// fill takes at most n bytes from a socket, without waiting.
func (p *pipe) fill(socket, n int) (int, error) {
	moved, err := spliceFD(socket, p.w, n)
	p.held += max(moved, 0)
	return moved, err
}

func (p *pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

func spliceFD(from, to, n int) (int, error) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, n, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		if err != unix.EINTR {
			return int(moved), err
		}
	}
}

// A cargo is the first n bytes of what a pipe holds.
type cargo struct {
	pipe *pipe
	n    int
}

// write writes the cargo to a socket, and returns how much went.
func (c cargo) write(to syscall.RawConn) (n int, err error) {
	for n < c.n {
		var out int
		var failed error
		err = to.Write(func(fd uintptr) bool {
			out, failed = spliceFD(c.pipe.r, int(fd), c.n-n)
			return failed != unix.EAGAIN
		})
		if err = errors.Join(err, failed); out <= 0 {
			return n, err
		}
		c.pipe.held -= out
		n += out
	}
	return n, nil
}

// bytes takes the cargo out of the kernel.
func (c cargo) bytes() []byte {
	all := make([]byte, c.n)
	n, _ := io.ReadFull(pipeReader(c.pipe.r), all)
	c.pipe.held -= n
	return all[:n]
}

// discard throws the cargo away.
func (c cargo) discard() {
	if c.n > 0 {
		c.bytes()
	}
}

// A pipeReader reads from a pipe that has the bytes.
type pipeReader int

func (r pipeReader) Read(b []byte) (int, error) {
	n, err := syscall.Read(int(r), b)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// pipes are all of a mesh. They are safe for concurrent use.
type pipes struct {
	mu   sync.Mutex
	idle []*pipe
	used int
	shut bool
}

var errManyPipes = errors.New("too many pipes in use")

func (s *pipes) get() (*pipe, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used >= maxPipes {
		return nil, errManyPipes
	}
	if n := len(s.idle); n > 0 {
		p := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.used++
		return p, nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeBytes) // more than is allowed for: it stays as it is
	s.used++
	return &pipe{r: fds[0], w: fds[1]}, nil
}

// unload takes the pipe of a cargo back. One that is not empty is closed.
func (s *pipes) unload(c cargo) {
	if c.pipe == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	if c.pipe.held == 0 && !s.shut && len(s.idle) < idlePipes {
		s.idle = append(s.idle, c.pipe)
		return
	}
	c.pipe.close()
}

// melt makes data of what the item has in the kernel.
func (s *pipes) melt(it *item) {
	if it.cargo.n > 0 {
		it.data = it.cargo.bytes()
	}
	s.unload(it.cargo)
	it.cargo = cargo{}
}

func (s *pipes) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	for _, p := range s.idle {
		p.close()
	}
	s.idle = nil
}
