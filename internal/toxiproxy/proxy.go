package toxiproxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/assay-dev/assay/internal/link"
	"github.com/assay-dev/assay/system"
)

// client is the dialler of all connections. An instance has a prefix, so no proxy can have the same name.
const (
	client   = "client"
	instance = "proxy:"
)

// A proxy is a name with an address to listen on and one to dial. The lock of its Set guards it.
type proxy struct {
	name, listen, upstream string

	front  *link.Opened // nil: disabled
	wanted bool         // enabled when last somebody said so: what comes back after a start
	toxics []*toxic     // in the order in which they were added
	meter  meter
}

func (p *proxy) there() system.Link { return system.Link{From: client, To: instance + p.name} }
func (p *proxy) back() system.Link  { return system.Link{From: instance + p.name, To: client} }

func (p *proxy) link(up bool) system.Link {
	if up {
		return p.there()
	}
	return p.back()
}

// open enables the proxy. One that is enabled stays as it is.
func (p *proxy) open(ctx context.Context, mesh *link.Mesh) error {
	if p.front != nil {
		return nil
	}
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, "tcp", p.listen)
	if err != nil {
		return err
	}
	host := instance + p.name
	front, err := mesh.Serve(l.(*net.TCPListener), link.Front{
		Src: client, Host: host, Instances: []string{host}, Dial: dialer(p.upstream), Gentle: true,
		Pick: func(string, uint64) (string, netip.AddrPort, bool) { return host, netip.AddrPort{}, true },
	})
	if err != nil {
		return err
	}
	p.front, p.wanted, p.listen = front, true, l.Addr().String()
	return nil
}

// dialer dials an address as it is then: each name is looked up for each connection.
func dialer(upstream string) func(context.Context) (*net.TCPConn, error) {
	d := net.Dialer{KeepAlive: -1}
	d.SetMultipathTCP(false)
	return func(ctx context.Context) (*net.TCPConn, error) {
		c, err := d.DialContext(ctx, "tcp", upstream)
		if err != nil {
			return nil, err
		}
		return c.(*net.TCPConn), nil
	}
}

// close disables the proxy: its connections end. One that is disabled stays as it is.
func (p *proxy) close(mesh *link.Mesh, totals totals) error {
	p.wanted = false
	if p.front == nil {
		return nil
	}
	err := p.front.Close()
	totals.add(p, mesh)
	p.front = nil
	return err
}

// forget takes back all that the mesh knows of a closed proxy.
func (p *proxy) forget(mesh *link.Mesh) error {
	var errs []error
	for _, t := range p.toxics {
		errs = append(errs, mesh.ClearRule(t.id))
	}
	mesh.Forget(p.there())
	mesh.Forget(p.back())
	return errors.Join(errs...)
}

// differs says whether listen (as given, and as it resolves) or upstream are other ones.
func (p *proxy) differs(resolved, upstream string) bool {
	return p.listen != resolved || p.upstream != upstream
}

func (p *proxy) toxic(name string) (int, *toxic) {
	for i, t := range p.toxics {
		if t.Name == name {
			return i, t
		}
	}
	return -1, nil
}

// resolve returns a listen address with its name looked up.
func resolve(ctx context.Context, listen string) (string, error) {
	if at, err := netip.ParseAddrPort(listen); err == nil {
		return net.TCPAddrFromAddrPort(at).String(), nil
	}
	type answer struct {
		at  *net.TCPAddr
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		at, err := net.ResolveTCPAddr("tcp", listen)
		answers <- answer{at, err}
	}()
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	select {
	case a := <-answers:
		if a.err != nil {
			return "", a.err
		}
		return a.at.String(), nil
	case <-ctx.Done():
		return "", &net.DNSError{Err: "no answer in time", Name: listen, IsTimeout: true}
	}
}

// lookupLimit is how long the name of an address to listen on may take to be found.
const lookupLimit = 10 * time.Second

// A view is a proxy as the API shows it.
type view struct {
	Name     string   `json:"name"`
	Listen   string   `json:"listen"`
	Upstream string   `json:"upstream"`
	Enabled  bool     `json:"enabled"`
	Toxics   []*toxic `json:"toxics"`
}

func (p *proxy) view() view {
	v := view{p.name, p.listen, p.upstream, p.front != nil, []*toxic{}}
	for _, up := range []bool{true, false} {
		for _, t := range p.toxics {
			if t.up == up {
				v.Toxics = append(v.Toxics, t)
			}
		}
	}
	return v
}
