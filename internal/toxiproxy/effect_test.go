package toxiproxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newAPI returns a Set that is served in this process.
func newAPI(t testing.TB) (*Set, *caller) {
	t.Helper()
	set := NewSet(1)
	server := httptest.NewServer(set.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	return set, &caller{t, server.URL}
}

// An effect is what a client sees of one exchange through a proxy: it sends, the upstream answers, both in a few words.
type effect struct {
	got  int // bytes that came back
	end  string
	took time.Duration
}

func (e effect) String() string { return fmt.Sprintf("%d bytes, %s, %v", e.got, e.end, e.took) }

// exchange sends n bytes to an echo, says that it has no more, and reads to the end or until nothing comes.
func exchange(t testing.TB, addr string, n int, limit time.Duration) effect {
	t.Helper()
	c := dial(t, addr).(*net.TCPConn)
	defer c.Close()
	start := time.Now()
	go func() { _, _ = c.Write([]byte(strings.Repeat("x", n))) }()
	_ = c.SetReadDeadline(start.Add(limit))
	buf := make([]byte, n)
	got, err := io.ReadFull(c, buf)
	e := effect{got, "whole", time.Since(start)}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.end = "closed"
	case errors.Is(err, syscall.ECONNRESET):
		e.end = "reset"
	default:
		e.end = "silent"
	}
	return e
}

// effects are toxics and what each does to an exchange of 10000 bytes, as the documentation says it.
func effects() []struct {
	toxic    string
	end      string
	got      int
	from, to time.Duration
} {
	const soon, never = patience, time.Second
	ms := time.Millisecond
	return []struct {
		toxic    string
		end      string
		got      int
		from, to time.Duration
	}{
		{`{"type":"noop"}`, "whole", 10000, 0, soon},
		{`{"type":"latency","attributes":{"latency":300}}`, "whole", 10000, 300 * ms, soon},
		{`{"type":"latency","stream":"upstream","attributes":{"latency":300,"jitter":50}}`, "whole", 10000, 250 * ms, soon},
		{`{"type":"latency","toxicity":0,"attributes":{"latency":100000}}`, "whole", 10000, 0, soon},
		{`{"type":"bandwidth","attributes":{"rate":20}}`, "whole", 10000, 350 * ms, soon},
		{`{"type":"bandwidth","stream":"upstream","attributes":{"rate":20}}`, "whole", 10000, 350 * ms, soon},
		{`{"type":"bandwidth","attributes":{"rate":0}}`, "silent", 0, never - 10*ms, never},
		{`{"type":"slow_close","attributes":{"delay":300}}`, "whole", 10000, 0, soon},
		{`{"type":"timeout","attributes":{"timeout":300}}`, "closed", 0, 250 * ms, soon},
		{`{"type":"timeout","stream":"upstream","attributes":{"timeout":300}}`, "closed", 0, 250 * ms, soon},
		{`{"type":"timeout","attributes":{"timeout":0}}`, "silent", 0, never - 10*ms, never},
		{`{"type":"reset_peer","attributes":{"timeout":0}}`, "reset", 0, 0, soon},
		{`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`, "reset", 0, 0, soon},
		{`{"type":"reset_peer","attributes":{"timeout":300}}`, "reset", 0, 250 * ms, soon},
		{`{"type":"slicer","attributes":{"average_size":500,"size_variation":100,"delay":10000}}`, "whole", 10000, 130 * ms, soon},
		{`{"type":"limit_data","attributes":{"bytes":4000}}`, "closed", 4000, 0, soon},
		{`{"type":"limit_data","attributes":{"bytes":0}}`, "closed", 0, 0, soon},
		{`{"type":"limit_data","attributes":{"bytes":20000}}`, "whole", 10000, 0, soon},
	}
}

// Each toxic does to traffic what it does in the real Toxiproxy, and goes when it is removed.
func TestEffectsLikeToxiproxy(t *testing.T) {
	t.Parallel()
	real := &caller{t, "http://" + startOracle(t)}
	_, ours := newAPI(t)
	target := upstream(t, echo)
	for i, c := range effects() {
		t.Run(c.toxic, func(t *testing.T) {
			t.Parallel()
			for who, api := range map[string]*caller{"Toxiproxy": real, "assay": ours} {
				name := fmt.Sprintf("p%d", i)
				addr := api.proxy(name, target)
				api.toxic(name, `{"name":"t",`+c.toxic[1:])
				e := exchange(t, addr, 10000, c.to)
				if e.end != c.end || e.got != c.got || e.took < c.from || e.end != "silent" && e.took > c.to {
					t.Errorf("%s: %v; want %d bytes, %s, %v to %v", who, e, c.got, c.end, c.from, c.to)
				}
				api.must("DELETE", "/proxies/"+name+"/toxics/t", "")
				if e := exchange(t, addr, 10000, patience); e.end != "whole" {
					t.Errorf("%s, after the toxic is gone: %v", who, e)
				}
			}
		})
	}
}

