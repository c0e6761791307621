package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

// handshakeWait bounds a handshake, with the wait for its first byte.
const handshakeWait = 10 * time.Second

// startOfTLS is the first byte of every connection of TLS: the type of a record with a handshake.
const startOfTLS = 0x16

// A TLS says that a front ends the TLS of its connections and dials the instances with TLS of its own, so that rules and
// records see what is inside. A connection that does not begin with TLS passes as it is.
type TLS struct {
	Authority *Authority     // of the certificates that callers are shown
	Roots     *x509.CertPool // what the instances' certificates are verified with; nil: they are not
	Name      string         // that they must be for; also what an instance is asked for by a caller that names none
	// Trouble is told why a connection could not be opened, which is closed then. It is called concurrently; nil: nobody is.
	Trouble func(error)
}

// errUnopened ends a connection whose TLS could not be taken off.
var errUnopened = errors.New("TLS could not be opened")

// A sealed connection is one whose TLS is still to be taken off. The mesh moves the bytes of inner, which is in this process.
type sealed struct {
	front        *front
	caller       *net.TCPConn
	inner, outer *net.TCPConn
	handed       bool // the relays have caller and outer
}

func newSealed(f *front, caller *net.TCPConn) (*sealed, error) {
	inner, outer, err := tcpPair()
	return &sealed{front: f, caller: caller, inner: inner, outer: outer}, err
}

// drop resets what no relay has.
func (s *sealed) drop() {
	if !s.handed {
		reset(s.caller)
		reset(s.outer)
	}
}

// open connects to the instance, takes TLS off both halves, and returns what is inside the instance's. It ends with the connection.
func (s *sealed) open(c *conn, target netip.AddrPort) (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(s.front.ctx, handshakeWait)
	defer cancel()
	go func() {
		select {
		case <-c.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	secured := startsTLS(ctx, s.caller)
	server, err := s.front.dial(target)
	if err != nil {
		return nil, err
	}
	if !secured {
		s.handed = true
		s.front.relay(s.caller, s.caller, s.outer)
		return server, nil
	}
	callerTLS, serverTLS, err := s.handshakes(ctx, server)
	if err != nil {
		server.Close()
		s.caller.Close() // not a reset: it would overtake the alert that says why
		s.trouble(c, err)
		return nil, errUnopened
	}
	inner, outer, err := tcpPair()
	if err != nil {
		server.Close()
		return nil, err
	}
	s.handed = true
	s.front.relay(callerTLS, s.caller, s.outer)
	s.front.relay(serverTLS, server, outer)
	return inner, nil
}

// handshakes speaks with the caller until it has said what it wants, then with the instance, and then goes on with the caller.
func (s *sealed) handshakes(ctx context.Context, server *net.TCPConn) (caller, instance *tls.Conn, err error) {
	caller = tls.Server(s.caller, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		var err error
		if instance, err = s.dialTLS(ctx, hello, server); err != nil {
			return nil, &certificateError{err}
		}
		host := hello.ServerName
		if host == "" { // a caller that knows an address only
			host = s.front.Addr.Addr().String()
		}
		leaf, err := s.front.TLS.Authority.leaf(host)
		if err != nil {
			return nil, err
		}
		config := &tls.Config{Certificates: []tls.Certificate{*leaf}}
		if chosen := instance.ConnectionState().NegotiatedProtocol; chosen != "" {
			config.NextProtos = []string{chosen}
		}
		return config, nil
	}})
	return caller, instance, caller.HandshakeContext(ctx)
}

// dialTLS speaks with the instance as the caller would have, with the protocols that it offers and that can be edited.
func (s *sealed) dialTLS(ctx context.Context, hello *tls.ClientHelloInfo, server *net.TCPConn) (*tls.Conn, error) {
	name := hello.ServerName
	if name == "" {
		name = s.front.TLS.Name
	}
	config := s.front.TLS.Client()
	config.ServerName = name
	config.NextProtos = slices.DeleteFunc(slices.Clone(hello.SupportedProtos), func(p string) bool { return p != "h2" && p != "http/1.1" })
	secure := tls.Client(server, config)
	return secure, secure.HandshakeContext(ctx)
}

// Client returns how an instance is spoken with. Its certificate must be for Name, whatever name it is asked for.
func (t *TLS) Client() *tls.Config {
	config := &tls.Config{ServerName: t.Name, InsecureSkipVerify: true} // else it verifies for ServerName
	if t.Roots == nil {
		return config
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		if _, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: between, DNSName: t.Name}); err != nil {
			return fmt.Errorf("its certificate is not accepted: %w", err)
		}
		return nil
	}
	return config
}

// A certificateError says that the instance's half failed and not the caller's.
type certificateError struct{ error }

func (e *certificateError) Unwrap() error { return e.error }

// trouble tells why the connection could not be opened, unless it ended meanwhile.
func (s *sealed) trouble(c *conn, err error) {
	select {
	case <-c.done:
		return
	default:
	}
	c.up.lane.unopened.Add(1)
	if s.front.TLS.Trouble == nil || s.front.ctx.Err() != nil {
		return
	}
	var certificate *certificateError
	var alert *net.OpError
	who, hint := c.src, ""
	switch {
	case errors.As(err, &certificate):
		who, err = c.dst, certificate.error
	case errors.As(err, &alert) && alert.Op == "remote error":
		hint = " (does it trust the run's certificate, {{ca}}?)"
	}
	s.front.TLS.Trouble(fmt.Errorf("open TLS of %s -> %s (port %d): %s: %w%s", c.src, c.dst, s.front.Addr.Port(), who, err, hint))
}

// startsTLS says whether the caller begins with a handshake. It takes nothing away.
func startsTLS(ctx context.Context, c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		_ = c.SetReadDeadline(time.Unix(1, 0))
	})
	var first [1]byte
	var n int
	err = raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
		return !errors.Is(err, syscall.EAGAIN)
	})
	if !stop() {
		<-over
		_ = c.SetReadDeadline(time.Time{})
	}
	return err == nil && n == 1 && first[0] == startOfTLS
}

// A half is what one side of a relay reads and writes: a socket, or TLS on one.
type half interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// relay carries what is inside a half over outer, both ways, until both ends are over.
func (f *front) relay(inside half, socket, outer *net.TCPConn) {
	stop := context.AfterFunc(f.ctx, func() { reset(outer); reset(socket) })
	var both sync.WaitGroup
	both.Go(func() { pour(inside, outer, socket) })
	both.Go(func() { pour(outer, inside, outer) })
	f.mesh.wg.Go(func() {
		both.Wait()
		stop()
		inside.Close()
		outer.Close()
	})
}

// pour copies until the end of from, and passes on how it ended.
func pour(to half, from io.Reader, socket *net.TCPConn) {
	_, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from})
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) { // many close without saying so within TLS
		_ = to.CloseWrite()
		return
	}
	reset(socket)
}

// tcpPair returns both ends of a connection within this process.
func tcpPair() (a, b *net.TCPConn, err error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	a, err = net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		return nil, nil, err
	}
	for {
		if b, err = l.AcceptTCP(); err != nil {
			a.Close()
			return nil, nil, err
		}
		if addrPort(b.RemoteAddr()) == addrPort(a.LocalAddr()) {
			return a, b, nil
		}
		b.Close() // somebody else's
	}
}
