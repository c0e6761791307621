package link

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// lurk sets a rule of each kind for requests that never come.
func lurk(t testing.TB, m *Mesh) {
	t.Helper()
	never := &system.Match{Path: "/never"}
	for _, r := range []system.Rule{
		{Kind: system.Abort, Status: 503, Match: never}, {Kind: system.Delay, Delay: time.Hour, Match: never}, {Kind: system.Truncate, Bytes: 1, Match: never},
		{Kind: system.Body, Value: "no", Match: never}, {Kind: system.Header, Name: "X-No", Value: "no", Match: never},
	} {
		r.Text = string(r.Kind) + "(a -> b)"
		set(t, m, "lurk/"+string(r.Kind), r, benchLink)
	}
}

// A party is one end of a connection: it notes all it hears, and how that ended.
type party struct {
	c     *net.TCPConn
	mu    sync.Mutex
	heard []byte
	end   string
}

func newParty(c *net.TCPConn) *party {
	p := &party{c: c}
	go p.listen()
	return p
}

func (p *party) listen() {
	buf := make([]byte, 64<<10)
	for {
		n, err := p.c.Read(buf)
		p.mu.Lock()
		p.heard = append(p.heard, buf[:n]...)
		switch {
		case err == io.EOF:
			p.end = "end"
		case isReset(err):
			p.end = "reset"
		case err != nil:
			p.end = "closed"
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *party) now() (heard, end string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.heard), p.end
}

// await waits until the party has heard as much, or nothing more can come.
func (p *party) await(what string, n int, size func(string) int) error {
	for deadline := time.Now().Add(patience); ; <-time.After(time.Millisecond / 4) {
		heard, end := p.now()
		if n >= 0 && size(heard) >= n || end != "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has heard only %d of %d", what, size(heard), n)
		}
	}
}

// outcome is what both ends of a connection heard, and how it ended.
type outcome struct{ server, caller string }

// talk lets the two ends speak in turn. Whoever speaks has heard all that was said before, unless it interrupts, with "!".
// "> text" is the caller's and "< text" the server's; "fin" and "rst" end a direction, and the connection. "arm" calls arm.
// How much was said is told by size.
func talk(t testing.TB, l *net.TCPListener, via netip.AddrPort, say []string, size func(string) int, arm func()) outcome {
	t.Helper()
	c := dial(t, via)
	_ = l.SetDeadline(time.Now().Add(patience))
	s, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	caller, server := newParty(c), newParty(s)
	toServer, toCaller := 0, 0
	for i, line := range say {
		if line == "arm" {
			arm()
			continue
		}
		from, who, to, need := caller, "the caller", &toServer, toCaller
		if line[0] == '<' {
			from, who, to, need = server, "the server", &toCaller, toServer
		}
		text, waits := line[2:], line[1] != '!'
		if waits {
			if err := from.await(who, need, size); err != nil {
				t.Errorf("before line %d: %v", i, err)
				break
			}
		}
		switch text {
		case "fin":
			_ = from.c.CloseWrite()
		case "rst":
			_ = from.c.SetLinger(0)
			_ = from.c.Close()
		default:
			*to += size(text)
			_, _ = io.WriteString(from.c, text)
		}
	}
	for _, p := range []struct {
		*party
		who  string
		need int
	}{{server, "the server", toServer}, {caller, "the caller", toCaller}} {
		if err := p.await(p.who, p.need, size); err != nil {
			t.Error(err)
		}
	}
	_ = c.CloseWrite()
	_ = server.await("the server, at the end,", -1, size)
	_ = s.CloseWrite()
	_ = caller.await("the caller, at the end,", -1, size)
	var got outcome
	for _, p := range []struct {
		*party
		to *string
	}{{server, &got.server}, {caller, &got.caller}} {
		heard, end := p.now()
		*p.to = heard + " [" + end + "]"
	}
	return got
}

func bytesOf(s string) int { return len(s) }

func listenTCP(t testing.TB) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

const okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func post(header, body string) string {
	return "POST /a HTTP/1.1\r\nHost: b\r\n" + header + "\r\n" + body
}

// lines repeats a header line n times, each with its number.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "X-%d: y\r\n", i)
	}
	return b.String()
}

