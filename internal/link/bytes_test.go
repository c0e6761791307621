package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// bent opens a front to an echo server with one rule on the way there, and returns it.
func bent(t *testing.T, rule system.Rule) (*Mesh, netip.AddrPort) {
	t.Helper()
	m := newTestMesh(t, Options{Seed: 7})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	set(t, m, "r", rule, ab("a-1", "b-1"))
	return m, front
}

// Whatever bends a stream and does not end it leaves its bytes as they are.
func TestBytesPassUnchanged(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string][]system.Rule{
		"delays":   {{Kind: system.Delay, Delay: 3 * time.Millisecond, Jitter: 3 * time.Millisecond}, {Kind: system.Delay, Delay: time.Millisecond, Jitter: time.Millisecond, Dist: system.Normal}, {Kind: system.Delay, Jitter: time.Millisecond, Dist: system.Pareto}},
		"throttle": {{Kind: system.Throttle, Rate: 20 << 20}, {Kind: system.Throttle, Rate: 30 << 20, Each: true}},
		"slice":    {{Kind: system.Slice, Bytes: 5000, Spread: 4999}},
		"drop":     {{Kind: system.Drop, Loss: 0.02}},
		"all": {{Kind: system.Delay, Delay: time.Millisecond}, {Kind: system.Throttle, Rate: 50 << 20}, {Kind: system.Slice, Bytes: 20000, Spread: 10000, Delay: 50 * time.Microsecond},
			{Kind: system.SlowClose, Delay: 50 * time.Millisecond}, {Kind: system.Limit, Bytes: 1 << 40}, {Kind: system.Blackhole, When: system.Trigger{After: 1 << 40}}, {Kind: system.Reset, When: system.Trigger{After: 1 << 40}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, front := bent(t, rules[0])
			for i, rule := range rules {
				set(t, m, string(rune('a'+i)), rule, ab("a-1", "b-1"), ab("b-1", "a-1"))
			}
			data := random(2 << 20)
			got, err := exchangeAll(dial(t, front), data)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
			}
			if s := statsOf(m, "a-1", "b-1"); s.Bent == 0 || s.Discarded > 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	m, front := bent(t, system.Rule{Kind: system.Throttle, Rate: 1 << 20})
	start := time.Now()
	if _, err := exchangeAll(dial(t, front), random(512<<10)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 480*time.Millisecond {
		t.Errorf("512 KiB at 1 MiB/s took %s", took)
	}
	eventually(t, "the wait is counted", func() bool { return statsOf(m, "a-1", "b-1").Throttled > 400*time.Millisecond })
	if back := statsOf(m, "b-1", "a-1"); back.Throttled > 0 || back.Bent > 0 {
		t.Errorf("the other direction: %+v", back)
	}
}

// Two connections share a link's rate, or each has it.
func TestThrottleOfEach(t *testing.T) {
	t.Parallel()
	_, front := bent(t, system.Rule{Kind: system.Throttle, Rate: 2 << 20})
	start := time.Now()
	done := make(chan error, 2)
	for range 2 {
		c := dial(t, front)
		go func() {
			_, err := exchangeAll(c, make([]byte, 512<<10))
			done <- err
		}()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 470*time.Millisecond {
		t.Errorf("two times 512 KiB over 2 MiB/s together took %s", took)
	}
	for _, each := range []bool{false, true} {
		r := &ruling{Rule: system.Rule{Kind: system.Throttle, Rate: 1, Each: each}, meter: newMeter(1)}
		one, two := &pump{}, &pump{}
		if a, b := one.meterOf(r), two.meterOf(r); (a == b) == each || a != one.meterOf(r) {
			t.Errorf("each: %t, and the meters are %p and %p", each, a, b)
		}
	}
}

func TestDropStalls(t *testing.T) {
	t.Parallel()
	m, front := bent(t, system.Rule{Kind: system.Drop, Loss: 0.5})
	c := dial(t, front)
	lost := func() int64 { return statsOf(m, "a-1", "b-1").Lost }
	start := time.Now()
	for range 10 {
		if err := say(c, "ping", patience); err != nil {
			t.Fatal(err)
		}
	}
	took, n := time.Since(start), lost()
	if n == 0 || n == 10 {
		t.Errorf("%d of 10 were lost", n)
	}
	if least := time.Duration(n) * 200 * time.Millisecond; took < least { // in sum: which of them is counted when is not what is tested
		t.Errorf("%d of 10 were lost, and all took %s, want %s", n, took, least)
	}
}

// What a black hole swallowed is gone: the connection does not go on as if nothing were missing.
func TestBlackhole(t *testing.T) {
	t.Parallel()
	m, front := bent(t, system.Rule{Kind: system.Blackhole, When: system.Trigger{After: 4}})
	c, untouched := dial(t, front), dial(t, front)
	if err := say(c, "ping", patience); err != nil {
		t.Fatal(err)
	}
	if err := say(untouched, "ping", patience); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "more"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bytes are thrown away", func() bool { return statsOf(m, "a-1", "b-1").Discarded == 4 })
	clearRule(t, m, "r")
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); !isReset(err) {
		t.Errorf("after the heal: %v, want a reset", err)
	}
	if err := say(untouched, "pong", patience); err != nil {
		t.Errorf("a connection that lost nothing: %v", err)
	}
}

func TestBlackholeCloses(t *testing.T) {
	t.Parallel()
	m, front := bent(t, system.Rule{Kind: system.Blackhole, Delay: 30 * time.Millisecond})
	c := dial(t, front)
	if _, err := io.WriteString(c, "ping"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 9)); err != io.EOF {
		t.Errorf("%d bytes, %v; want the end", n, err)
	}
	if s := statsOf(m, "a-1", "b-1"); s.Closed != 1 {
		t.Errorf("%+v", s)
	}
}

// Live connections end with a real reset, 50 of 50, at both ends.
func TestResetIsReal(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	ends := make(chan error, 50)
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) {
		buf := make([]byte, 4)
		_, err := io.ReadFull(c, buf)
		if err == nil {
			_, err = c.Write(buf)
		}
		if err == nil {
			_, err = c.Read(buf)
		}
		ends <- err
	}))
	var conns []*net.TCPConn
	for range 50 {
		c := dial(t, front)
		if err := say(c, "ping", patience); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	set(t, m, "r", system.Rule{Kind: system.Reset}, ab("a-1", "b-1"))
	for i, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); !isReset(err) {
			t.Errorf("dialler %d: %v", i, err)
		}
		if err := <-ends; !isReset(err) {
			t.Errorf("instance: %v", err)
		}
	}
	if s := statsOf(m, "a-1", "b-1"); s.Reset != 50 {
		t.Errorf("%d of 50 were counted", s.Reset)
	}
}

