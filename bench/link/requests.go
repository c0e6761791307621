package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	requestConns = 16
	requestsEach = 1500
	raw          = "raw bytes" // through the same proxy
)

// requests compares requests per second. A request of HTTP/1.1 is compared also with as many bytes that are none of HTTP: what the
// tap and the recorder cost.
func requests(b *bench) error {
	s, err := serve(canned)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, plain, toxiproxy, ours)
	if err != nil {
		return err
	}
	all, err := b.compare(ways, 6, func(p *proxy) ([]float64, error) {
		raw, err1 := measureCanned(p, false)
		asHTTP, err2 := measureCanned(p, true)
		if p.name != ours {
			return append(raw, asHTTP...), errors.Join(err1, err2)
		}
		unrecorded, err3 := deaf(p, func() ([]float64, error) { return measureCanned(p, true) })
		return slices.Concat(raw, asHTTP, unrecorded), errors.Join(err1, err2, err3)
	})
	if err != nil {
		return err
	}
	for i, kind := range []string{raw, "HTTP/1.1"} {
		b.add(kind+": requests of 100 B, answers of 350 B, 16 connections", "1/s", all[2*i]).against(plain).ratioAtLeast(0.95)
		b.add(kind+": the same, processor time", "µs/request", all[2*i+1]).against(plain)
	}
	b.add("ours: HTTP/1.1 with tap and recorder / the same bytes without", "1/s", samples{ours: all[2][ours], raw: all[0][ours]}).against(raw).ratioAtLeast(0.95)
	b.add("ours: the same, processor time", "µs/request", samples{ours: all[3][ours], raw: all[1][ours]}).against(raw)
	b.add("ours: HTTP/1.1 while nobody records / the same bytes without", "1/s", samples{ours: all[4][ours], raw: all[0][ours]}).against(raw).ratioAtLeast(0.95)
	b.add("ours: the same, processor time", "µs/request", samples{ours: all[5][ours], raw: all[1][ours]}).against(raw)
	if err := b.recorded(ways[len(ways)-1], "HTTP/1.1"); err != nil {
		return err
	}
	return b.requestsHTTP2()
}

// deaf measures our proxy while nobody records.
func deaf(p *proxy, measure func() ([]float64, error)) ([]float64, error) {
	yes, no := true, false
	_, err1 := p.tell(order{Deaf: &yes})
	got, err2 := measure()
	_, err3 := p.tell(order{Deaf: &no})
	return got, errors.Join(err1, err2, err3)
}

// recorded notes how many exchanges our proxy has recorded: none would mean that the tap had not read along.
func (b *bench) recorded(p *proxy, what string) error {
	a, err := p.tell(order{Stats: true})
	if err == nil && a.Exchanges == 0 {
		err = fmt.Errorf("%s: the tap recorded nothing", what)
	}
	b.note("%s: %d exchanges recorded.", what, a.Exchanges)
	return err
}

// canned answers each message that ends in an empty line with the same bytes.
func canned(c *net.TCPConn) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 256\r\n\r\n" + string(make([]byte, 256)))
	buf, n := make([]byte, 4<<10), 0
	for {
		read, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		n += read
		if bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			n = 0
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}

// measureCanned returns requests per second, and the proxy's processor time for each in µs.
func measureCanned(p *proxy, isHTTP bool) ([]float64, error) {
	method := "get" // no method of HTTP begins in lower case
	if isHTTP {
		method = "GET"
	}
	request := []byte(method + " /orders/17 HTTP/1.1\r\nHost: orders\r\nUser-Agent: bench\r\nAccept: */*\r\nX-Request-Id: 4711\r\n\r\n")
	return inParallel(p, requestConns, func() (func() error, func(), error) {
		c, err := dial(p.addr)
		if err != nil {
			return nil, nil, err
		}
		answer := make([]byte, 4<<10)
		ask := func() error {
			if _, err := c.Write(request); err != nil {
				return err
			}
			for n := 0; ; {
				read, err := c.Read(answer[n:])
				if err != nil {
					return err
				}
				n += read
				if head := bytes.Index(answer[:n], []byte("\r\n\r\n")); head >= 0 && n == head+4+256 {
					return nil
				}
			}
		}
		return ask, func() { c.Close() }, nil
	})
}

// inParallel lets n askers ask, and returns requests per second and the proxy's processor time for each in µs.
func inParallel(p *proxy, n int, open func() (ask func() error, stop func(), err error)) ([]float64, error) {
	var asks []func() error
	for range n {
		ask, stop, err := open()
		if err != nil {
			return nil, err
		}
		defer stop()
		asks = append(asks, ask)
	}
	errs := make(chan error, n)
	used, begin := p.cpu(), time.Now()
	for _, ask := range asks {
		go func() {
			_, err := times(requestsEach, ask)
			errs <- err
		}()
	}
	for range asks {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	all := float64(n * requestsEach)
	return []float64{all / time.Since(begin).Seconds(), micros(p.cpu()-used) / all}, nil
}

// requestsHTTP2 asks over one connection with 16 streams.
func (b *bench) requestsHTTP2() error {
	answer := make([]byte, 256)
	addr, stop, err := serveHTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	if err != nil {
		return err
	}
	defer stop()
	ways, err := b.ways(addr, plain, toxiproxy, ours)
	if err != nil {
		return err
	}
	all, err := b.compare(ways, 2, func(p *proxy) ([]float64, error) {
		transport := &http.Transport{Protocols: protocols(false, true)}
		defer transport.CloseIdleConnections()
		return inParallel(p, requestConns, func() (func() error, func(), error) { return asker(transport, p.addr), func() {}, nil })
	})
	if err != nil {
		return err
	}
	b.add("HTTP/2: answers of 256 B, 16 streams on a connection", "1/s", all[0]).against(plain).ratioAtLeast(0.95)
	b.add("HTTP/2: the same, processor time", "µs/request", all[1]).against(plain)
	return b.recorded(ways[len(ways)-1], "HTTP/2")
}

func asker(transport http.RoundTripper, addr string) func() error {
	return func() error {
		r, err := http.NewRequestWithContext(context.Background(), "GET", "http://"+addr+"/orders/17", nil)
		if err != nil {
			return err
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n != 256 {
			return fmt.Errorf("%s: %d bytes: %w", res.Status, n, err)
		}
		return nil
	}
}

// starts measures how long it takes from the start of a process until something has passed through it.
func starts(b *bench) error {
	s, err := serve(echo)
	if err != nil {
		return err
	}
	defer s.close()
	names := []*proxy{{name: plain}, {name: toxiproxy}, {name: ours}}
	if b.toxiproxy == "" {
		names = []*proxy{{name: plain}, {name: ours}}
	}
	all, err := b.compare(names, 1, func(p *proxy) ([]float64, error) {
		begin := time.Now()
		started, err := b.start(p.name, s.addr)
		if err != nil {
			return nil, err
		}
		defer started.stop()
		conns, err := dialAll(started.addr, 1)
		closeAll(conns)
		return []float64{millis(time.Since(begin))}, err
	})
	if err != nil {
		return err
	}
	b.add("from the start of the process to the first echo through it", "ms", all[0]).against(toxiproxy)
	return nil
}
