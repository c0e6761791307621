package link

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/assay-dev/assay/system"
)

// A talker writes one side of an HTTP/2 connection, with a table of headers as a real one has.
type talker struct {
	framer  *xhttp2.Framer
	out     bytes.Buffer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func newTalker(first string) *talker {
	t := &talker{}
	t.out.WriteString(first)
	t.framer = xhttp2.NewFramer(&t.out, nil)
	t.framer.AllowIllegalWrites = true
	t.encoder = hpack.NewEncoder(&t.block)
	_ = t.framer.WriteSettings()
	return t
}

// headers writes "name=value" fields.
func (t *talker) headers(stream uint32, end bool, fields ...string) {
	t.block.Reset()
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		_ = t.encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	_ = t.framer.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: stream, BlockFragment: t.block.Bytes(), EndStream: end, EndHeaders: true})
}

func (t *talker) get(stream uint32, path string) {
	t.headers(stream, true, ":method=GET", ":scheme=http", ":path="+path, ":authority=b", "x-note=the same each time")
}

func (t *talker) post(stream uint32, path string) {
	t.headers(stream, false, ":method=POST", ":scheme=http", ":path="+path, ":authority=b")
}

func (t *talker) ok(stream uint32, body string) {
	t.headers(stream, false, ":status=200", "content-length="+fmt.Sprint(len(body)), "x-note=an answer")
	_ = t.framer.WriteData(stream, true, []byte(body))
}

// take returns what was written since the last time.
func (t *talker) take() string {
	s := t.out.String()
	t.out.Reset()
	return s
}

// heard reads frames as their receiver does, one line each.
func heard(data []byte) []string {
	data = bytes.TrimPrefix(data, preface)
	r := xhttp2.NewFramer(nil, bytes.NewReader(data))
	r.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	r.MaxHeaderListSize = 1 << 20
	var all []string
	for {
		f, err := r.ReadFrame()
		if _, ok := err.(xhttp2.StreamError); ok {
			all = append(all, err.Error())
			continue
		}
		if err != nil {
			return all
		}
		switch f := f.(type) {
		case *xhttp2.MetaHeadersFrame:
			var fields []string
			for _, h := range f.Fields {
				if h.Name != "x-note" && h.Name != ":scheme" && h.Name != ":authority" {
					fields = append(fields, h.Name+"="+h.Value)
				}
			}
			all = append(all, fmt.Sprintf("%d %s%s", f.StreamID, strings.Join(fields, " "), mark(f.StreamEnded())))
		case *xhttp2.DataFrame:
			all = append(all, fmt.Sprintf("%d %q%s", f.StreamID, f.Data(), mark(f.StreamEnded())))
		case *xhttp2.RSTStreamFrame:
			all = append(all, fmt.Sprintf("%d reset %v", f.StreamID, f.ErrCode))
		case *xhttp2.WindowUpdateFrame:
			all = append(all, fmt.Sprintf("%d window %d", f.StreamID, f.Increment))
		case *xhttp2.GoAwayFrame:
			all = append(all, fmt.Sprintf("goaway %d", f.LastStreamID))
		case *xhttp2.SettingsFrame: // each side's first
		default:
			all = append(all, f.Header().Type.String())
		}
	}
}

func mark(end bool) string {
	if end {
		return " end"
	}
	return ""
}

// A side speaks, or time passes.
type act func(caller, server *talker, w *workbench)

func callerDoes(f func(c *talker)) act { return func(c, _ *talker, _ *workbench) { f(c) } }
func serverDoes(f func(s *talker)) act { return func(_, s *talker, _ *workbench) { f(s) } }

