package link

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

func TestDelay(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	c := dial(t, front)
	const delay = 50 * time.Millisecond
	set(t, m, "slow", system.Rule{Kind: system.Delay, Delay: delay}, ab("b-1", "a-1"))
	least, pings := time.Duration(math.MaxInt64), 0
	eventually(t, "a ping takes the delay once", func() bool { // on a busy machine most take longer
		start := time.Now()
		if err := say(c, "ping", patience); err != nil {
			t.Fatal(err)
		}
		least, pings = min(least, time.Since(start)), pings+1
		return least < 2*delay-10*time.Millisecond
	})
	if least < delay {
		t.Errorf("%s is less than the delay", least)
	}
	eventually(t, "the residence shows the delay", func() bool {
		late := statsOf(m, "b-1", "a-1").Residence
		return sum(late[bucket(delay):]) >= int64(pings)
	})
	if early := statsOf(m, "a-1", "b-1").Residence; sum(early[:bucket(delay)]) == 0 {
		t.Errorf("residence %v of the other direction shows it too", early)
	}
}

// A heal lets go at once what a long delay holds.
func TestDelayHealsAtOnce(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	c := dial(t, front)
	set(t, m, "slow", system.Rule{Kind: system.Delay, Delay: time.Hour}, ab("a-1", "b-1"))
	if _, err := io.WriteString(c, "ping"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bytes are read", func() bool { return statsOf(m, "a-1", "b-1").BytesIn == 4 })
	clearRule(t, m, "slow")
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Errorf("held after the heal: %v", err)
	}
}

// Chunks are not spaced by the delay, which would take minutes: many per delay pass.
func TestDelayKeepsThroughput(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	set(t, m, "slow", system.Rule{Kind: system.Delay, Delay: time.Second}, ab("a-1", "b-1"))
	data := random(8 << 20) // 128 chunks and more
	if got, err := exchangeAll(dial(t, front), data); err != nil || len(got) != len(data) {
		t.Fatal(len(got), err)
	}
}

// The same seed gives the same jitter, another seed another, whatever other links carry.
func TestJitterIsSeeded(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64, link system.Link, conn uint64) []time.Duration {
		b := &bend{rules: []ruling{{Rule: system.Rule{Kind: system.Delay, Delay: time.Second, Jitter: 100 * time.Millisecond, Seed: 3}}}}
		var all []time.Duration
		for n := range uint64(2000) {
			stay, _ := b.stay(seed, link, conn, &item{n: n}, 0)
			all = append(all, stay)
		}
		return all
	}
	one := draw(7, ab("a-1", "b-1"), 1)
	if !slices.Equal(one, draw(7, ab("a-1", "b-1"), 1)) {
		t.Error("seed 7 gave two answers")
	}
	others := [][]time.Duration{draw(8, ab("a-1", "b-1"), 1), draw(7, ab("a-1", "b-2"), 1), draw(7, ab("a-1", "b-1"), 2)}
	for i, other := range others {
		if slices.Equal(one, other) {
			t.Errorf("case %d: the same jitter for another key", i)
		}
	}
	low, high, mean := slices.Min(one), slices.Max(one), time.Duration(0)
	for _, d := range one {
		mean += d / time.Duration(len(one))
	}
	if low < 900*time.Millisecond || low > 910*time.Millisecond || high > 1100*time.Millisecond || high < 1090*time.Millisecond {
		t.Errorf("jitter spans %s to %s, want 900ms to 1.1s", low, high)
	}
	if mean < 990*time.Millisecond || mean > 1010*time.Millisecond {
		t.Errorf("mean %s, want 1s", mean)
	}
}

func TestCutHoldsAndHeals(t *testing.T) {
	t.Parallel()
	for _, cut := range []system.Link{ab("a-1", "b-1"), ab("b-1", "a-1")} {
		m := newTestMesh(t, Options{})
		front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
		c := dial(t, front)
		if err := say(c, "before", patience); err != nil {
			t.Fatal(err)
		}
		set(t, m, "cut", system.Rule{Kind: system.Cut}, cut)
		before := statsOf(m, cut.From, cut.To)
		if err := say(c, "during", 100*time.Millisecond); !isTimeout(err) {
			t.Fatalf("%s: cut, and got %v", cut, err)
		}
		eventually(t, "it is read", func() bool { return statsOf(m, cut.From, cut.To).BytesIn == before.BytesIn+6 })
		if got := statsOf(m, cut.From, cut.To); got.BytesOut != before.BytesOut || got.Bent != before.Bent+1 {
			t.Errorf("%s: in %d out %d, before in %d out %d", cut, got.BytesIn, got.BytesOut, before.BytesIn, before.BytesOut)
		}
		clearRule(t, m, "cut")
		_ = c.SetReadDeadline(time.Now().Add(patience))
		got := make([]byte, 6)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "during" {
			t.Errorf("%s: after the heal %q, %v", cut, got, err)
		}
	}
}

