package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/assay-dev/assay/system"
)

// arm measures how long it takes to arm and heal a delay while 500 connections live, as whoever asks for it sees it: ours over a
// pipe, Toxiproxy over its HTTP API.
func arm(b *bench) error {
	s, err := serve(echo)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, toxiproxy, ours)
	if err != nil {
		return err
	}
	for _, p := range ways {
		conns, err := dialAll(p.addr, 500)
		if err != nil {
			return err
		}
		defer closeAll(conns)
	}
	all, err := b.compare(ways, 2, armAndHeal(delayed(100*time.Millisecond, true)))
	if err != nil {
		return err
	}
	b.add("arm a delay with 500 live connections", "ms", all[0]).against(toxiproxy).oursAtMost(5)
	b.add("heal it", "ms", all[1]).against(toxiproxy).oursAtMost(5)
	all, err = b.compare(ways[len(ways)-1:], 2, armAndHeal(fault{up: true, rule: system.Rule{Kind: system.Cut}}))
	if err != nil {
		return err
	}
	b.add("arm a cut with 500 live connections", "ms", all[0]).oursAtMost(5)
	b.add("heal it", "ms", all[1]).oursAtMost(5)
	return nil
}

func armAndHeal(f fault) func(p *proxy) ([]float64, error) {
	return func(p *proxy) ([]float64, error) {
		begin := time.Now()
		if err := p.arm(f); err != nil {
			return nil, err
		}
		armed := time.Since(begin)
		begin = time.Now()
		err := p.heal()
		return []float64{millis(armed), millis(time.Since(begin))}, err
	}
}

const endings = 50

// ends counts resets that arrive as such, and echoes that arrive whole after a half-close.
func ends(b *bench) error {
	var resets atomic.Int64 // that the server saw
	s, err := serve(func(c *net.TCPConn) {
		if _, err := io.Copy(struct{ io.Writer }{c}, c); errors.Is(err, syscall.ECONNRESET) {
			resets.Add(1)
		}
	})
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, direct, plain, toxiproxy, ours)
	if err != nil {
		return err
	}
	all, err := b.compare(ways, 1, func(p *proxy) ([]float64, error) { return count(func() bool { return halfClose(p.addr) == nil }), nil })
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("echo of 200 kB after a half-close, whole, of %d", endings), "", all[0]).oursWithin(endings, endings)
	all, err = b.compare(ways[2:], 1, func(p *proxy) ([]float64, error) { return resetLive(p) })
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("reset of live connections, RST at the dialler, of %d", endings), "", all[0]).oursWithin(endings, endings)
	return nil
}

func count(good func() bool) []float64 {
	n := 0.0
	for range endings {
		if good() {
			n++
		}
	}
	return []float64{n}
}

// halfClose sends 200 kB, closes its direction, and reads what comes back.
func halfClose(addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	const size = 200e3
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size))
		sent <- errors.Join(err, c.CloseWrite())
	}()
	got, err := io.Copy(io.Discard, struct{ io.Reader }{c})
	if err == nil && got != size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, <-sent)
}

// resetLive counts the live connections whose dialler sees a RST once a reset is armed.
func resetLive(p *proxy) ([]float64, error) {
	conns, err := dialAll(p.addr, endings)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	if err := p.arm(fault{false, system.Rule{Kind: system.Reset}, "reset_peer", map[string]int64{"timeout": 0}}); err != nil {
		return nil, err
	}
	i, limit := -1, time.Now().Add(2*time.Second)
	got := count(func() bool {
		i++
		_ = conns[i].SetReadDeadline(limit)
		_, err := conns[i].Read(make([]byte, 1))
		return errors.Is(err, syscall.ECONNRESET)
	})
	return got, p.heal()
}

// held measures what a connection costs that does nothing.
func held(b *bench) error {
	const conns = 5000
	s, err := serve(echo)
	if err != nil {
		return err
	}
	defer s.close()
	if limit := filesLimit(); limit > 0 && limit < 2*conns+200 {
		return fmt.Errorf("%d connections need %d files in a process, of which %d are allowed (ulimit -Hn)", conns, 2*conns+200, limit)
	}
	fds, resident := samples{}, samples{}
	for _, name := range []string{plain, toxiproxy, ours} {
		ways, err := b.ways(s.addr, name)
		if err != nil {
			return err
		}
		for _, p := range ways {
			if err := b.hold(p, conns, fds, resident); err != nil {
				return err
			}
		}
	}
	b.add("5,000 connections held: files for each", "", fds).against(toxiproxy)
	b.add("5,000 connections held: resident memory for each", "kB", resident).against(toxiproxy)
	return nil
}

func (b *bench) hold(p *proxy, n int, fds, resident samples) error {
	filesBefore, err1 := fdsOf(p.pid)
	bytesBefore, err2 := residentOf(p.pid)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	var heapBefore answer
	if p.tell != nil {
		var err error
		if heapBefore, err = p.tell(order{Stats: true}); err != nil {
			return err
		}
	}
	conns, err := dialAll(p.addr, n)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	files, err1 := fdsOf(p.pid)
	bytes, err2 := residentOf(p.pid)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	fds[p.name] = []float64{float64(files-filesBefore) / float64(n)}
	resident[p.name] = []float64{float64(bytes-bytesBefore) / float64(n) / 1e3}
	if p.tell == nil {
		return nil
	}
	a, err := p.tell(order{Stats: true})
	b.note("ours: %.1f kB of heap and %.1f kB of stacks for each of %d connections held.",
		float64(a.Heap-heapBefore.Heap)/float64(n)/1e3, float64(a.Stacks-heapBefore.Stacks)/float64(n)/1e3, n)
	return err
}
