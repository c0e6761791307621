package retry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A pipes listener hands out connections within the process: net/http runs unmodified within a bubble.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stock answers with the number it was asked for, each after its own time: every fourth takes just as long as an attempt may.
func stock(w http.ResponseWriter, r *http.Request) {
	var number int
	fmt.Sscanf(r.URL.Path, "/%d", &number)
	late := []time.Duration{2, 4, 10, 1}[number%4] * time.Millisecond
	select {
	case <-time.After(late):
		fmt.Fprint(w, number)
	case <-r.Context().Done():
	}
}

// A shortcut is a transport without a network: the handler answers in the caller's goroutine.
type shortcut struct{}

func (shortcut) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	stock(w, r)
	if err := r.Context().Err(); err != nil && w.Body.Len() == 0 {
		return nil, err
	}
	return w.Result(), nil
}

// TestEachRequestGetsItsOwnAnswer has two callers ask for eight numbers each. RETRY_DEFECT leaves a mechanism out.
func TestEachRequestGetsItsOwnAnswer(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { callers(s.T(), shortcut{}) })
}

// TestOverHTTP is the same over the whole of net/http.
func TestOverHTTP(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		listener := newPipes()
		server := http.Server{Handler: http.HandlerFunc(stock)}
		go server.Serve(listener)
		transport := &http.Transport{DialContext: listener.dial}
		callers(t, transport)
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}

func callers(t *testing.T, over http.RoundTripper) {
	client := New(over, Options{Attempts: 3, Try: 10 * time.Millisecond, Total: 25 * time.Millisecond, Defect: Defect(os.Getenv("RETRY_DEFECT"))})
	var all sync.WaitGroup
	for caller := range 2 {
		all.Go(func() {
			for i := range 8 {
				ask(t, client, caller*8+i)
			}
		})
	}
	all.Wait()
}

func ask(t *testing.T, client *Client, number int) {
	start := time.Now()
	body, err := client.Get(t.Context(), fmt.Sprintf("http://stock/%d", number))
	if err == nil && body != fmt.Sprint(number) {
		t.Errorf("asked for %d, got the answer for %s", number, body)
	}
	if err != nil && !strings.Contains(err.Error(), "deadline") {
		t.Error(err)
	}
	if took := time.Since(start); took > 25*time.Millisecond {
		t.Errorf("%d took %v: all attempts together may take 25ms", number, took)
	}
}
