package workload

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// A lane is one set of connections. It replaces them from time to time, so that
// load finds its way to instances that came back.
type lane struct {
	driver *Driver
	mu     sync.Mutex
	now    *generation
}

// A generation is the connections that a lane uses for a while. It is closed
// when it was replaced and the last run that holds it has left.
type generation struct {
	lane    *lane
	born    time.Duration
	http    *http.Transport    // for Go functions
	wires   map[string][]*wire // idle, by place
	grpc    map[string]*grpc.ClientConn
	held    int
	retired bool
	closed  bool
}

// take returns the present generation. The caller gives it back.
func (l *lane) take() *generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.driver.now()
	if l.now != nil && now-l.now.born > l.driver.opts.ConnAge {
		l.now.retire()
		l.now = nil
	}
	if l.now == nil {
		l.now = &generation{lane: l, born: now, http: l.driver.transport(), wires: map[string][]*wire{}, grpc: map[string]*grpc.ClientConn{}}
	}
	l.now.held++
	return l.now
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now != nil {
		l.now.retired = true
		l.now.close()
		l.now = nil
	}
}

func (g *generation) give() {
	g.lane.mu.Lock()
	defer g.lane.mu.Unlock()
	g.held--
	g.retireIfLeft()
}

func (g *generation) retire() {
	g.retired = true
	g.retireIfLeft()
}

func (g *generation) retireIfLeft() {
	if g.retired && g.held == 0 {
		g.close()
	}
}

// close is called with the lane's lock held.
func (g *generation) close() {
	g.closed = true
	for _, idle := range g.wires {
		for _, w := range idle {
			w.Close()
		}
	}
	g.wires = nil
	g.http.CloseIdleConnections()
	for _, conn := range g.grpc {
		_ = conn.Close() // a second close is the only error
	}
}

func (d *Driver) transport() *http.Transport {
	return &http.Transport{
		DialContext:            d.dial,
		DialTLSContext:         d.dialTLS,
		DisableCompression:     true, // a request has the headers that its step says
		DisableKeepAlives:      d.opts.NoKeepAlive,
		MaxIdleConnsPerHost:    d.opts.MaxInFlight,
		IdleConnTimeout:        2 * d.opts.ConnAge,
		MaxResponseHeaderBytes: 1 << 20,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // HTTP/1.1 only
	}
}

// conn returns the connection of this generation to a "host:port". gRPC dials when it is first used.
func (g *generation) conn(ctx context.Context, target string) (*grpc.ClientConn, error) {
	g.lane.mu.Lock()
	defer g.lane.mu.Unlock()
	if conn := g.grpc[target]; conn != nil {
		return conn, nil
	}
	conn, err := g.lane.driver.newConn(ctx, target)
	if err == nil {
		g.grpc[target] = conn
	}
	return conn, err
}
