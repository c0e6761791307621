package link

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// ways are the three ways to the same server that the benchmarks compare: without a
// proxy, through a plain one, and through a mesh.
func ways(b *testing.B, server netip.AddrPort) map[string]netip.AddrPort {
	return map[string]netip.AddrPort{
		"direct": server,
		"plain":  plainProxy(b, server, false),
		"splice": plainProxy(b, server, true),
		"mesh":   openFront(b, newTestMesh(b, Options{}), "a-1", "b", "b-1", server),
	}
}

// plainProxy copies both directions with io.Copy, in the kernel where splice is true,
// else through a buffer, which is what a proxy that looks at bytes must do.
func plainProxy(b *testing.B, server netip.AddrPort, splice bool) netip.AddrPort {
	return serveTCP(b, func(caller *net.TCPConn) {
		target := dial(b, server)
		half := func(to, from *net.TCPConn) {
			if splice {
				_, _ = io.Copy(to, from)
			} else {
				_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, chunkBytes))
			}
			_ = to.CloseWrite()
		}
		go half(target, caller)
		half(caller, target)
	})
}

func BenchmarkBulk(b *testing.B) {
	server := serveTCP(b, func(c *net.TCPConn) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 256<<10))
		_, _ = c.Write([]byte{1})
		c.Close()
	})
	all := ways(b, server)
	data := make([]byte, 256<<10)
	for _, way := range []string{"direct", "splice", "plain", "mesh"} {
		b.Run(way, func(b *testing.B) {
			c := dial(b, all[way])
			b.SetBytes(int64(len(data)))
			b.ResetTimer()
			for range b.N {
				if _, err := c.Write(data); err != nil {
					b.Fatal(err)
				}
			}
			_ = c.CloseWrite()
			_, _ = io.ReadAll(c)
		})
	}
}

func BenchmarkPingPong(b *testing.B) {
	all := ways(b, serveTCP(b, echo))
	for _, way := range []string{"direct", "splice", "plain", "mesh"} {
		b.Run(way, func(b *testing.B) {
			c := dial(b, all[way])
			buf := make([]byte, 256)
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for range b.N {
				start := time.Now()
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			report(b, took)
		})
	}
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-us")
}

// BenchmarkDelay shows how late a delay of 5 ms is.
func BenchmarkDelay(b *testing.B) {
	m := newTestMesh(b, Options{})
	c := dial(b, openFront(b, m, "a-1", "b", "b-1", serveTCP(b, echo)))
	const delay = 5 * time.Millisecond
	set(b, m, "slow", system.Rule{Kind: system.Delay, Delay: delay}, ab("b-1", "a-1"))
	var late []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := say(c, "ping", patience); err != nil {
			b.Fatal(err)
		}
		late = append(late, time.Since(start)-delay)
	}
	report(b, late)
}

func BenchmarkDial(b *testing.B) {
	all := ways(b, serveTCP(b, echo))
	for _, way := range []string{"direct", "plain", "mesh"} {
		b.Run(way, func(b *testing.B) {
			for range b.N {
				c, err := tryDial(all[way], patience)
				if err != nil {
					b.Fatal(err)
				}
				if err := say(c, "x", patience); err != nil {
					b.Fatal(err)
				}
				reset(c)
			}
		})
	}
}

// BenchmarkArm sets and clears a cut on 500 live connections.
func BenchmarkArm(b *testing.B) {
	m := newTestMesh(b, Options{})
	front := openFront(b, m, "a-1", "b", "b-1", serveTCP(b, echo))
	for range 500 {
		if err := say(dial(b, front), "x", patience); err != nil {
			b.Fatal(err)
		}
	}
	for _, kind := range []system.RuleKind{system.Delay, system.Cut} {
		b.Run(string(kind), func(b *testing.B) {
			var armed, healed time.Duration
			for range b.N {
				start := time.Now()
				set(b, m, "r", system.Rule{Kind: kind, Delay: time.Second}, ab("a-1", "b-1"), ab("b-1", "a-1"))
				armed += time.Since(start)
				start = time.Now()
				clearRule(b, m, "r")
				healed += time.Since(start)
			}
			b.ReportMetric(float64(armed.Microseconds())/float64(b.N), "arm-us")
			b.ReportMetric(float64(healed.Microseconds())/float64(b.N), "heal-us")
		})
	}
}