var edits2 = []struct {
	name           string
	rules          []system.Rule
	acts           []act
	server, caller []string
	hits           string
}{
	{name: "no rule hits", rules: abort("/x"),
		acts:   []act{callerDoes(func(c *talker) { c.get(1, "/a"); c.get(3, "/a") }), serverDoes(func(s *talker) { s.ok(3, "three"); s.ok(1, "one") })},
		server: []string{"1 :method=GET :path=/a end", "3 :method=GET :path=/a end"},
		caller: []string{"3 :status=200 content-length=5", `3 "three" end`, "1 :status=200 content-length=3", `1 "one" end`}},
	{name: "abort of one of three", rules: abort("/b"),
		acts:   []act{callerDoes(func(c *talker) { c.get(1, "/a"); c.get(3, "/b"); c.get(5, "/c") }), serverDoes(func(s *talker) { s.ok(1, "x"); s.ok(5, "y") })},
		server: []string{"1 :method=GET :path=/a end", "5 :method=GET :path=/c end"},
		caller: []string{"3 :status=503 content-length=0 x-assay-fault=abort end", "1 :status=200 content-length=1", `1 "x" end`, "5 :status=200 content-length=1", `5 "y" end`},
		hits:   "abort GET /b"},
	{name: "abort gives flow control back", rules: abort("/b"),
		acts: []act{callerDoes(func(c *talker) {
			c.post(1, "/b")
			_ = c.framer.WriteData(1, false, []byte("0123456789"))
			_ = c.framer.WriteWindowUpdate(1, 5)
			_ = c.framer.WriteData(1, true, []byte("0123"))
		})},
		caller: []string{"1 :status=503 content-length=0 x-assay-fault=abort end", "1 reset NO_ERROR", "0 window 14"}, hits: "abort POST /b"},
	{name: "abort of gRPC", rules: []system.Rule{{Kind: system.Abort, Code: "UNAVAILABLE"}},
		acts:   []act{callerDoes(func(c *talker) { c.headers(1, true, ":method=POST", ":path=/p.S/M", "content-type=application/grpc") })},
		caller: []string{"1 :status=200 content-type=application/grpc grpc-status=14 grpc-message=answered by the fault abort x-assay-fault=abort end"}, hits: "abort POST /p.S/M"},
	{name: "delay: the stream gets a new number", rules: []system.Rule{{Kind: system.Delay, Delay: time.Second, Match: &system.Match{Path: "/slow"}}},
		acts: []act{
			callerDoes(func(c *talker) {
				c.post(1, "/slow")
				_ = c.framer.WriteData(1, true, []byte("body"))
				c.get(3, "/fast")
			}),
			serverDoes(func(s *talker) { s.ok(3, "fast") }), later(time.Second),
			callerDoes(func(c *talker) { c.get(5, "/next"); _ = c.framer.WriteRSTStream(1, xhttp2.ErrCodeCancel) }),
			serverDoes(func(s *talker) { s.ok(7, "next"); s.ok(5, "slow") }), // to a stream that was reset
		},
		server: []string{"3 :method=GET :path=/fast end", "5 :method=POST :path=/slow", `5 "body" end`, "7 :method=GET :path=/next end", "5 reset CANCEL", "0 window 4"},
		caller: []string{"3 :status=200 content-length=4", `3 "fast" end`, "5 :status=200 content-length=4", `5 "next" end`}, hits: "delay POST /slow"},
	{name: "delay: the caller gives up before", rules: []system.Rule{{Kind: system.Delay, Delay: time.Second, Match: &system.Match{}}},
		acts: []act{callerDoes(func(c *talker) {
			c.post(1, "/slow")
			_ = c.framer.WriteData(1, false, []byte("body"))
			_ = c.framer.WriteRSTStream(1, xhttp2.ErrCodeCancel)
		}), later(2 * time.Second)},
		caller: []string{"0 window 4"}},
	{name: "goaway refuses what waits", rules: []system.Rule{{Kind: system.Delay, Delay: time.Second, Match: &system.Match{Path: "/slow"}}},
		acts: []act{callerDoes(func(c *talker) { c.get(1, "/slow"); c.get(3, "/fast") }),
			serverDoes(func(s *talker) { _ = s.framer.WriteGoAway(3, xhttp2.ErrCodeNo, nil); s.ok(3, "fast") }), later(2 * time.Second)},
		server: []string{"3 :method=GET :path=/fast end"},
		caller: []string{"1 reset REFUSED_STREAM", "goaway 3", "3 :status=200 content-length=4", `3 "fast" end`}},
	{name: "goaway in the caller's numbers", rules: []system.Rule{{Kind: system.Delay, Delay: time.Second, Match: &system.Match{Path: "/slow"}}},
		acts: []act{callerDoes(func(c *talker) { c.get(1, "/slow"); c.get(3, "/fast") }), later(time.Second), // 1 is 5 there
			serverDoes(func(s *talker) { _ = s.framer.WriteGoAway(3, xhttp2.ErrCodeNo, nil) })},
		server: []string{"3 :method=GET :path=/fast end", "5 :method=GET :path=/slow end"},
		caller: []string{"1 reset REFUSED_STREAM", "goaway 3"}, hits: "delay GET /slow"},
	{name: "truncate", rules: []system.Rule{{Kind: system.Truncate, Bytes: 2}},
		acts:   []act{callerDoes(func(c *talker) { c.get(1, "/a"); c.get(3, "/b") }), serverDoes(func(s *talker) { s.ok(1, "abcdef"); s.ok(3, "ab") })},
		server: []string{"1 :method=GET :path=/a end", "3 :method=GET :path=/b end", "0 window 4"},
		caller: []string{"1 :status=200 content-length=6", `1 "ab"`, "1 reset INTERNAL_ERROR", "3 :status=200 content-length=2", `3 "ab" end`}, hits: "truncate GET /a"},
	{name: "truncate a stream that goes on", rules: []system.Rule{{Kind: system.Truncate, Bytes: 2}},
		acts: []act{callerDoes(func(c *talker) { c.get(1, "/a") }), serverDoes(func(s *talker) {
			s.headers(1, false, ":status=200")
			_ = s.framer.WriteData(1, false, []byte("abc"))
			_ = s.framer.WriteData(1, false, []byte("def"))
			s.headers(1, true, "x-tail=1")
		})},
		server: []string{"1 :method=GET :path=/a end", "1 reset CANCEL", "0 window 4"},
		caller: []string{"1 :status=200", `1 "ab"`, "1 reset INTERNAL_ERROR"}, hits: "truncate GET /a"},
	{name: "body", rules: []system.Rule{{Kind: system.Body, Value: "hello"}},
		acts:   []act{callerDoes(func(c *talker) { c.get(1, "/a") }), serverDoes(func(s *talker) { s.ok(1, "abcdefgh") })},
		server: []string{"1 :method=GET :path=/a end", "0 window 3"},
		caller: []string{"1 :status=200 content-length=5", `1 "hello"`, `1 "" end`}, hits: "body GET /a"},
	{name: "body where there was none, and a trailer", rules: []system.Rule{{Kind: system.Body, Value: "hello"}},
		acts: []act{callerDoes(func(c *talker) { c.get(1, "/a"); c.get(3, "/b"); _ = c.framer.WriteWindowUpdate(0, 12) }), serverDoes(func(s *talker) {
			s.headers(1, true, ":status=200")
			s.headers(3, false, ":status=200")
			s.headers(3, true, "x-tail=1")
		}), callerDoes(func(c *talker) { _ = c.framer.WriteWindowUpdate(0, 12) })},
		server: []string{"1 :method=GET :path=/a end", "3 :method=GET :path=/b end", "0 window 12", "0 window 2"},
		caller: []string{"1 :status=200 content-length=5", `1 "hello"`, `1 "" end`, "3 :status=200 content-length=5", `3 "hello"`, "3 x-tail=1 end"}, hits: "body GET /a, body GET /b"},
	{name: "body as fast as the caller takes it", rules: []system.Rule{{Kind: system.Body, Value: "hello"}},
		acts: []act{callerDoes(func(c *talker) {
			_ = c.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 2})
			c.get(1, "/a")
		}), serverDoes(func(s *talker) { s.ok(1, "") }), callerDoes(func(c *talker) { _ = c.framer.WriteWindowUpdate(1, 2) }), callerDoes(func(c *talker) { _ = c.framer.WriteWindowUpdate(1, 2) })},
		server: []string{"1 :method=GET :path=/a end"},
		caller: []string{"1 :status=200 content-length=5", `1 "he"`, `1 "ll"`, `1 "o"`, `1 "" end`}, hits: "body GET /a"},
	{name: "body whose window grows by settings", rules: []system.Rule{{Kind: system.Body, Value: "hello"}},
		acts: []act{callerDoes(func(c *talker) {
			_ = c.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 2})
			c.get(1, "/a")
		}), serverDoes(func(s *talker) { s.ok(1, "") }), callerDoes(func(c *talker) {
			_ = c.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 9})
		})},
		server: []string{"1 :method=GET :path=/a end"},
		caller: []string{"1 :status=200 content-length=5", `1 "he"`, `1 "llo"`, `1 "" end`}, hits: "body GET /a"},
	{name: "late data of a request that was aborted, and of one that was not", rules: abort("/b"),
		acts: []act{callerDoes(func(c *talker) { c.get(1, "/a"); c.post(3, "/b") }), serverDoes(func(s *talker) { s.ok(1, "x") }), callerDoes(func(c *talker) {
			_ = c.framer.WriteData(1, false, []byte("late"))
			_ = c.framer.WriteData(3, true, []byte("late"))
			c.headers(1, true, "x-tail=1")
			c.headers(3, true, "x-tail=1")
		})},
		server: []string{"1 :method=GET :path=/a end", `1 "late"`, "1 x-tail=1 end"},
		caller: []string{"3 :status=503 content-length=0 x-assay-fault=abort end", "3 reset NO_ERROR", "1 :status=200 content-length=1", `1 "x" end`, "0 window 4"}, hits: "abort POST /b"},
	{name: "header, also of trailers alone", rules: []system.Rule{{Kind: system.Header, Name: "Grpc-Status", Value: "7"}},
		acts: []act{callerDoes(func(c *talker) { c.headers(1, true, ":method=POST", ":path=/p", "content-type=application/grpc") }),
			serverDoes(func(s *talker) { s.headers(1, true, ":status=200", "grpc-status=0") })},
		server: []string{"1 :method=POST :path=/p content-type=application/grpc end"},
		caller: []string{"1 :status=200 grpc-status=7 end"}, hits: "header POST /p"},
}

