package systemtest

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

func both(a, b string) []system.Link {
	return []system.Link{{From: a, To: b}, {From: b, To: a}}
}

func (b *bench) linker(t *testing.T) system.Linker {
	return power[system.Linker](t, b.env, "Linker")
}

// arm sets a rule, and returns what clears it. The test's end clears it in any case.
func (b *bench) arm(t *testing.T, links []system.Link, rule system.Rule) (heal func()) {
	t.Helper()
	l := b.linker(t)
	if err := l.SetRule(t.Context(), t.Name(), links, rule); err != nil {
		t.Fatal(err)
	}
	heal = func() {
		if err := l.ClearRule(context.WithoutCancel(t.Context()), t.Name()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(heal)
	return heal
}

func (b *bench) stats(t *testing.T, link system.Link) system.LinkStats {
	t.Helper()
	all, err := b.linker(t).LinkStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Link == link {
			return s
		}
	}
	return system.LinkStats{Link: link}
}

// longResidence counts the chunks that stayed in a link for at least d, to a factor of two.
func longResidence(s system.LinkStats, d time.Duration) int64 {
	var count int64
	for i, n := range s.Residence {
		if time.Duration(2<<i)*time.Microsecond > d {
			count += n
		}
	}
	return count
}

// delay: each direction alone, by a client and between instances; others are not slowed, and counters prove it.
func (b *bench) delay(t *testing.T) {
	b.linker(t)
	const late = 400 * time.Millisecond
	for _, link := range []system.Link{
		{From: system.Client, To: "web-1"}, {From: "web-1", To: system.Client},
		{From: "web-1", To: "store-1"}, {From: "store-1", To: "web-1"},
	} {
		t.Run(link.String(), func(t *testing.T) {
			path := "/name"
			if link.From == "store-1" || link.To == "store-1" {
				path = "/call"
			}
			b.mustGet(t, "web-1", path)
			before := longResidence(b.stats(t, link), late)
			heal := b.arm(t, []system.Link{link}, system.Rule{Kind: system.Delay, Delay: late})
			if took := b.took(t, "web-1", path); took < late {
				t.Errorf("a request over a link delayed by %v took %v", late, took)
			}
			eventually(t, "a counter says that something stayed long in the link", func() error {
				if longResidence(b.stats(t, link), late) == before {
					return fmt.Errorf("none in %+v", b.stats(t, link))
				}
				return nil
			})
			if took := b.fastest(t, "web-2", "/call"); took >= late {
				t.Errorf("a request that uses no delayed link took %v", took)
			}
			heal()
			if took := b.fastest(t, "web-1", path); took >= late {
				t.Errorf("a request after the heal took %v", took)
			}
		})
	}
}

func (b *bench) took(t *testing.T, host, path string) time.Duration {
	t.Helper()
	began := time.Now()
	b.mustGet(t, host, path)
	return time.Since(began)
}

// fastest is the best of several: one may be slow because the machine is.
func (b *bench) fastest(t *testing.T, host, path string) time.Duration {
	t.Helper()
	best := b.took(t, host, path)
	for range 4 {
		best = min(best, b.took(t, host, path))
	}
	return best
}

// cut: nothing gets through in either case, counters say that it was tried, others go on, and it heals.
func (b *bench) cut(t *testing.T) {
	b.linker(t)
	toStore := system.Link{From: "web-1", To: "store-1"}
	for name, links := range map[string][]system.Link{
		"both": both("web-1", "store-1"), "forth": {toStore}, "back": {{From: "store-1", To: "web-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := tried(b, t)
			heal := b.arm(t, links, system.Rule{Kind: system.Cut})
			if err := b.within(t, 500*time.Millisecond, "web-1", "/call"); err == nil {
				t.Error("web-1 reached store over a link that is cut")
			}
			eventually(t, "a counter says that the cut was felt", func() error {
				if after := tried(b, t); after == before {
					return fmt.Errorf("nothing tried: %+v", after)
				}
				return nil
			})
			b.othersReachStore(t)
			heal()
			if got := b.mustGet(t, "web-1", "/call"); got != "store-1" {
				t.Errorf("after the heal web-1 calls %q", got)
			}
		})
	}
}

// effort is what was offered to the links between web-1 and store-1 and did not pass.
type effort struct{ stalled, refused, reset, held int64 }

func tried(b *bench, t *testing.T) effort {
	t.Helper()
	var sum effort
	for _, link := range both("web-1", "store-1") {
		s := b.stats(t, link)
		sum = effort{sum.stalled + s.Stalled, sum.refused + s.Refused, sum.reset + s.Reset, sum.held + s.BytesIn - s.BytesOut}
	}
	return sum
}

func (b *bench) othersReachStore(t *testing.T) {
	t.Helper()
	if got := b.mustGet(t, "web-2", "/call"); got != "store-1" {
		t.Errorf("web-2, whose links are whole, calls %q", got)
	}
	if got := b.mustGet(t, "store-1", "/name"); got != "store-1" {
		t.Errorf("the client, whose links are whole, gets %q from store-1", got)
	}
}

// refuse: the dialler is told at once, counters say so, others go on, and it heals.
func (b *bench) refuse(t *testing.T) {
	b.linker(t)
	before := tried(b, t)
	heal := b.arm(t, []system.Link{{From: "web-1", To: "store-1"}}, system.Rule{Kind: system.Refuse})
	if err := b.within(t, patience(t), "web-1", "/call"); err == nil {
		t.Error("web-1 reached store over a link that refuses")
	}
	eventually(t, "a counter says that a dial was refused", func() error {
		if after := tried(b, t); after.refused+after.reset == before.refused+before.reset {
			return fmt.Errorf("nothing refused: %+v", after)
		}
		return nil
	})
	b.othersReachStore(t)
	heal()
	if got := b.mustGet(t, "web-1", "/call"); got != "store-1" {
		t.Errorf("after the heal web-1 calls %q", got)
	}
}

// badRules: rules on what does not exist are errors; clearing what is not set is none; setting again replaces.
func (b *bench) badRules(t *testing.T) {
	l := b.linker(t)
	if err := l.SetRule(t.Context(), "bad", []system.Link{{From: "web-1", To: "nobody"}}, system.Rule{Kind: system.Cut}); err == nil {
		t.Error("a rule is set on a link to nobody")
	}
	if err := l.ClearRule(t.Context(), "never set"); err != nil {
		t.Errorf("clear a rule that is not set: %v", err)
	}
	b.arm(t, both("web-1", "store-1"), system.Rule{Kind: system.Cut})
	heal := b.arm(t, both("web-2", "store-1"), system.Rule{Kind: system.Cut})
	if got := b.mustGet(t, "web-1", "/call"); got != "store-1" {
		t.Errorf("a rule that was replaced still holds: %q", got)
	}
	heal()
}

func mustRefuse(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience(t))
	if err == nil {
		conn.Close()
		t.Errorf("%s still accepts", addr)
	}
}