// A reset, and a limit, after so many bytes let exactly those through.
func TestEndsAfterBytes(t *testing.T) {
	t.Parallel()
	for _, rule := range []system.Rule{{Kind: system.Reset, When: system.Trigger{After: 100_000}}, {Kind: system.Limit, Bytes: 100_000}} {
		got := make(chan int, 1)
		m := newTestMesh(t, Options{})
		front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) {
			all, _ := io.ReadAll(c)
			got <- len(all)
		}))
		set(t, m, "r", rule, ab("a-1", "b-1"))
		c := dial(t, front)
		_, _ = c.Write(random(300_000))
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err := c.Read(make([]byte, 1))
		if rule.Kind == system.Reset && !isReset(err) {
			t.Errorf("%s: %v", rule.Kind, err)
		}
		if n := <-got; n != 100_000 {
			t.Errorf("%s: %d bytes arrived", rule.Kind, n)
		}
	}
}

func TestResetLater(t *testing.T) {
	t.Parallel()
	_, front := bent(t, system.Rule{Kind: system.Reset, Delay: 500 * time.Millisecond})
	c := dial(t, front)
	start := time.Now()
	if err := say(c, "ping", patience); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err := c.Read(make([]byte, 1))
	if took := time.Since(start); !isReset(err) || took < 400*time.Millisecond {
		t.Errorf("%v after %s", err, took)
	}
}

func TestSlowClose(t *testing.T) {
	t.Parallel()
	m, front := bent(t, system.Rule{Kind: system.SlowClose, Delay: 100 * time.Millisecond})
	c := dial(t, front)
	if err := say(c, "ping", patience); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("the end took %s", took)
	}
	if s := statsOf(m, "a-1", "b-1"); s.Ends != 1 || s.EndWait < 100*time.Millisecond {
		t.Errorf("%+v", s)
	}
}

func TestSlice(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	reads := make(chan []int, 1)
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) {
		var sizes []int
		for buf := make([]byte, 1000); ; {
			n, err := c.Read(buf)
			if n > 0 {
				sizes = append(sizes, n)
			}
			if err != nil {
				reads <- sizes
				return
			}
		}
	}))
	set(t, m, "r", system.Rule{Kind: system.Slice, Bytes: 10, Spread: 5, Delay: 5 * time.Millisecond}, ab("a-1", "b-1"))
	eventually(t, "an instance reads slice by slice", func() bool { // a busy one reads several at once
		before := statsOf(m, "a-1", "b-1").Slices
		c := dial(t, front)
		_, _ = c.Write(random(200))
		_ = c.CloseWrite()
		sizes := <-reads
		s := statsOf(m, "a-1", "b-1")
		if n := s.Slices - before; n < 12 || n > 40 || s.Rule("r").Hit != s.Slices {
			t.Fatalf("%d slices of 200 bytes", n)
		}
		return len(sizes) >= 10 && slices.Max(sizes) <= 60 && slices.Min(sizes) < slices.Max(sizes)
	})
}