// A write that was blocked when the cut came passes nothing once the receiver reads again.
func TestCutStopsBlockedWrite(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	read, got := make(chan struct{}), make(chan int, 1)
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) {
		<-read
		n, _ := io.Copy(io.Discard, c)
		got <- int(n)
	}))
	c := dial(t, front)
	data := random(32 << 20) // more than all buffers on the way
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write(data)
		_ = c.CloseWrite()
		wrote <- err
	}()
	last := int64(-1)
	eventually(t, "the way is full", func() bool {
		<-time.After(100 * time.Millisecond)
		now := statsOf(m, "a-1", "b-1").BytesOut
		same := now == last && now > 0
		last = now
		return same
	})
	set(t, m, "cut", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
	before := statsOf(m, "a-1", "b-1").BytesOut
	close(read)
	<-time.After(100 * time.Millisecond)
	if after := statsOf(m, "a-1", "b-1").BytesOut; after != before {
		t.Errorf("%d bytes passed the cut", after-before)
	}
	clearRule(t, m, "cut")
	select {
	case n := <-got:
		if n != len(data) {
			t.Errorf("%d of %d bytes arrived", n, len(data))
		}
	case <-time.After(patience):
		t.Fatal("the rest does not arrive after the heal")
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
}

func TestCutTimesOutDials(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for _, host := range []string{"b-1", "b"} { // an instance, and a service whose instances only Pick knows
		least := patience
		m := newTestMesh(t, Options{})
		front := openFront(t, m, "a-1", host, "b-1", serveTCP(t, echo))
		for i, link := range []system.Link{ab("a-1", "b-1"), ab("b-1", "a-1"), ab("a-1", "b-1")} {
			set(t, m, "cut", system.Rule{Kind: system.Cut}, link)
			start := time.Now()
			if c, err := tryDial(front, 500*time.Millisecond); !isTimeout(err) {
				t.Fatalf("%s, round %d: dialled through a cut: %v %v", host, i, c, err)
			}
			if d := time.Since(start); d < 400*time.Millisecond {
				t.Errorf("%s: timed out after %s", host, d)
			}
			eventually(t, "the dial is counted", func() bool { return statsOf(m, "a-1", "b-1").Stalled >= int64(i+1) })
			if s := statsOf(m, "a-1", "b-1"); s.Dials < s.Stalled {
				t.Errorf("%s, round %d: %+v", host, i, s)
			}
			if s := statsOf(m, link.From, link.To); s.Stalled == 0 {
				t.Errorf("%s, round %d: the link that is cut shows no stalled dial", host, i)
			}
			clearRule(t, m, "cut")
			start = time.Now()
			if err := say(dial(t, front), "healed", patience); err != nil {
				t.Fatalf("%s, round %d: after the heal: %v", host, i, err)
			}
			least = min(least, time.Since(start))
		}
		if least > 2*time.Second {
			t.Errorf("%s: each dial after a heal took %s or more", host, least)
		}
	}
}

// A connection that waited in the backlog when the cut came is served after the heal, and
// a dialler that keeps trying gets through.
func TestCutDialThatKeepsTrying(t *testing.T) {
	t.Parallel()
	onLinux(t)
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	set(t, m, "cut", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
	result := make(chan error, 1)
	go func() {
		c, err := tryDial(front, patience)
		if err == nil {
			err = say(c, "late", patience)
			c.Close()
		}
		result <- err
	}()
	eventually(t, "a SYN is dropped", func() bool { return statsOf(m, "a-1", "b-1").Stalled > 0 })
	clearRule(t, m, "cut")
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// twoFront opens a front of src for b with the instances b-1 and b-2 in turn.
func twoFront(t *testing.T, m *Mesh, src string, one, two netip.AddrPort) netip.AddrPort {
	t.Helper()
	addr := freeAddr(t)
	pick := func(_ string, n uint64) (string, netip.AddrPort, bool) {
		if n%2 == 1 {
			return "b-1", one, true
		}
		return "b-2", two, true
	}
	if err := m.Listen(t.Context(), Front{Src: src, Host: "b", Addr: addr, Pick: pick}); err != nil {
		t.Fatal(err)
	}
	return addr
}

// Where one of two instances is cut off, its connections stall and the other's pass.
func TestCutOneOfTwo(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	server := serveTCP(t, echo)
	front := twoFront(t, m, "a-1", server, server)
	set(t, m, "cut", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
	held, passes, leaves := dial(t, front), dial(t, front), dial(t, front)
	if err := say(passes, "passes", patience); err != nil {
		t.Fatal(err)
	}
	if err := say(held, "held", 100*time.Millisecond); !isTimeout(err) {
		t.Fatalf("a dial to b-1 got %v", err)
	}
	if _, err := io.WriteString(leaves, "leaves"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two dials are stalled", func() bool { return statsOf(m, "a-1", "b-1").Stalled == 2 })
	leaves.Close()
	eventually(t, "the one that left is noticed", func() bool { return statsOf(m, "a-1", "b-1").Live == 1 })
	clearRule(t, m, "cut")
	got := make([]byte, 4)
	_ = held.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(held, got); err != nil || string(got) != "held" {
		t.Errorf("after the heal %q, %v", got, err)
	}
	held.Close()
	eventually(t, "the end", func() bool { return statsOf(m, "a-1", "b-1").Live == 0 })
	if s := statsOf(m, "a-1", "b-1"); s.BytesOut != 4 {
		t.Errorf("%d bytes passed, want 4: the dialler that left must not be delivered", s.BytesOut)
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	onLinux(t)
	m := newTestMesh(t, Options{})
	ended := make(chan error, 1)
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("x"))
		_, err := io.Copy(io.Discard, c)
		ended <- err
	}))
	for i := range 10 {
		c := dial(t, front)
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(i, err)
		}
		before := statsOf(m, "a-1", "b-1").Reset
		set(t, m, "no", system.Rule{Kind: system.Refuse}, ab("a-1", "b-1"))
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); !isReset(err) {
			t.Fatalf("round %d: the dialler got %v", i, err)
		}
		if err := <-ended; !isReset(err) {
			t.Fatalf("round %d: the instance got %v", i, err)
		}
		if got := statsOf(m, "a-1", "b-1").Reset; got != before+1 {
			t.Errorf("round %d: %d resets counted, want one", i, got-before)
		}
		if _, err := tryDial(front, patience); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("round %d: the effect is proven, and a dial got %v", i, err)
		}
		clearRule(t, m, "no")
	}
}

