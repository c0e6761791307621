package link

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/assay-dev/assay/system"
)

// serveWeb serves what tests of requests need, over HTTP/1.1 and HTTP/2 without TLS.
func serveWeb(t testing.TB) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", r.Header.Get("X-Say"))
		w.Header().Set("Trailer", "X-Sum")
		_ = http.NewResponseController(w).EnableFullDuplex()
		n, _ := io.Copy(w, r.Body)
		w.Header().Set("X-Sum", strconv.FormatInt(n, 10)+r.Trailer.Get("X-Tail"))
	})
	mux.HandleFunc("/bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = io.WriteString(w, strings.Repeat("x", n))
	})
	mux.HandleFunc("/wait", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "real "+r.URL.Path) })
	server := &http.Server{Handler: mux, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return addrPort(l.Addr())
}

// webClient speaks HTTP/1.1, or HTTP/2 with prior knowledge.
func webClient(t testing.TB, two bool) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), MaxIdleConnsPerHost: 100}
	transport.Protocols.SetHTTP1(!two)
	transport.Protocols.SetUnencryptedHTTP2(two)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// load returns the status and the body, or the error.
func load(c *http.Client, url string) (int, string, error) {
	r, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return r.StatusCode, string(body), err
}

func setRule(t testing.TB, m *Mesh, r system.Rule) {
	t.Helper()
	if r.Text == "" {
		r.Text = string(r.Kind) + "(a -> b)"
	}
	if err := m.SetRule("test", []system.Link{benchLink}, r); err != nil {
		t.Fatal(err)
	}
}

// bothVersions runs a test over HTTP/1.1 and over HTTP/2.
func bothVersions(t *testing.T, test func(t *testing.T, m *Mesh, r *records, c *http.Client, base string)) {
	for _, two := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[two], func(t *testing.T) {
			t.Parallel()
			m, r := recordedMesh(t)
			front := openFront(t, m, "a-1", "b", "b-1", serveWeb(t))
			c := webClient(t, two)
			if code, body, err := load(c, "http://"+front.String()+"/warm"); err != nil || code != 200 || body != "real /warm" {
				t.Fatal(code, body, err)
			}
			test(t, m, r, c, "http://"+front.String())
		})
	}
}

func laneOf(m *Mesh) system.LinkStats {
	for _, s := range m.Stats() {
		if s.Link == benchLink {
			return s
		}
	}
	return system.LinkStats{}
}

// A rule is set and cleared while the connection lives, and the connection stays.
func TestRequestsAbortLive(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, r *records, c *http.Client, base string) {
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no*"}})
		for i := range 5 {
			if code, body, err := load(c, base+"/no/"+strconv.Itoa(i)); err != nil || code != 503 || body != "" {
				t.Error(code, body, err)
			}
			if code, body, err := load(c, base+"/yes"); err != nil || code != 200 || body != "real /yes" {
				t.Error(code, body, err)
			}
		}
		post, err := c.Post(base+"/no", "text/plain", strings.NewReader(strings.Repeat("y", 300<<10)))
		if err != nil || post.StatusCode != 503 {
			t.Error(post, err)
		}
		if err := m.ClearRule("test"); err != nil {
			t.Fatal(err)
		}
		if code, body, err := load(c, base+"/no"); err != nil || code != 200 || body != "real /no" {
			t.Error(code, body, err)
		}
		if s := laneOf(m); s.Dials != 1 || s.Requests != 11 || s.Matched != 6 || s.Hit != 6 {
			t.Errorf("%d dials, %d requests, %d matched, %d hit", s.Dials, s.Requests, s.Matched, s.Hit)
		}
		for _, x := range r.await(t, 13) {
			no, faulted := strings.HasPrefix(x.Path, "/no/"), len(x.Faults) > 0
			if no != x.ByFault && x.Path != "/no" || x.ByFault != faulted || x.ByFault && (x.Status != 503 || x.Dst != "b-1" || x.Faults[0] != "abort(a -> b)") {
				t.Errorf("%+v", x)
			}
		}
	})
}

func TestRequestsResponse(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, r *records, c *http.Client, base string) {
		setRule(t, m, system.Rule{Kind: system.Body, Value: "hello"})
		for _, path := range []string{"/bytes/0", "/bytes/3", "/bytes/300000", "/x"} {
			if code, body, err := load(c, base+path); err != nil || code != 200 || body != "hello" {
				t.Error(path, code, len(body), err)
			}
		}
		long := strings.Repeat("z", 3<<20)
		setRule(t, m, system.Rule{Kind: system.Body, Value: long})
		for range 5 {
			if code, body, err := load(c, base+"/x"); err != nil || code != 200 || body != long {
				t.Error(code, len(body), err)
			}
		}
		setRule(t, m, system.Rule{Kind: system.Header, Name: "X-New", Value: "n"})
		got, err := c.Get(base + "/x")
		if err != nil || got.Header.Get("X-New") != "n" {
			t.Error(got, err)
		}
		got.Body.Close()
		setRule(t, m, system.Rule{Kind: system.Truncate, Bytes: 70000})
		code, body, err := load(c, base+"/bytes/200000")
		if err == nil || code != 200 || len(body) != 70000 {
			t.Error(code, len(body), err)
		}
		if code, body, err = load(c, base+"/bytes/60000"); err != nil || code != 200 || len(body) != 60000 {
			t.Error(code, len(body), err)
		}
	})
}

