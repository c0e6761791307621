package simtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	randv2 "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// memory is a listener whose connections are pipes.
type memory struct{ c chan net.Conn }

func (l *memory) Accept() (net.Conn, error) {
	c, ok := <-l.c
	if !ok {
		return nil, errors.New("closed")
	}
	return c, nil
}
func (l *memory) Close() error   { close(l.c); return nil }
func (l *memory) Addr() net.Addr { return &net.TCPAddr{} }

func (l *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case l.c <- b:
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// net/http over pipes: no network is simulated.
func TestHTTPOverPipes(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		ln := &memory{make(chan net.Conn)}
		var mu sync.Mutex
		n := 0
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			n++
			k := n
			mu.Unlock()
			time.Sleep(time.Duration(randv2.IntN(4)) * time.Millisecond)
			b, _ := io.ReadAll(r.Body)
			s.Event("serve %s %d %d", r.URL.Path, k, len(b))
			fmt.Fprintf(w, "n=%d", k)
		})}
		go srv.Serve(ln)
		tp := &http.Transport{DialContext: ln.dial}
		client := &http.Client{Transport: tp, Timeout: 4 * time.Millisecond}
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() { get(s, client, i) })
		}
		wg.Wait()
		tp.CloseIdleConnections()
		srv.Close()
		time.Sleep(time.Second)
	})
}

func get(s *sim.Sim, client *http.Client, i int) {
	for k := range 8 {
		resp, err := client.Post(fmt.Sprintf("http://h/%d/%d", i, k), "text/plain", strings.NewReader("body"))
		if err != nil {
			s.Event("client %d.%d: %v", i, k, err)
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		s.Event("client %d.%d: %s %v", i, k, b, err)
	}
}
