package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const patience = 20 * time.Second // for anything to answer

// A server is one of this process, behind the proxies.
type server struct {
	addr     string
	listener net.Listener

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// serve gives each connection to a goroutine of its own.
func serve(handle func(*net.TCPConn)) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: l.Addr().String(), listener: l, conns: map[net.Conn]struct{}{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[c] = struct{}{}
			s.mu.Unlock()
			go func() {
				handle(c.(*net.TCPConn))
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
				c.Close()
			}()
		}
	}()
	return s, nil
}

func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// echo says all it hears.
func echo(c *net.TCPConn) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, 4<<10))
}

// sink reads how much will come, and says one byte when it has.
func sink(c *net.TCPConn) {
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return
	}
	if drop(io.LimitReader(c, int64(binary.BigEndian.Uint64(head[:])))) == nil {
		_, _ = c.Write([]byte{1})
		_, _ = c.Read(head[:]) // the caller closes first
	}
}

// flood sends as much as is taken.
func flood(c *net.TCPConn) {
	data := make([]byte, 256<<10)
	for {
		if _, err := c.Write(data); err != nil {
			return
		}
	}
}

func drop(from io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from}, make([]byte, 256<<10))
	return err
}

// bodies answers a GET with so many bytes, and reads what is sent.
func bodies(bytes int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			w.Header().Set("Content-Length", fmt.Sprint(bytes))
			_, _ = io.CopyBuffer(struct{ io.Writer }{w}, zeros(bytes), make([]byte, 256<<10))
			return
		}
		if drop(r.Body) != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
}

// zeros returns so many of them.
func zeros(n int64) io.Reader { return struct{ io.Reader }{io.LimitReader(zero{}, n)} }

type zero struct{}

func (zero) Read(b []byte) (int, error) { return len(b), nil }

// serveHTTP serves HTTP/1.1 and HTTP/2 without TLS.
func serveHTTP(h http.Handler) (addr string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h, Protocols: protocols(true, true)}
	go func() { _ = s.Serve(l) }()
	return l.Addr().String(), func() { s.Close() }, nil
}

func protocols(one, two bool) *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(one)
	p.SetUnencryptedHTTP2(two)
	return &p
}

func dial(addr string) (*net.TCPConn, error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// dialAll opens n connections through an echo, each of which has carried a message.
func dialAll(addr string, n int) (conns []*net.TCPConn, err error) {
	for range n {
		c, err := dial(addr)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, c)
		if err := trip(c, make([]byte, 256)); err != nil {
			closeAll(conns)
			return nil, err
		}
	}
	return conns, nil
}

func closeAll(conns []*net.TCPConn) {
	for _, c := range conns {
		c.Close()
	}
}

// trip sends the message and waits for its echo.
func trip(c *net.TCPConn, message []byte) error {
	if _, err := c.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(c, message)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
