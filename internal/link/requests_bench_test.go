package link

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"testing"

	xhttp2 "golang.org/x/net/http2"

	"github.com/assay-dev/assay/system"
)

// BenchmarkHTTP2 compares an armed link with the proxy of Go's library, and with the same link unarmed. Caller and server only
// write and count frames, so that the proxies' work is most of it. One op is 100 requests at once on one connection.
func BenchmarkHTTP2(b *testing.B) {
	for _, size := range []int{0, 256 << 10} {
		server := serveTCP(b, func(c *net.TCPConn) { answerFrames(c, size) })
		for _, via := range []string{"direct", "unarmed", "armed", "armed, all hit", "ReverseProxy"} {
			b.Run(fmt.Sprintf("%d bytes/%s", size, via), func(b *testing.B) {
				blast(b, proxied(b, via, server), size)
			})
		}
	}
}

// proxied returns an address by which server is reached.
func proxied(b *testing.B, via string, server netip.AddrPort) netip.AddrPort {
	switch via {
	case "direct":
		return server
	case "ReverseProxy":
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: server.String()})
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		proxy.Transport = transport
		front := &http.Server{Handler: proxy, Protocols: transport.Protocols}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		go func() { _ = front.Serve(l) }()
		b.Cleanup(func() { front.Close(); transport.CloseIdleConnections() })
		return addrPort(l.Addr())
	}
	m := newTestMesh(b, Options{})
	if via != "unarmed" {
		setRule(b, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/never"}})
	}
	if via == "armed, all hit" {
		setRule(b, m, system.Rule{Kind: system.Header, Name: "x-new", Value: "v"})
	}
	return openFront(b, m, "a-1", "b", "b-1", server)
}

// answerFrames answers each request of a connection with a body of size.
func answerFrames(c *net.TCPConn, size int) {
	defer c.Close()
	_, _ = io.ReadFull(c, make([]byte, len(preface)))
	r, block := xhttp2.NewFramer(nil, c), bytes.Repeat([]byte("x"), 16<<10)
	var out bytes.Buffer
	w := xhttp2.NewFramer(&out, nil)
	_ = w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: 1000})
	for {
		if _, err := c.Write(out.Bytes()); err != nil {
			return
		}
		out.Reset()
		f, err := r.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *xhttp2.SettingsFrame:
			if !f.IsAck() {
				_ = w.WriteSettingsAck()
			}
		case *xhttp2.HeadersFrame:
			_ = w.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: size == 0})
			for left := size; left > 0; left -= len(block) {
				_ = w.WriteData(f.StreamID, left <= len(block), block[:min(left, len(block))])
			}
		}
	}
}

// blast sends 100 requests per op and waits for their ends.
func blast(b *testing.B, addr netip.AddrPort, size int) {
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	t := newTalker(string(preface))
	_ = t.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1<<31 - 1})
	_ = t.framer.WriteWindowUpdate(0, 1<<30)
	r := xhttp2.NewFramer(c, c)
	b.SetBytes(int64(100 * size))
	stream, got := uint32(1), 0
	for b.Loop() {
		for range 100 {
			t.get(stream, "/some/path/of/a/service")
			stream += 2
		}
		if _, err := io.WriteString(c, t.take()); err != nil {
			b.Fatal(err)
		}
		for ended := 0; ended < 100; {
			f, err := r.ReadFrame()
			if err != nil {
				b.Fatal(err)
			}
			if f.Header().Flags.Has(xhttp2.FlagDataEndStream) && (f.Header().Type == xhttp2.FrameData || f.Header().Type == xhttp2.FrameHeaders) {
				ended++
			}
			if s, ok := f.(*xhttp2.SettingsFrame); ok && !s.IsAck() {
				_ = r.WriteSettingsAck()
			}
			if f.Header().Type == xhttp2.FrameData {
				got += int(f.Header().Length)
			}
			if got > 1<<20 {
				_ = r.WriteWindowUpdate(0, uint32(got))
				got = 0
			}
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "requests/s")
}
