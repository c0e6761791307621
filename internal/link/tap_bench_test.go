package link

import (
	"testing"

	"github.com/assay-dev/assay/history"
)

// BenchmarkTap reads along with one request and its answer, and records them: what a link costs above moving the bytes.
func BenchmarkTap(b *testing.B) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 256\r\n\r\n" + string(make([]byte, 256)))
	b.Run("http1", func(b *testing.B) {
		request := []byte("GET /orders/17 HTTP/1.1\r\nHost: orders\r\nUser-Agent: bench\r\nAccept: */*\r\nX-Request-Id: 4711\r\n\r\n")
		tapped(b, func(t *tap, _ uint32) {
			t.request(request, 1)
			t.response(answer, 2)
		})
	})
	b.Run("http2", func(b *testing.B) {
		caller, server := newTalker(string(preface)), newTalker("")
		tapped(b, func(t *tap, n uint32) {
			caller.headers(2*n+1, true, ":authority=127.0.0.1:34567", ":method=GET", ":path=/", ":scheme=http", "accept-encoding=gzip", "user-agent=Go-http-client/2.0")
			t.request(caller.out.Bytes(), 1)
			server.headers(2*n+1, false, ":status=200", "content-type=text/plain; charset=utf-8", "content-length=256", "date=Thu, 01 Jan 1970 00:00:00 GMT")
			_ = server.framer.WriteData(2*n+1, true, answer[:256])
			t.response(server.out.Bytes(), 2)
			caller.out.Reset()
			server.out.Reset()
		})
	})
}

func tapped(b *testing.B, exchange func(*tap, uint32)) {
	m := NewMesh(Options{Seed: 1})
	defer m.Close()
	n := 0
	m.SetRecorder(nil, func(history.Exchange) { n++ })
	c := &conn{mesh: m, src: "a", dst: "b", id: 1}
	c.up, c.down = newPump(c, m.lane("a", "b"), true), newPump(c, m.lane("b", "a"), false)
	c.up.bend.Store(&bend{})
	c.down.bend.Store(&bend{})
	t := newTap(c)
	b.ReportAllocs()
	for i := uint32(0); b.Loop(); i++ {
		exchange(t, i)
		if t.off {
			b.Fatal("the tap understood nothing")
		}
	}
	m.SetRecorder(nil, nil)
	if n+int(m.Lost()) != b.N {
		b.Errorf("%d exchanges recorded and %d lost of %d", n, m.Lost(), b.N)
	}
}
