package simtest

import (
	"net"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// What is sent takes as long as the link's spread says: never less than the least, at times the most of an even spread and more.
func TestSpread(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		const jitter = 100 * time.Millisecond
		a, b := s.Host("a"), s.Host("b")
		for _, row := range []struct {
			spread    sim.Spread
			mean, far time.Duration
		}{
			{sim.Uniform, jitter / 2, jitter},
			{sim.Normal, 2 * jitter, 37 * jitter / 10},
			{sim.Pareto, 9 * jitter / 10, 4 * jitter},
		} {
			s.Link(a, b, sim.Link{Latency: time.Second, Jitter: jitter, Spread: row.spread})
			delays := sent(t, a, b, 200)
			var sum, most time.Duration
			for _, d := range delays {
				sum, most = sum+d, max(most, d)
				sim.Always(d >= 0, "nothing is faster than the latency", row.spread, d)
			}
			mean := sum / time.Duration(len(delays))
			sim.Always(mean > row.mean*7/10 && mean < row.mean*13/10, "the mean is that of the spread", row.spread, mean)
			sim.Always(most >= row.far, "far ones come", row.spread, most)
		}
	})
}

// sent is how much longer than a second datagrams take from a to b.
func sent(t *testing.T, a, b *sim.Host, n int) []time.Duration {
	t.Helper()
	result, ready := make(chan []time.Duration, 1), make(chan string, 1)
	b.Go(func() {
		var all []time.Duration
		defer func() { result <- all }()
		pc, err := net.ListenPacket("udp", ":0")
		if err != nil {
			t.Error(err)
			return
		}
		defer pc.Close()
		ready <- net.JoinHostPort("b", port(pc.LocalAddr()))
		buf := make([]byte, 100)
		for range n {
			k, _, err := pc.ReadFrom(buf)
			if err != nil {
				t.Error(err)
				return
			}
			at, err := time.Parse(time.RFC3339Nano, string(buf[:k]))
			if err != nil {
				t.Error(err)
			}
			all = append(all, time.Since(at)-time.Second)
		}
	})
	a.Go(func() {
		c, err := net.Dial("udp", <-ready)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for range n {
			if _, err := c.Write([]byte(time.Now().Format(time.RFC3339Nano))); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
		}
	})
	return <-result
}

func port(a net.Addr) string {
	_, p, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return p
}