// The end of the stream comes late, and the data does not.
func TestSlowClose(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	addr := api.proxy("p", upstream(t, func(c net.Conn) { _, _ = io.WriteString(c, "bye") }))
	api.toxic("p", `{"type":"slow_close","attributes":{"delay":300}}`)
	eventually(t, "the data come before the end may", func() bool { // on a busy machine both are read late
		start := time.Now()
		c := dial(t, addr)
		if _, err := io.ReadFull(c, make([]byte, 3)); err != nil {
			t.Fatal(err)
		}
		data := time.Since(start)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(start) < 300*time.Millisecond {
			t.Errorf("the end after %v, %v", time.Since(start), err)
		}
		return data < 300*time.Millisecond
	})
}

// Toxicity chooses connections, the same for the same seed.
func TestToxicity(t *testing.T) {
	t.Parallel()
	var hits [2]string
	for i := range hits {
		_, api := newAPI(t)
		addr := api.proxy("p", upstream(t, echo))
		api.toxic("p", `{"type":"reset_peer","toxicity":0.5}`)
		for range 40 {
			hits[i] += exchange(t, addr, 10, patience).end[:1]
		}
	}
	if n := strings.Count(hits[0], "r"); n < 8 || n > 32 {
		t.Errorf("%d of 40 were reset at a toxicity of 0.5", n)
	}
	if hits[0] != hits[1] {
		t.Errorf("the same seed hit\n%s and\n%s", hits[0], hits[1])
	}
}

// A toxic touches connections that are there already, and lets go of them.
func TestToxicOnLiveConnection(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	c := dial(t, api.proxy("p", upstream(t, echo)))
	says(t, c, "x")
	api.toxic("p", slow)
	if took := says(t, c, "x"); took < 400*time.Millisecond {
		t.Errorf("took %v", took)
	}
	api.must("PATCH", "/proxies/p/toxics/latency_downstream", `{"attributes":{"latency":800}}`)
	if took := says(t, c, "x"); took < 800*time.Millisecond {
		t.Errorf("after the update it took %v", took)
	}
	api.must("PATCH", "/proxies/p/toxics/latency_downstream", `{"toxicity":0}`)
	eventually(t, "at a toxicity of 0 there is no delay", func() bool { return says(t, c, "x") < 800*time.Millisecond })
	api.must("DELETE", "/proxies/p/toxics/latency_downstream", "")
	says(t, c, "x")
}

// A disabled proxy refuses dials and ends its connections; enabled again it takes dials at the same port.
func TestDisable(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	addr := api.proxy("p", upstream(t, echo))
	c := dial(t, addr)
	says(t, c, "x")
	api.must("PATCH", "/proxies/p", `{"enabled":false}`)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want refused", err)
	}
	api.must("PATCH", "/proxies/p", `{"enabled":true}`)
	says(t, dial(t, addr), "x")
}

// An upstream that is down: the dial is accepted, and ends, as with Toxiproxy. Another upstream takes effect at once.
func TestUpstreamDownAndChanged(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	addr := api.proxy("p", freeAddr(t))
	if _, err := dial(t, addr).Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if got := api.must("PATCH", "/proxies/p", fmt.Sprintf(`{"upstream":%q}`, upstream(t, echo))).Listen; got != addr {
		t.Errorf("it listens on %s, want %s still", got, addr)
	}
	says(t, dial(t, addr), "x")
	_, port, _ := net.SplitHostPort(upstream(t, echo))
	api.must("PATCH", "/proxies/p", fmt.Sprintf(`{"upstream":"localhost:%s"}`, port)) // a name with two addresses, of which one answers
	says(t, dial(t, addr), "x")
}

// The series count what went through, by direction and address, also of a proxy that is gone.
func TestMetrics(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	target := upstream(t, echo)
	addr := api.proxy("p\"\n", target)
	says(t, dial(t, addr), "12345")
	want := fmt.Sprintf(`toxiproxy_proxy_sent_bytes_total{direction="downstream",listener="%s",proxy="p\"\n",upstream="%s"} 6`, addr, target)
	check := func(when string) {
		t.Helper()
		eventually(t, when+" the series are there", func() bool {
			_, text := api.do("GET", "/metrics", "")
			return strings.Contains(text, want+"\n") && strings.Count(text, "\n") == 8
		})
	}
	check("while it lives")
	api.must("DELETE", "/proxies/p%22%0A", "")
	check("when it is gone")
}
