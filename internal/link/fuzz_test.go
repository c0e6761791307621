package link

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/assay-dev/assay/history"
)

// looseLog is a log of exchanges without a mesh.
func looseLog() *exchanges {
	return &exchanges{
		template: history.Exchange{Src: "a", Dst: "b"},
		recorder: func() *recorder[history.Exchange] { return nil },
		now:      func() time.Duration { return 1 },
		faults:   func() []string { return nil },
	}
}

// feed gives the parser both directions in pieces, as step says, and checks that it holds little.
func feed(t *testing.T, p parser, log *exchanges, there, back []byte, step int) {
	t.Helper()
	step = max(step, 1)
	for len(there)+len(back) > 0 {
		n, k := min(step, len(there)), min(step, len(back))
		if n > 0 && !p.request(there[:n], 1) || k > 0 && !p.response(back[:k], 2) {
			break
		}
		there, back = there[n:], back[k:]
		if len(log.open) > maxFlights {
			t.Fatalf("%d requests in flight", len(log.open))
		}
	}
	p.responseEnded(3)
	log.endAll(wasClosed, 4)
}

func FuzzHTTP1(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: b\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), 7)
	f.Add([]byte("POST /x?token=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), []byte("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest"), 1)
	f.Add([]byte("HEAD / HTTP/1.1\r\n\r\nCONNECT h:1 HTTP/1.1\n\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200\r\n\r\n"), 100)
	f.Fuzz(func(t *testing.T, there, back []byte, step int) {
		log := looseLog()
		feed(t, newHTTP1(log), log, there, back, step)
	})
}

func FuzzHTTP2(f *testing.F) {
	there, back := h2Sample()
	f.Add(there, back, 9)
	f.Add(there, back, 1)
	f.Add([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, back, 3)
	f.Fuzz(func(t *testing.T, there, back []byte, step int) {
		log := looseLog()
		feed(t, newHTTP2(log), log, append(bytes.Clone(preface), there...), back, step)
	})
}

// h2Sample is one gRPC call.
func h2Sample() (there, back []byte) {
	settings := []byte{0, 0, 0, frameSettings, 0, 0, 0, 0, 0}
	there = append(settings, h2Headers(flagEndHeaders, ":method", "POST", ":path", "/a/b", "content-type", "application/grpc", "grpc-timeout", "1S")...)
	there = append(there, 0, 0, 5, frameData, flagEndStream, 0, 0, 0, 1, 0, 0, 0, 0, 0)
	back = append(bytes.Clone(settings), h2Headers(flagEndHeaders, ":status", "200")...)
	back = append(back, h2Headers(flagEndHeaders|flagEndStream, "grpc-status", "14")...)
	return there, back
}

func h2Headers(flags byte, fields ...string) []byte {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: true})
	}
	return append([]byte{0, 0, byte(block.Len()), frameHeaders, flags, 0, 0, 0, 1}, block.Bytes()...)
}

// Each cut of the stream into pieces gives the same exchange.
func TestHTTP2InPieces(t *testing.T) {
	t.Parallel()
	there, back := h2Sample()
	there = append(bytes.Clone(preface), there...)
	for step := 1; step < len(there); step++ {
		log := looseLog()
		got := make(chan history.Exchange, 1)
		r := newRecorder(0, func(x history.Exchange) { got <- x })
		log.recorder = func() *recorder[history.Exchange] { return r }
		p := newHTTP2(log)
		for rest := there; len(rest) > 0; rest = rest[min(step, len(rest)):] {
			if !p.request(rest[:min(step, len(rest))], 1) {
				t.Fatal("the request is refused")
			}
		}
		for rest := back; len(rest) > 0; rest = rest[min(step, len(rest)):] {
			if !p.response(rest[:min(step, len(rest))], 2) {
				t.Fatal("the response is refused")
			}
		}
		r.close()
		x := <-got
		if x.Code != "UNAVAILABLE" || x.Status != 200 || x.Deadline != time.Second || x.RequestBytes != 5 || x.Path != "/a/b" {
			t.Fatalf("in pieces of %d: %+v", step, x)
		}
	}
}

// Whatever goes through a connection comes out unchanged.
func FuzzBytesUnchanged(f *testing.F) {
	there, back := h2Sample()
	f.Add(append(bytes.Clone(preface), there...), back)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\n\r\n"))
	f.Add([]byte("PRI"), []byte{})
	m := newTestMesh(f, Options{})
	m.SetRecorder(nil, func(history.Exchange) {})
	type reply struct{ send []byte }
	replies := make(chan *reply, 1)
	seen := make(chan []byte, 1)
	server := serveTCP(f, func(c *net.TCPConn) {
		defer c.Close()
		r := <-replies
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			_, _ = c.Write(r.send)
			_ = c.CloseWrite()
		}()
		got, _ := io.ReadAll(c)
		<-wrote
		seen <- got
	})
	front := openFront(f, m, "a-1", "b", "b-1", server)
	f.Fuzz(func(t *testing.T, there, back []byte) {
		replies <- &reply{send: back}
		got, err := exchangeAll(dial(t, front), there)
		if err != nil || !bytes.Equal(got, back) || !bytes.Equal(<-seen, there) {
			t.Fatalf("%v: got %q, want %q", err, got, back)
		}
	})
}
