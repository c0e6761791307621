package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// records collects exchanges.
type records struct {
	mu  sync.Mutex
	all []history.Exchange
}

func (r *records) add(x history.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, x)
}

func (r *records) list() []history.Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// await returns the exchanges when there are n.
func (r *records) await(t *testing.T, n int) []history.Exchange {
	t.Helper()
	eventually(t, fmt.Sprintf("%d exchanges", n), func() bool { return len(r.list()) >= n })
	all := r.list()
	if len(all) > n {
		t.Fatalf("%d exchanges, want %d: %+v", len(all), n, all)
	}
	return all
}

// recordedMesh is a mesh whose exchanges are collected from now on.
func recordedMesh(t *testing.T) (*Mesh, *records) {
	m, r := newTestMesh(t, Options{}), &records{}
	start := time.Now()
	m.SetRecorder(func() time.Duration { return time.Since(start) }, r.add)
	return m, r
}

// serveHTTP serves handler and returns its address.
func serveHTTP(t *testing.T, handler http.HandlerFunc) netip.AddrPort {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return addrPort(server.Listener.Addr())
}

// client speaks HTTP/1.1, or HTTP/2 with prior knowledge.
func client(t *testing.T, h2 bool) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetHTTP1(!h2)
	transport.Protocols.SetUnencryptedHTTP2(h2)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func fetch(t *testing.T, c *http.Client, request *http.Request) (*http.Response, []byte) {
	t.Helper()
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func newRequest(t *testing.T, method string, addr netip.AddrPort, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr.String()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// Each protocol's client and server talk through the mesh, and each request is one exchange.
func TestExchanges(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "http1", true: "http2"}[h2], func(t *testing.T) {
			t.Parallel()
			m, r := recordedMesh(t)
			front := openFront(t, m, "a-1", "b", "b-1", serveHTTP(t, answerAll))
			c := client(t, h2)
			request := newRequest(t, "POST", front, "/orders?id=7&access_token=abc", strings.NewReader("12345"))
			request.Header.Set("Traceparent", traceparent)
			request.Header.Set("Idempotency-Key", "key-1")
			request.Header.Set("Authorization", "Bearer abc")
			request.Header.Set("X-Client-Secret", "abc")
			request.Header.Set("X-Long", strings.Repeat("x", 5000))
			fetch(t, c, request)
			fetch(t, c, newRequest(t, "HEAD", front, "/head", nil))
			fetch(t, c, newRequest(t, "GET", front, "/chunked", nil))
			fetch(t, c, newRequest(t, "GET", front, "/empty", nil))
			fetch(t, c, newRequest(t, "GET", front, "/hint", nil))
			big := newRequest(t, "PUT", front, "/big", io.LimitReader(zeros{}, 3<<20))
			big.Header.Set("Expect", "100-continue")
			fetch(t, c, big)
			checkExchanges(t, r.await(t, 6), map[bool]string{false: "http/1.1", true: "http/2"}[h2])
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func answerAll(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	switch r.URL.Path {
	case "/orders":
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "made")
	case "/head":
		w.Header().Set("Content-Length", "4096")
	case "/chunked":
		for range 3 {
			_, _ = io.WriteString(w, strings.Repeat("y", 1000))
			w.(http.Flusher).Flush()
		}
	case "/empty":
		w.WriteHeader(http.StatusNoContent)
	case "/hint":
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	case "/big":
		_, _ = w.Write(make([]byte, 1<<20))
	}
}

func checkExchanges(t *testing.T, all []history.Exchange, protocol string) {
	t.Helper()
	want := []history.Exchange{
		{Method: "POST", Path: "/orders?id=7&access_token=[redacted]", Status: 201, RequestBytes: 5, ResponseBytes: 4, Traceparent: traceparent, Idempotency: digest("key-1")},
		{Method: "HEAD", Path: "/head", Status: 200},
		{Method: "GET", Path: "/chunked", Status: 200, ResponseBytes: 3000},
		{Method: "GET", Path: "/empty", Status: 204},
		{Method: "GET", Path: "/hint", Status: 418},
		{Method: "PUT", Path: "/big", Status: 200, RequestBytes: 3 << 20, ResponseBytes: 1 << 20},
	}
	for i, x := range all {
		if x.Start <= 0 || x.First < x.Start || x.End < x.First {
			t.Errorf("%s: start %s, first %s, end %s", x.Path, x.Start, x.First, x.End)
		}
		header := x.Header
		x.Start, x.First, x.End, x.Header = 0, 0, 0, nil
		want[i].Src, want[i].Dst, want[i].Conn, want[i].Protocol = "a-1", "b-1", 1, protocol
		if want[i].Request = uint64(i + 1); protocol == "http/2" {
			want[i].Request = uint64(2*i + 1)
		}
		if fmt.Sprint(x) != fmt.Sprint(want[i]) {
			t.Errorf("exchange %d:\n got %+v\nwant %+v", i, x, want[i])
		}
		if i > 0 {
			continue
		}
		for _, name := range []string{"authorization", "x-client-secret", "idempotency-key"} {
			if header[name] != redactedText {
				t.Errorf("%s is recorded as %q", name, header[name])
			}
		}
		if len(header["x-long"]) != maxValue {
			t.Errorf("a value of %d bytes is kept", len(header["x-long"]))
		}
	}
}

// A caller whose patience ends is seen, with the rule that ended it.
func TestExchangeCallerGaveUp(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "http1", true: "http2"}[h2], func(t *testing.T) {
			t.Parallel()
			m, r := recordedMesh(t)
			front := openFront(t, m, "a-1", "b", "b-1", serveHTTP(t, answerAll))
			c := client(t, h2)
			fetch(t, c, newRequest(t, "GET", front, "/empty", nil))
			const delay = 6 * time.Second // of HTTP/1.1 the caller's end waits behind what it sent
			set(t, m, "slow", system.Rule{Kind: system.Delay, Delay: delay, Text: "delay(a -> b)"}, ab("a-1", "b-1"))
			request := newRequest(t, "GET", front, "/late", nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Do(request.WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
			x := r.await(t, 2)[1]
			if x.Path != "/late" || x.Error != gaveUp || x.Status != 0 || !slices.Equal(x.Faults, []string{"delay(a -> b)"}) {
				t.Errorf("%+v", x)
			}
			if d := x.End - x.Start; d <= 0 || d >= delay {
				t.Errorf("gave up after %s", d)
			}
		})
	}
}

// The instance answers after the caller has closed: the caller gave up all the same. The kernel says so with the write, unless it is
// busy: then it says so later, and the answer counts as one that arrived. So one of a few must be told in time.
func TestExchangeAnswerToNobody(t *testing.T) {
	t.Parallel()
	onLinux(t)
	m, r := recordedMesh(t)
	release := make(chan struct{})
	server := serveTCP(t, func(c *net.TCPConn) {
		defer c.Close()
		_, _ = http.ReadRequest(bufio.NewReader(c))
		<-release
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	front := openFront(t, m, "a-1", "b", "b-1", server)
	told, tries := false, 0
	for ; !told && tries < 10; tries++ {
		x := answerNobody(t, m, r, front, release, tries)
		told = x.Error == gaveUp && x.Status == 0
		if !told && (x.Error != "" || x.Status != 200) {
			t.Errorf("%+v", x)
		}
	}
	if !told {
		t.Errorf("%d callers were gone, and none counts as gone", tries)
	}

	close(release)
	half := dial(t, front) // and who only half-closes gets the answer
	_, _ = io.WriteString(half, "GET /half HTTP/1.1\r\nHost: b\r\n\r\n")
	_ = half.CloseWrite()
	if all, err := io.ReadAll(half); err != nil || !strings.HasSuffix(string(all), "ok") {
		t.Fatalf("%q %v", all, err)
	}
	if x := r.await(t, tries+1)[tries]; x.Error != "" || x.Status != 200 {
		t.Errorf("%+v", x)
	}
}

// answerNobody lets the instance answer after the caller has closed, and returns the exchange, which is the n-th from 0.
func answerNobody(t *testing.T, m *Mesh, r *records, front netip.AddrPort, release chan struct{}, n int) history.Exchange {
	t.Helper()
	before := statsOf(m, "a-1", "b-1").BytesOut
	c := dial(t, front)
	_, _ = io.WriteString(c, "GET /late HTTP/1.1\r\nHost: b\r\n\r\n")
	eventually(t, "the request passes", func() bool { return statsOf(m, "a-1", "b-1").BytesOut > before })
	live := m.connections()[0]
	c.Close()
	eventually(t, "the caller's end is seen", live.up.srcEnded.Load)
	release <- struct{}{}
	x := r.await(t, n+1)[n]
	eventually(t, "the connection ends", func() bool { return len(m.connections()) == 0 })
	return x
}

// A delay of the response is seen in the exchange, as the caller would.
func TestExchangeShowsDelay(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	front := openFront(t, m, "a-1", "b", "b-1", serveHTTP(t, answerAll))
	set(t, m, "slow", system.Rule{Kind: system.Delay, Delay: 100 * time.Millisecond}, ab("b-1", "a-1"))
	fetch(t, client(t, false), newRequest(t, "GET", front, "/empty", nil))
	x := r.await(t, 1)[0]
	if d := x.First - x.Start; d < 100*time.Millisecond {
		t.Errorf("the response's first byte came after %s", d)
	}
	if want := []string{"delay b-1 -> a-1 100ms"}; !slices.Equal(x.Faults, want) {
		t.Errorf("faults %q, want %q", x.Faults, want)
	}
}

// raw runs one connection: it sends request, the server answers with response and ends as end says.
func raw(t *testing.T, request, response string, end func(*net.TCPConn)) []history.Exchange {
	t.Helper()
	m, r := recordedMesh(t)
	server := serveTCP(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, len(request)))
		_, _ = io.WriteString(c, response)
		end(c)
	})
	c := dial(t, openFront(t, m, "a-1", "b", "b-1", server))
	_, _ = io.WriteString(c, request)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if got, err := io.ReadAll(c); string(got) != response && !isReset(err) {
		t.Errorf("the tap changed bytes: got %q, want %q (%v)", got, response, err)
	}
	c.Close()
	eventually(t, "the end", func() bool { return statsOf(m, "a-1", "b-1").Live == 0 })
	m.SetRecorder(nil, nil)
	return r.list()
}

