package workload

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// A wire is one HTTP/1.1 connection, used by one run at a time on that run's goroutine.
//
// net/http's own client is not used for steps for two reasons: it sends some
// requests again by itself, on a connection that broke, which hides a failure; and it passes each
// request through three goroutines, each of which makes a busy driver later.
type wire struct {
	net.Conn
	socket net.Conn // below TLS
	r      *bufio.Reader
	w      *bufio.Writer
	left   int64 // bytes that may still be read of this reply
	place  string
}

var errHugeReply = errors.New("the reply is too large")

// maxHeader bounds a reply's header.
const maxHeader = 1 << 20

// Read passes on at most what is left, so that a header without end fills no memory.
func (w *wire) Read(b []byte) (int, error) {
	if w.left <= 0 {
		return 0, errHugeReply
	}
	n, err := w.Conn.Read(b[:min(int64(len(b)), w.left)])
	w.left -= int64(n)
	return n, err
}

// place names where a URL's connections go: "http://host:port".
func place(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port)
}

// wire returns an idle connection that is still open, or a new one.
func (g *generation) wire(ctx context.Context, u *url.URL) (*wire, error) {
	where := place(u)
	for {
		w := g.idleWire(where)
		if w == nil {
			return g.dialWire(ctx, u, where)
		}
		if quiet(w.socket) {
			return w, nil
		}
		w.Close() // the server closed it, or said something unasked
	}
}

func (g *generation) idleWire(where string) *wire {
	g.lane.mu.Lock()
	defer g.lane.mu.Unlock()
	idle := g.wires[where]
	if len(idle) == 0 {
		return nil
	}
	last := len(idle) - 1
	w := idle[last]
	g.wires[where] = idle[:last]
	return w
}

func (g *generation) dialWire(ctx context.Context, u *url.URL, where string) (*wire, error) {
	conn, err := g.lane.driver.dial(ctx, "tcp", where[len(u.Scheme)+len("://"):])
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, socket: conn, place: where}
	if u.Scheme == "https" {
		secure, err := g.lane.driver.secure(ctx, conn, u.Hostname())
		if err != nil {
			return nil, fmt.Errorf("TLS with %s: %w", where, err)
		}
		w.Conn = secure
	}
	w.r, w.w = bufio.NewReader(w), bufio.NewWriter(w.Conn)
	return w, nil
}

// keep makes the connection idle, for the next request to its place.
func (g *generation) keep(w *wire) {
	g.lane.mu.Lock()
	defer g.lane.mu.Unlock()
	if g.closed {
		w.Close()
		return
	}
	g.wires[w.place] = append(g.wires[w.place], w)
}

// roundTrip sends the request and reads the reply with its body, up to limit
// bytes. The connection is kept when it can be used again, and else closed. What was
// read of a reply is returned with the error that ended it.
func (g *generation) roundTrip(ctx context.Context, w *wire, req *http.Request, limit int64) (*http.Response, []byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = w.SetDeadline(time.Unix(1, 0)) })
	w.left = limit + maxHeader
	resp, body, err := w.exchange(req, limit)
	if stop() && err == nil && !resp.Close && !req.Close {
		g.keep(w)
	} else {
		w.Close()
	}
	return resp, body, err
}

func (w *wire) exchange(req *http.Request, limit int64) (*http.Response, []byte, error) {
	writeErr := req.Write(w.w)
	if writeErr == nil {
		writeErr = w.w.Flush()
	}
	// A server may answer before it read all, and close: its answer counts.
	resp, err := w.reply(req)
	if err != nil {
		return nil, nil, errors.Join(writeErr, err)
	}
	defer resp.Body.Close()
	body, err := readCapped(resp.Body, limit, true)
	if err == nil {
		resp.Close = resp.Close || writeErr != nil || w.r.Buffered() > 0
	}
	return resp, body, err
}

// reply reads a response's header, past informational ones.
func (w *wire) reply(req *http.Request) (*http.Response, error) {
	for range 10 {
		resp, err := http.ReadResponse(w.r, req)
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			return nil, errors.New("the connection was closed before a reply")
		}
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
	return nil, errors.New("more than 10 informational replies")
}
