package link

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	pipeBytes = 512 << 10
	idlePipes = 32 // kept for the next use
)

// A pipe holds bytes on their way through the kernel. It is taken when there are bytes, and given back when they are gone.
type pipe struct{ r, w int }

// pipes are those that nobody uses now. They are safe for concurrent use.
type pipes struct {
	mu   sync.Mutex
	idle []pipe
	shut bool
}

func (s *pipes) get() (pipe, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		p := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return p, nil
	}
	s.mu.Unlock()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return pipe{}, err
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeBytes) // more than is allowed for: it stays as it is
	return pipe{fds[0], fds[1]}, nil
}

// put takes a pipe back. One that is not empty is closed.
func (s *pipes) put(p pipe, empty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if empty && !s.shut && len(s.idle) < idlePipes {
		s.idle = append(s.idle, p)
		return
	}
	p.close()
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

func (p pipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// splice moves bytes that nobody needs to see within the kernel, as long as nothing holds them and there are many. It returns false
// when the connection is over.
func (p *pump) splice() bool {
	for {
		n, more, ok := p.spliceSome()
		if !ok || n < chunkBytes/4 || !more {
			return ok && p.awaitRoom()
		}
	}
}

func (p *pump) spliceSome() (moved int, more, ok bool) {
	p.hand.Lock()
	defer p.hand.Unlock()
	if p.holds() {
		return 0, false, true
	}
	most := p.conn.tap.opaque(p.up)
	if most < chunkBytes {
		return 0, false, true
	}
	return p.spliceOnce(int(min(most, pipeBytes)))
}

// spliceOnce moves what there is, at most n bytes. more is false when the source has none now, or has ended.
func (p *pump) spliceOnce(n int) (moved int, more, ok bool) {
	through, err := p.conn.mesh.pipes.get()
	if err != nil {
		return 0, false, true // as before, then
	}
	var into int64
	err = p.source.raw.Read(func(fd uintptr) bool {
		into, err = spliceFD(int(fd), through.w, n)
		return true
	})
	if into <= 0 || err != nil {
		p.conn.mesh.pipes.put(through, true)
		return 0, false, true // the reader finds out
	}
	at := p.conn.mesh.now()
	p.lane.bytesIn.Add(into)
	left := p.spliceOut(through, int(into), at)
	seen := into
	if !p.up {
		seen -= int64(left) // the tap sees what is written
	}
	p.conn.tap.skip(p.up, seen)
	if left == 0 {
		p.conn.mesh.pipes.put(through, true)
		return int(into), true, true
	}
	rest := make([]byte, left)
	_, err = io.ReadFull(pipeReader(through.r), rest)
	p.conn.mesh.pipes.put(through, err == nil)
	p.enqueue(item{data: rest, at: at, n: p.chunks})
	p.drainSoon()
	return int(into), false, err == nil
}

// spliceOut writes what is in the pipe, and returns how much an interrupt or a rule left in it.
func (p *pump) spliceOut(through pipe, n int, at time.Duration) (left int) {
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.holds() {
		return n
	}
	for n > 0 && !p.broken {
		var out int64
		var err error
		waited := p.raw.Write(func(fd uintptr) bool {
			out, err = spliceFD(through.r, int(fd), n)
			return err != unix.EAGAIN
		})
		if out > 0 {
			n -= int(out)
			p.passed += out
			p.lane.wrote(int(out), p.conn.mesh.now()-at)
			continue
		}
		if errors.Is(waited, os.ErrDeadlineExceeded) {
			return n
		}
		p.broken = true // what comes is dropped
		p.other.srcBroken.Store(true)
	}
	if n > 0 {
		_, _ = io.CopyN(io.Discard, pipeReader(through.r), int64(n))
	}
	return 0
}

func spliceFD(from, to, n int) (int64, error) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, n, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		if err != unix.EINTR {
			return moved, err
		}
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