func closeIt(c *net.TCPConn) { c.Close() }

func TestExchangeEnds(t *testing.T) {
	t.Parallel()
	const get = "GET /x HTTP/1.1\r\nHost: b\r\n\r\n"
	cases := []struct {
		name, request, response string
		end                     func(*net.TCPConn)
		want                    string // "METHOD PATH STATUS BYTES ERROR" of each exchange
	}{
		{"closed before a response", get, "", closeIt, "GET /x 0 0 closed"},
		{"reset before a response", get, "", reset, "GET /x 0 0 reset"},
		{"closed inside a response", get, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", closeIt, "GET /x 200 3 closed"},
		{"closed inside a chunk", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", closeIt, "GET /x 200 3 closed"},
		{"until close", get, "HTTP/1.0 200 OK\r\n\r\nabc", closeIt, "GET /x 200 3 "},
		{"trailers", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n", closeIt, "GET /x 200 3 "},
		{"pipelined", get + "HEAD /y HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", closeIt, "GET /x 200 1 ; HEAD /y 200 0 "},
		{"continue", get, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", closeIt, "GET /x 204 0 "},
		{"upgrade", get, "HTTP/1.1 101 Switching\r\n\r\n\x00\x01garbage", closeIt, "GET /x 101 0 "},
		{"connect", "CONNECT h:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n\x00\x01garbage", closeIt, "CONNECT h:1 200 0 "},
		{"garbage answer", get, "SSH-2.0-x\r\n\r\n", closeIt, "GET /x 0 0 unfinished"},
		{"two lengths", get, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", closeIt, "GET /x 200 0 unfinished"},
		{"no http", "\x16\x03\x01hello", "world", closeIt, ""},
		{"huge head", "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", maxHead), "ok", closeIt, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, x := range raw(t, c.request, c.response, c.end) {
				got = append(got, fmt.Sprintf("%s %s %d %d %s", x.Method, x.Path, x.Status, x.ResponseBytes, x.Error))
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

// Requests in flight when recording ends are handed over as unfinished, to nobody twice, and
// requests from before it began not at all.
func TestRecorderSwitch(t *testing.T) {
	t.Parallel()
	m, first, second := newTestMesh(t, Options{}), &records{}, &records{}
	release, entered := make(chan struct{}), make(chan struct{}, 3)
	front := openFront(t, m, "a-1", "b", "b-1", serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
	}))
	var wait sync.WaitGroup
	ask := func(path string) {
		wait.Go(func() {
			if response, err := client(t, false).Do(newRequest(t, "GET", front, path, nil)); err == nil {
				response.Body.Close()
			}
		})
		<-entered
	}
	ask("/before")
	m.SetRecorder(nil, first.add)
	ask("/first")
	m.SetRecorder(nil, second.add)
	if all := first.list(); len(all) != 1 || all[0].Path != "/first" || all[0].Error != unfinished {
		t.Errorf("at the switch: %+v", all)
	}
	ask("/second")
	close(release)
	wait.Wait()
	if all := second.await(t, 1); all[0].Path != "/second" || all[0].Error != "" {
		t.Errorf("second: %+v", all)
	}
	m.SetRecorder(nil, nil)
	if len(first.list()) != 1 || m.Lost() != 0 {
		t.Errorf("first %+v, lost %d", first.list(), m.Lost())
	}
}

// A dial that a cut holds still shows its request and that the caller gave up.
func TestExchangeOfStalledDial(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	front := openFront(t, m, "", "b", "b-1", serveHTTP(t, answerAll))
	set(t, m, "cut", system.Rule{Kind: system.Cut}, ab(Unknown, "b-1"))
	c := client(t, false)
	c.Timeout = time.Second
	if _, err := c.Do(newRequest(t, "GET", front, "/x", nil)); err == nil {
		t.Fatal("a cut passed a request")
	}
	if x := r.await(t, 1)[0]; x.Error != gaveUp || x.Path != "/x" || x.Dst != "b-1" || len(x.Faults) != 1 {
		t.Errorf("%+v", x)
	}
}