// Without a live connection the first dial is accepted, reset and counted; then dials are refused.
func TestRefuseFirstDialIsSeen(t *testing.T) {
	t.Parallel()
	onLinux(t)
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	set(t, m, "no", system.Rule{Kind: system.Refuse}, ab("a-1", "b-1"))
	if c, err := tryDial(front, patience); err == nil { // else it was reset so fast that the dial saw it
		defer c.Close()
		if err := say(c, "x", patience); err == nil {
			t.Fatal("a refused dial was served")
		}
	}
	eventually(t, "the dial is counted", func() bool { return statsOf(m, "a-1", "b-1").Refused == 1 })
	eventually(t, "ECONNREFUSED", func() bool {
		c, err := tryDial(front, patience)
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	clearRule(t, m, "no")
	if err := say(dial(t, front), "healed", patience); err != nil {
		t.Error(err)
	}
}

// A refuse is the dialler's: a connection dialled the other way stays.
func TestRefuseIsOneWay(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	server := serveTCP(t, echo)
	there, back := dial(t, openFront(t, m, "a-1", "b", "b-1", server)), dial(t, openFront(t, m, "b-1", "a", "a-1", server))
	for _, c := range []net.Conn{there, back} {
		if err := say(c, "x", patience); err != nil {
			t.Fatal(err)
		}
	}
	set(t, m, "no", system.Rule{Kind: system.Refuse}, ab("a-1", "b-1"))
	if err := say(there, "x", patience); err == nil {
		t.Error("a -> b was refused and passes")
	}
	if err := say(back, "x", patience); err != nil {
		t.Errorf("b -> a is not refused and got %v", err)
	}
}

// Cut and refuse of one front replace each other without losing the port.
func TestGateChanges(t *testing.T) {
	t.Parallel()
	onLinux(t)
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	for range 5 {
		if err := say(dial(t, front), "live", patience); err != nil {
			t.Fatal(err)
		}
		set(t, m, "no", system.Rule{Kind: system.Refuse}, ab("a-1", "b-1"))
		set(t, m, "cut", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
		if _, err := tryDial(front, 100*time.Millisecond); !isTimeout(err) {
			t.Fatalf("cut over refuse: %v", err)
		}
		clearRule(t, m, "cut")
		if _, err := tryDial(front, patience); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("refuse after cut: %v", err)
		}
		clearRule(t, m, "no")
	}
	if err := say(dial(t, front), "healed", patience); err != nil {
		t.Fatal(err)
	}
}

func TestArmLive(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	var conns []*net.TCPConn
	for range 200 {
		c := dial(t, front)
		if err := say(c, "x", patience); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	both := []system.Link{ab("a-1", "b-1"), ab("b-1", "a-1")}
	for _, rule := range []system.Rule{{Kind: system.Delay, Delay: time.Hour}, {Kind: system.Cut}} {
		start := time.Now()
		set(t, m, "r", rule, both...)
		armed := time.Since(start)
		for _, c := range conns {
			if _, err := io.WriteString(c, "y"); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "all is read", func() bool { return statsOf(m, "a-1", "b-1").BytesIn%200 == 0 })
		start = time.Now()
		clearRule(t, m, "r")
		healed := time.Since(start)
		for _, c := range conns {
			_ = c.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s on 200 live connections: armed in %s, healed in %s", rule.Kind, armed, healed)
		if armed > patience || healed > patience {
			t.Errorf("%s took %s to arm and %s to heal", rule.Kind, armed, healed)
		}
	}
}

func TestRulesText(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	set(t, m, "z", system.Rule{Kind: system.Cut}, ab("b", "a"), ab("a", "b"))
	set(t, m, "y", system.Rule{Kind: system.Delay, Delay: 200 * time.Millisecond, Jitter: 50 * time.Millisecond}, ab("a", "b"))
	want := []string{"y: delay a -> b 200ms±50ms", "z: cut a -> b", "z: cut b -> a"}
	if got := m.Rules(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	clearRule(t, m, "z")
	clearRule(t, m, "none")
	set(t, m, "y", system.Rule{Kind: system.Refuse}, ab("c", "d"))
	if got, want := m.Rules(), []string{"y: refuse c -> d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []system.Rule{{}, {Kind: "dealy"}, {Kind: system.Delay, Delay: -1}} {
		if err := m.SetRule("bad", []system.Link{ab("a", "b")}, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		} else {
			t.Log(err)
		}
	}
	if err := m.SetRule("bad", nil, system.Rule{Kind: system.Cut}); err == nil {
		t.Error("a rule without links was accepted")
	}
	if len(m.Stats()) != 0 {
		t.Error("a link that was never used has stats")
	}
}

// Rules says of each kind how much, or with what.
func TestRulesSayWhatTheyDo(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	for i, c := range []struct {
		rule system.Rule
		want string
	}{
		{system.Rule{Kind: system.Abort, Status: 503}, "abort a -> b 503"},
		{system.Rule{Kind: system.Abort, Code: "UNAVAILABLE"}, "abort a -> b UNAVAILABLE"},
		{system.Rule{Kind: system.Truncate, Bytes: 100}, "truncate a -> b 100B"},
		{system.Rule{Kind: system.Header, Name: "Server"}, "header a -> b -Server"},
		{system.Rule{Kind: system.Header, Name: "Retry-After", Value: "1"}, `header a -> b "Retry-After: 1"`},
		{system.Rule{Kind: system.Body, Value: "xyz"}, "body a -> b 3 bytes"},
		{system.Rule{Kind: system.Throttle, Rate: 1000}, "throttle a -> b 1000B/s"},
		{system.Rule{Kind: system.Drop, Loss: 0.05}, "drop a -> b 0.05"},
		{system.Rule{Kind: system.Slice, Bytes: 10, Spread: 5}, "slice a -> b 10±5B"},
		{system.Rule{Kind: system.SlowClose, Delay: time.Second}, "slowclose a -> b 1s"},
		{system.Rule{Kind: system.Delay, Delay: time.Second, Jitter: time.Millisecond}, "delay a -> b 1s±1ms"},
		{system.Rule{Kind: system.Cut}, "cut a -> b"},
	} {
		id := fmt.Sprint(i)
		set(t, m, id, c.rule, ab("a", "b"))
		if got := m.Rules(); len(got) != 1 || got[0] != id+": "+c.want {
			t.Errorf("%q, want %s", got, c.want)
		}
		_ = m.ClearRule(id)
	}
}
