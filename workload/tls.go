package workload

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
)

// A trust is what certificates are verified with, once that is known.
type trust struct {
	mu    sync.Mutex
	roots *x509.CertPool
}

// tlsConfig says how a host is spoken with over TLS.
func (d *Driver) tlsConfig(ctx context.Context, host string) (*tls.Config, error) {
	d.trust.mu.Lock()
	defer d.trust.mu.Unlock()
	if d.trust.roots == nil && d.opts.Trust != nil {
		text, err := d.opts.Trust(ctx)
		if err != nil {
			return nil, fmt.Errorf("what to trust: %w", err)
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool() // a machine without any
		}
		roots.AppendCertsFromPEM(text)
		d.trust.roots = roots
	}
	return &tls.Config{ServerName: host, RootCAs: d.trust.roots}, nil
}

// secure speaks TLS on a connection to a host, or closes it.
func (d *Driver) secure(ctx context.Context, conn net.Conn, host string) (*tls.Conn, error) {
	config, err := d.tlsConfig(ctx, host)
	if err == nil {
		secure := tls.Client(conn, config)
		if err = secure.HandshakeContext(ctx); err == nil {
			return secure, nil
		}
	}
	conn.Close()
	return nil, err
}

// dialTLS connects to the "host:port" of a URL, with TLS.
func (d *Driver) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		conn.Close()
		return nil, err
	}
	secure, err := d.secure(ctx, conn, host)
	if err != nil {
		return nil, fmt.Errorf("TLS with %s: %w", addr, err)
	}
	return secure, nil
}