// echoes says which of n connections in turn are served and which are refused.
func echoes(t *testing.T, front netip.AddrPort, n int) string {
	t.Helper()
	text := ""
	for range n {
		c, err := tryDial(front, patience)
		if err == nil {
			err = say(c, "x", patience)
			c.Close()
		}
		switch {
		case err == nil:
			text += "."
		default:
			text += "x"
		}
	}
	return text
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		when system.Trigger
		want string
	}{
		{system.Trigger{}, "xxxxxxxx"},
		{system.Trigger{Nth: 3}, "..x....."},
		{system.Trigger{First: 2}, "xx......"},
		{system.Trigger{P: 1}, "xxxxxxxx"},
		{system.Trigger{From: time.Hour}, "........"},
	} {
		m := newTestMesh(t, Options{Seed: 7})
		front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
		if got := echoes(t, front, 2); got != ".." {
			t.Fatal(got)
		}
		eventually(t, "they are gone", func() bool { return statsOf(m, "a-1", "b-1").Live == 0 })
		set(t, m, "r", system.Rule{Kind: system.Reset, When: tt.when}, ab("a-1", "b-1"))
		if got := echoes(t, front, 8); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.when, got, tt.want)
		}
		if got, want := statsOf(m, "a-1", "b-1").Reset, int64(bytes.Count([]byte(tt.want), []byte("x"))); got != want {
			t.Errorf("%+v: %d resets counted, want %d", tt.when, got, want)
		}
	}
}

// A refuse of some connections leaves the others alone: its front never closes.
func TestRefuseOfSome(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	set(t, m, "r", system.Rule{Kind: system.Refuse, When: system.Trigger{First: 3}}, ab("a-1", "b-1"))
	if got := echoes(t, front, 6); got != "xxx..." {
		t.Error(got)
	}
	set(t, m, "r", system.Rule{Kind: system.Cut, When: system.Trigger{Nth: 2}}, ab("a-1", "b-1"))
	if err := say(dial(t, front), "x", patience); err != nil {
		t.Error(err)
	}
	if err := say(dial(t, front), "x", 100*time.Millisecond); !isTimeout(err) {
		t.Errorf("the second: %v", err)
	}
}

// The same seed picks the same connections, whatever other links carry.
func TestProbabilityIsSeeded(t *testing.T) {
	t.Parallel()
	pick := func(seed uint64, noise int) string {
		m := newTestMesh(t, Options{Seed: seed})
		server := serveTCP(t, echo)
		front, other := openFront(t, m, "a-1", "b", "b-1", server), openFront(t, m, "a-1", "c", "c-1", server)
		set(t, m, "r", system.Rule{Kind: system.Reset, When: system.Trigger{P: 0.4}}, ab("a-1", "b-1"), ab("a-1", "c-1"))
		text := ""
		for range 8 {
			echoes(t, other, noise)
			text += echoes(t, front, 5)
		}
		return text
	}
	one, again, third := pick(7, 0), pick(7, 2), pick(8, 0)
	if one != again || one == third {
		t.Errorf("seed 7: %s and %s; seed 8: %s", one, again, third)
	}
	if hit := bytes.Count([]byte(one), []byte("x")); hit < 8 || hit > 24 {
		t.Errorf("%d of 40 with probability 0.4", hit)
	}
}

// A rule acts in its window, also on connections that are quiet.
func TestWindow(t *testing.T) {
	t.Parallel()
	eventually(t, "a window is seen from before to after", func() bool { return windowSeen(t) })
}

// windowSeen is false where the machine was too busy to see the time before the window, or in it.
func windowSeen(t *testing.T) bool {
	t.Helper()
	const opens, ends = 100 * time.Millisecond, 300 * time.Millisecond
	start := time.Now()
	m, front := bent(t, system.Rule{Kind: system.Cut, When: system.Trigger{From: opens, For: ends - opens}})
	c := dial(t, front)
	if err := say(c, "ping", patience); err != nil {
		t.Fatal(err)
	}
	if time.Since(start) > opens-20*time.Millisecond {
		return false
	}
	for !m.lane("a-1", "b-1").effect.Load().cut {
		if time.Since(start) > ends {
			return false
		}
		<-time.After(time.Millisecond)
	}
	if err := say(c, "pong", patience); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < ends {
		t.Errorf("the window closed after %s", took)
	}
	return true
}

func TestDistributions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		dist           system.Distribution
		mean, most, p1 time.Duration // p1: one in a hundred is longer
	}{
		{system.Uniform, 100, 110, 109}, {system.Normal, 100, 150, 123}, {system.Pareto, 110, 1000, 170},
	} {
		b := &bend{rules: []ruling{{Rule: system.Rule{Kind: system.Delay, Delay: 100 * time.Millisecond, Jitter: 10 * time.Millisecond, Dist: tt.dist}}}}
		var all []time.Duration
		sum := time.Duration(0)
		for n := range uint64(20000) {
			stay, _ := b.stay(1, ab("a-1", "b-1"), 1, &item{n: n}, 0)
			all, sum = append(all, stay), sum+stay
		}
		slices.Sort(all)
		mean, p99 := sum/20000, all[len(all)*99/100]
		near := func(got, want time.Duration) bool { return got > want*97/100 && got < want*103/100 }
		if !near(mean, tt.mean*time.Millisecond) || !near(p99, tt.p1*time.Millisecond) {
			t.Errorf("%s: mean %s, p99 %s, most %s", tt.dist, mean, p99, all[len(all)-1])
		}
	}
}