// Only the request that the rule hits waits: over HTTP/2 others on its connection overtake it.
func TestRequestsDelay(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, r *records, c *http.Client, base string) {
		for delay := 2 * time.Second; ; delay *= 3 { // a busy machine gets longer for the others
			before, overtaken := laneOf(m).Hit, overtake(t, m, c, base, delay)
			if got := laneOf(m).Hit - before; got != 3 {
				t.Errorf("%d hit", got)
			}
			if overtaken {
				return
			}
			if delay > patience/3 {
				t.Fatalf("20 requests did not overtake those that wait for %s", delay)
			}
		}
	})
}

// overtake makes three requests that wait for delay, and says whether twenty others were answered before each of them.
func overtake(t *testing.T, m *Mesh, c *http.Client, base string, delay time.Duration) bool {
	t.Helper()
	setRule(t, m, system.Rule{Kind: system.Delay, Delay: delay, Match: &system.Match{Path: "/slow*"}})
	var wg sync.WaitGroup
	var fast, overtaken atomic.Int64
	for i := range 3 {
		wg.Go(func() {
			start := time.Now()
			code, body, err := load(c, base+"/slow"+strconv.Itoa(i))
			if took := time.Since(start); err != nil || code != 200 || body != "real /slow"+strconv.Itoa(i) || took < delay {
				t.Error(code, body, err, took)
			}
			if fast.Load() == 20 {
				overtaken.Add(1)
			}
		})
	}
	for i := range 20 {
		if code, body, err := load(c, base+"/fast"+strconv.Itoa(i)); err != nil || code != 200 || body != "real /fast"+strconv.Itoa(i) {
			t.Error(code, body, err)
		}
		fast.Add(1)
	}
	wg.Wait()
	return overtaken.Load() == 3
}

// Healing lets go what waits, over HTTP/2 and HTTP/1.1, and answers that wait too.
func TestRequestsDelayHealed(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, r *records, c *http.Client, base string) {
		setRule(t, m, system.Rule{Kind: system.Delay, Delay: time.Hour, Match: &system.Match{Path: "/slow"}})
		if err := m.SetRule("other", []system.Link{benchLink}, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/slow"}, When: system.Trigger{Nth: 2}}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				if code, _, err := load(c, base+"/slow"); err != nil || code != 200 && code != 503 {
					t.Error(code, err)
				}
			})
			eventually(t, "the request is judged", func() bool { return laneOf(m).Matched >= int64(2+2*i) })
		}
		if err := m.ClearRule("test"); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if s := laneOf(m); s.Hit != 2 {
			t.Errorf("%d hit", s.Hit)
		}
	})
}

// What no rule hits arrives as it was sent: bodies, headers and trailers of both directions.
func TestRequestsUnhit(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, r *records, c *http.Client, base string) {
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/never"}})
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				body := strings.Repeat(fmt.Sprintf("%06d", i), 1+i*20000)
				q, err := http.NewRequest("POST", base+"/echo", io.MultiReader(strings.NewReader(body))) // of unknown length
				if err != nil {
					t.Error(err)
					return
				}
				q.Header.Set("X-Say", "ü, "+strings.Repeat("long", 1000))
				q.Trailer = http.Header{"X-Tail": {"!"}}
				got, err := c.Do(q)
				if err != nil {
					t.Error(err)
					return
				}
				defer got.Body.Close()
				back, err := io.ReadAll(got.Body)
				if err != nil || string(back) != body || got.Header.Get("X-Seen") != q.Header.Get("X-Say") || got.Trailer.Get("X-Sum") != strconv.Itoa(len(body))+"!" {
					t.Errorf("%d: %v, %d of %d bytes, %v", i, err, len(back), len(body), got.Trailer)
				}
			})
		}
		wg.Wait()
		if s := laneOf(m); s.Requests != 16 || s.Hit != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRequestsGRPC(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	c := grpcThrough(t, m)
	check := func(name string, want codes.Code) {
		t.Helper()
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "idempotency-key", name), patience)
		defer cancel()
		if _, err := c.Check(ctx, ask("ok")); status.Code(err) != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	check("before", codes.OK)
	setRule(t, m, system.Rule{Kind: system.Abort, Code: "RESOURCE_EXHAUSTED"})
	check("aborted", codes.ResourceExhausted)
	stream, err := c.Watch(t.Context(), ask("wait"))
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.ResourceExhausted {
		t.Error(err)
	}
	setRule(t, m, system.Rule{Kind: system.Abort, Code: "UNAVAILABLE", Match: &system.Match{Attempt: 1}})
	check("first attempt", codes.OK) // by its second
	setRule(t, m, system.Rule{Kind: system.Truncate, Bytes: 10})
	check("short enough", codes.OK)
	if stream, err = c.Watch(t.Context(), ask("wait")); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Internal {
		t.Error(err)
	}
	setRule(t, m, system.Rule{Kind: system.Delay, Delay: 200 * time.Millisecond, Match: &system.Match{}})
	start := time.Now()
	check("late", codes.OK)
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Error(took)
	}
	if err := m.ClearRule("test"); err != nil {
		t.Fatal(err)
	}
	check("after", codes.OK)
	var aborted []string
	for _, x := range r.await(t, 9) {
		if x.ByFault {
			aborted = append(aborted, x.Path+" "+x.Code)
		}
	}
	if want := []string{checkPath + " RESOURCE_EXHAUSTED", "/grpc.health.v1.Health/Watch RESOURCE_EXHAUSTED", checkPath + " UNAVAILABLE"}; !slices.Equal(aborted, want) {
		t.Errorf("got %q, want %q", aborted, want)
	}
	if s := laneOf(m); s.Dials != 1 {
		t.Errorf("%d dials", s.Dials)
	}
}