func later(d time.Duration) act { return func(_, _ *talker, w *workbench) { w.now += d } }

func TestEditHTTP2(t *testing.T) {
	t.Parallel()
	for _, tt := range edits2 {
		for _, size := range []int{1 << 20, 1, 7} {
			w, c, s := newWorkbench(tt.rules...), newTalker(string(preface)), newTalker("")
			for _, act := range tt.acts {
				act(c, s, w)
				w.did(true)
				w.say("> "+c.take(), size)
				w.say("< "+s.take(), size)
			}
			name := fmt.Sprintf("%s, in pieces of %d", tt.name, size)
			if got := heard(w.server); fmt.Sprint(summed(got)) != fmt.Sprint(summed(tt.server)) {
				t.Errorf("%s: the server heard\n%q, want\n%q", name, got, tt.server)
			}
			if got := heard(w.caller); fmt.Sprint(summed(got)) != fmt.Sprint(summed(tt.caller)) {
				t.Errorf("%s: the caller heard\n%q, want\n%q", name, got, tt.caller)
			}
			if got := strings.Join(w.hits, ", "); got != tt.hits {
				t.Errorf("%s: hits %q, want %q", name, got, tt.hits)
			}
			if len(w.ends) > 0 {
				t.Errorf("%s: ended", name)
			}
		}
	}
}

// The longest frame that peers may agree on (RFC 9113, section 4.2) passes.
func TestEdit2LongestFrame(t *testing.T) {
	w, c, s := newWorkbench(abort("/x")...), newTalker(string(preface)), newTalker("")
	_ = c.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxFrameSize, Val: 1<<24 - 1})
	c.get(1, "/a")
	w.say("> "+c.take(), 1<<20)
	s.headers(1, false, ":status=200")
	w.say("< "+s.take(), 1<<20)
	_ = s.framer.WriteData(1, true, bytes.Repeat([]byte("x"), 1<<24-1))
	frame := s.take()
	w.say("< "+frame, 1<<20)
	if !bytes.HasSuffix(w.caller, []byte(frame)) || len(w.ends) > 0 {
		t.Errorf("the caller got %d bytes, ended %v", len(w.caller), w.ends)
	}
}

// summed adds the windows of the connection up: how they are cut depends on how bytes arrive.
func summed(lines []string) (rest []string, window int) {
	for _, line := range lines {
		var n int
		if _, err := fmt.Sscanf(line, "0 window %d", &n); err == nil {
			window += n
			continue
		}
		rest = append(rest, line)
	}
	return rest, window
}