// hostile1 are connections that are malformed, or that are well-formed in rare ways.
var hostile1 = []struct {
	name string
	say  []string
}{
	{"length and chunks", []string{"> " + post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"+get("/never")), "< " + okay}},
	{"chunks and length", []string{"> " + post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5\r\nhello\r\n0\r\n\r\n"), "< " + okay}},
	{"chunked, identity", []string{"> " + post("Transfer-Encoding: chunked, identity\r\n", "5\r\nhello\r\n0\r\n\r\n"), "< " + okay}},
	{"chunked twice", []string{"> " + post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "< " + okay}},
	{"xchunked", []string{"> " + post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "< " + okay}},
	{"chunked behind a tab", []string{"> " + post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"), "< " + okay}},
	{"a space before the colon", []string{"> " + post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), "< " + okay}},
	{"a chunk size that is none", []string{"> " + post("Transfer-Encoding: chunked\r\n", "zz\r\nhello\r\n0\r\n\r\n"), "< HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "< fin"}},
	{"a negative chunk size", []string{"> " + post("Transfer-Encoding: chunked\r\n", "-5\r\nhello\r\n0\r\n\r\n"), "< " + okay}},
	{"a chunk size of C", []string{"> " + post("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"), "< " + okay}},
	{"a chunk size of 2^64", []string{"> " + post("Transfer-Encoding: chunked\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n"), "< " + okay}},
	{"a chunk that is longer than its size", []string{"> " + post("Transfer-Encoding: chunked\r\n", "2\r\nhello\r\n0\r\n\r\n"), "< " + okay}},
	{"a chunk's line without end", []string{"> " + post("Transfer-Encoding: chunked\r\n", "5;"+strings.Repeat("x", 100<<10)), "< " + okay}},
	{"bare line feeds", []string{"> GET /a HTTP/1.1\nHost: b\n\n", "< HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "> " + get("/b"), "< " + okay}},
	{"one bare line feed", []string{"> GET /a HTTP/1.1\r\nHost: b\nX: y\r\n\r\n", "< " + okay}},
	{"bare carriage returns", []string{"> GET /a HTTP/1.1\r\nHost: b\rX: y\r\n\r\n", "< " + okay}},
	{"the same length twice", []string{"> " + post("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"), "< " + okay}},
	{"two lengths", []string{"> " + post("Content-Length: 2\r\nContent-Length: 5\r\n", "hello"), "< " + okay}},
	{"a list of lengths", []string{"> " + post("Content-Length: 2, 2\r\n", "hi"), "< " + okay}},
	{"a signed length", []string{"> " + post("Content-Length: +2\r\n", "hi"), "< " + okay}},
	{"a negative length", []string{"> " + post("Content-Length: -1\r\n", "hi"), "< " + okay}},
	{"a length of 2^63", []string{"> " + post("Content-Length: 9223372036854775808\r\n", "hi"), "< " + okay}},
	{"two lengths of a response", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello", "> " + get("/b"), "< " + okay}},
	{"length and chunks of a response", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"a folded header", []string{"> GET /a HTTP/1.1\r\nHost: b\r\nX: y\r\n z\r\n\r\n", "< HTTP/1.1 200 OK\r\nX: y\r\n\tz\r\nContent-Length: 2\r\n\r\nok", "> " + get("/b"), "< " + okay}},
	{"a first header that is folded", []string{"> GET /a HTTP/1.1\r\n Host: b\r\n\r\n", "< " + okay}},
	{"NUL in a header", []string{"> GET /a HTTP/1.1\r\nHost: b\r\nX: a\x00b\r\n\r\n", "< " + okay}},
	{"NUL in the name of a header", []string{"> GET /a HTTP/1.1\r\nHo\x00st: b\r\n\r\n", "< HTTP/1.1 200 OK\r\nX\x00: y\r\nContent-Length: 2\r\n\r\nok"}},
	{"a header without name or colon", []string{"> GET /a HTTP/1.1\r\n: b\r\nwhat\r\n\r\n", "< HTTP/1.1 200 OK\r\nwhat\r\nContent-Length: 2\r\n\r\nok"}},
	{"20,000 headers", []string{"> GET /a HTTP/1.1\r\n" + lines(20_000) + "\r\n", "< HTTP/1.1 200 OK\r\n" + lines(20_000) + "\r\n"}},
	{"5,000 headers", []string{"> GET /a HTTP/1.1\r\n" + lines(5_000) + "\r\n", "< HTTP/1.1 200 OK\r\n" + lines(5_000) + "Content-Length: 2\r\n\r\nok", "> " + get("/b"), "< " + okay}},
	{"headers without end, refused", []string{"> GET /a HTTP/1.1\r\n" + lines(100_000), "< HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n", "< fin"}},
	{"a URL of 1 MB", []string{"> " + get("/"+strings.Repeat("a", 1<<20)), "< HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"a URL of 60 KB", []string{"> " + get("/"+strings.Repeat("a", 60<<10)), "< " + okay, "> " + get("/b"), "< " + okay}},
	{"spaces in a URL", []string{"> " + get("/a b c"), "< " + okay}},
	{"no version", []string{"> GET /a\r\n\r\n", "< hello", "< fin"}},
	{"HTTP/2.0 that is none", []string{"> PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "< HTTP/1.1 400 Bad Request\r\n\r\n", "< fin"}},
	{"HTTP/3.7", []string{"> GET /a HTTP/3.7\r\n\r\n", "< HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n", "< fin"}},
	{"empty lines before a request", []string{"> \r\n\r\n" + get("/a"), "< " + okay, "> \r\n" + get("/b"), "< " + okay}},
	{"100 before the body", []string{"> " + post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""), "< HTTP/1.1 100 Continue\r\n\r\n", "> hi", "< " + okay}},
	{"100 behind the body", []string{"> " + post("Content-Length: 2\r\nExpect: 100-continue\r\n", "hi"), "< HTTP/1.1 100 Continue\r\n\r\n" + okay, "> " + get("/b"), "< " + okay}},
	{"417 in place of 100", []string{"> " + post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""), "< HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", "> hi" + get("/b"), "< " + okay}},
	{"100 that nobody asked for", []string{"> " + get("/a"), "< HTTP/1.1 100 Continue\r\n\r\n", "< HTTP/1.1 100 Continue\r\n\r\n" + okay}},
	{"103 twice", []string{"> " + get("/a"), "< HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", "< HTTP/1.1 103 Early Hints\r\n\r\n" + okay, "> " + get("/b"), "< " + okay}},
	{"HEAD with a length", []string{"> HEAD /a HTTP/1.1\r\n\r\n" + get("/b"), "< HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + okay, "> " + get("/c"), "< " + okay}},
	{"HEAD with chunks", []string{"> HEAD /a HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"204 and 304 with lengths", []string{"> " + get("/a") + get("/b") + get("/c"), "< HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" + okay}},
	{"50 in a pipe", []string{"> " + strings.Repeat(get("/a")+post("Content-Length: 2\r\n", "hi"), 25), "< " + strings.Repeat(okay+chunky, 25), "> " + get("/b"), "< " + okay}},
	{"5,000 in a pipe", []string{"> " + strings.Repeat(get("/a"), 5000), "< " + strings.Repeat(okay, 5000)}},
	{"websocket", []string{"> GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "< HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
		"> \x81\x85abcd\x09\x07\x0f\x08\x0e", "< \x81\x05hello", "> GET /never HTTP/1.1\r\n\r\n", "< \x88\x00", "> \x88\x80abcd", "< fin"}},
	{"websocket that is refused", []string{"> GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "< HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"h2c by upgrade", []string{"> GET /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
		"< HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + h2Settings, "> " + string(preface) + h2Settings, "< \x00\x00\x00\x01\x05\x00\x00\x00\x01"}},
	{"CONNECT", []string{"> CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", "< HTTP/1.1 200 OK\r\n\r\n", "> \x16\x03\x01", "< \x16\x03\x03", "> fin", "< more", "< fin"}},
	{"CONNECT with a length", []string{"> CONNECT h:443 HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "> " + get("/never"), "< \x00"}},
	{"CONNECT whose caller does not wait", []string{"> CONNECT h:443 HTTP/1.1\r\n\r\n\x16\x03\x01\x00", "<!HTTP/1.1 200 OK\r\n\r\n", "> more", "< fin"}},
	{"CONNECT that is refused", []string{"> CONNECT h:443 HTTP/1.1\r\n\r\n", "< HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"trailers both ways", []string{"> " + post("Transfer-Encoding: chunked\r\nTrailer: X\r\n", "2;a=b\r\nhi\r\n0\r\nX: y\r\nZ: \r\n\r\n"), "< " + chunky, "> " + get("/b"), "< " + okay}},
	{"chunks in both directions at once", []string{"> " + post("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n"), "< HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "> 2\r\nho\r\n", "< 2\r\nho\r\n", "> 0\r\n\r\n", "< 0\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"HTTP/1.0 that stays", []string{"> GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "< HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "> GET /b HTTP/1.0\r\n\r\n", "< HTTP/1.0 200 OK\r\n\r\nall", "< fin"}},
	{"HTTP/1.0 with chunks", []string{"> POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "< HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "< fin"}},
	{"a response without a length", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\n\r\nhello", "< and more", "< fin"}},
	{"a response without a length, reset", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\n\r\nhello", "< rst"}},
	{"a response that is not whole", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello", "< fin"}},
	{"a head that is not whole", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Le", "< fin"}},
	{"a request that is not whole", []string{"> " + post("Content-Length: 20\r\n", "hello"), "> fin", "< HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "< fin"}},
	{"the head of a request that is not whole", []string{"> GET /a HTTP/1.1\r\nHo", "> fin", "< HTTP/1.1 400 Bad Request\r\n\r\n", "< fin"}},
	{"a caller that half-closes", []string{"> " + get("/a"), "> fin", "< " + okay, "< fin"}},
	{"a caller that resets", []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "> rst"}},
	{"an answer before the body's end", []string{"> " + post("Content-Length: 10\r\n", "hello"), "< HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n", "> hello" + get("/b"), "< " + okay}},
	{"an answer before the chunks' end, and a close", []string{"> " + post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), "< HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "> 5\r\nhello\r\n", "< fin"}},
	{"an answer to nothing", []string{"< HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", "< fin"}},
	{"more answers than requests", []string{"> " + get("/a"), "< " + okay + okay + okay, "> " + get("/b"), "< " + okay}},
	{"an answer that is no HTTP", []string{"> " + get("/a"), "< \x00\xffhello\r\n\r\n", "> " + get("/b"), "< hello"}},
	{"a status of 99", []string{"> " + get("/a"), "< HTTP/1.1 99 Low\r\n\r\n", "> " + get("/b"), "< " + okay}},
	{"a status of 999 without a reason", []string{"> " + get("/a"), "< HTTP/1.1 999\r\nContent-Length: 2\r\n\r\nok", "> " + get("/b"), "< " + okay}},
	{"an ICY answer", []string{"> " + get("/a"), "< ICY 200 OK\r\n\r\nmusic", "> " + get("/b"), "< more"}},
	{"a server that speaks first", []string{"< 220 hello\r\n", "> HELO me\r\n", "< 250 yes\r\n", "> QUIT\r\n", "< fin"}},
	{"a caller that sends TLS", []string{"> \x16\x03\x01\x00\x05hello", "< \x15\x03\x01\x00\x02\x02\x46", "< fin"}},
}

const h2Settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// Where the connection goes while rules of requests are set that hit none of them, both ends hear what they would hear from each other,
// byte for byte, and neither has to wait for more than that, but for the rest of a request's head. So it is where the rules come in the middle of it.
func TestHostileHTTP1(t *testing.T) {
	t.Parallel()
	for _, tt := range hostile1 {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := listenTCP(t)
			direct := addrPort(l.Addr())
			want := talk(t, l, direct, tt.say, bytesOf, nil)
			for at := range len(tt.say) {
				m, _ := recordedMesh(t)
				front := openFront(t, m, "a-1", "b", "b-1", direct)
				say := append(append(append([]string{}, tt.say[:at]...), "arm"), tt.say[at:]...)
				if got := talk(t, l, front, say, bytesOf, func() { lurk(t, m) }); got != want {
					t.Errorf("armed before line %d:\nthe server heard %.300q\nwant             %.300q\nthe caller heard %.300q\nwant             %.300q", at,
						got.server, want.server, got.caller, want.caller)
				}
				if s := laneOf(m); s.Hit != 0 {
					t.Errorf("armed before line %d: %d hit", at, s.Hit)
				}
			}
		})
	}
}
