package link

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	helloWait     = 200 * time.Millisecond // for the first byte of a caller that may wait for the server's
	handshakeWait = 10 * time.Second
)

// An Authority signs certificates for the hosts that callers ask for, so that rules of requests can be set on links with TLS. It
// lives in memory alone. Whoever trusts its certificate trusts all that the holder of it says: it is for systems under test. All
// methods are safe for concurrent use.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// NewAuthority makes an authority whose certificates are valid for a day from now.
func NewAuthority(now time.Time) (*Authority, error) {
	a := &Authority{leaves: map[string]*tls.Certificate{}}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "assay, for one run"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLenZero: true,
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	a.certificate, err = x509.ParseCertificate(der)
	return a, err
}

// PEM returns the certificate that the callers must trust.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// maxLeaves is how many hosts keep their certificate.
const maxLeaves = 1024

// leaf returns a certificate for a host or an address.
func (a *Authority) leaf(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf := a.leaves[host]; leaf != nil {
		return leaf, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host},
		NotBefore: a.certificate.NotBefore, NotAfter: a.certificate.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf := &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}
	if len(a.leaves) < maxLeaves {
		a.leaves[host] = leaf
	}
	return leaf, nil
}

// unwrap takes TLS off a connection that a rule of requests wants to edit. It returns what the mesh sees of the caller and of the
// server, or the caller as it is where there is nothing to unwrap. On an error the connection cannot go on.
func (f *front) unwrap(caller *net.TCPConn, up, down *lane, target netip.AddrPort) (_, server *net.TCPConn, err error) {
	there, back := up.effect.Load(), down.effect.Load()
	if f.Authority == nil || len(there.requests) == 0 || there.cut || back.cut || there.refuse || !startsTLS(caller) {
		return caller, nil, nil
	}
	ctx, cancel := context.WithTimeout(f.ctx, handshakeWait)
	defer cancel()
	var upstream *tls.Conn
	secure := tls.Server(caller, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		var err error
		if upstream, err = f.dialTLS(ctx, hello, target); err != nil {
			return nil, err
		}
		host := hello.ServerName
		if host == "" { // a caller that knows an address only
			host = f.Addr.Addr().String()
		}
		leaf, err := f.Authority.leaf(host)
		if err != nil {
			return nil, err
		}
		config := &tls.Config{Certificates: []tls.Certificate{*leaf}}
		if chosen := upstream.ConnectionState().NegotiatedProtocol; chosen != "" {
			config.NextProtos = []string{chosen}
		}
		return config, nil
	}})
	if err := secure.HandshakeContext(ctx); err != nil {
		if upstream != nil {
			upstream.Close()
		}
		return nil, nil, fmt.Errorf("edit TLS to %s: %w", f.Host, err)
	}
	callerSide, err1 := f.relay(secure)
	serverSide, err2 := f.relay(upstream)
	return callerSide, serverSide, errors.Join(err1, err2)
}

// dialTLS connects to the instance as the caller would have, with the protocols that it offers and that can be edited. The
// instance's certificate is not verified: who verifies is the caller, and it cannot any more.
func (f *front) dialTLS(ctx context.Context, hello *tls.ClientHelloInfo, target netip.AddrPort) (*tls.Conn, error) {
	plain, err := f.dial(target)
	if err != nil {
		return nil, err
	}
	protocols := slices.DeleteFunc(slices.Clone(hello.SupportedProtos), func(p string) bool { return p != "h2" && p != "http/1.1" })
	secure := tls.Client(plain, &tls.Config{ServerName: hello.ServerName, NextProtos: protocols, InsecureSkipVerify: true})
	if err := secure.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, err
	}
	return secure, nil
}

// startsTLS says whether the caller begins with a handshake. It takes nothing away.
func startsTLS(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	if err != nil || c.SetReadDeadline(time.Now().Add(helloWait)) != nil {
		return false
	}
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	var first [1]byte
	var n int
	err = raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
		return !errors.Is(err, syscall.EAGAIN)
	})
	return err == nil && n == 1 && first[0] == 0x16
}

// relay carries what is inside TLS over a pair of sockets, of which it returns one.
func (f *front) relay(secure *tls.Conn) (*net.TCPConn, error) {
	inner, outer, err := tcpPair()
	if err != nil {
		secure.Close()
		return nil, err
	}
	stop := context.AfterFunc(f.ctx, func() { reset(outer); reset(secure.NetConn().(*net.TCPConn)) })
	var both sync.WaitGroup
	both.Go(func() { pour(secure, outer, secure.NetConn().(*net.TCPConn)) })
	both.Go(func() { pour(outer, secure, outer) })
	f.mesh.wg.Go(func() {
		both.Wait()
		stop()
		secure.Close()
		outer.Close()
	})
	return inner, nil
}

// pour copies until the end of from, and passes on how it ended.
func pour(to interface {
	io.Writer
	CloseWrite() error
}, from io.Reader, socket *net.TCPConn) {
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
