package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// framesOf lists frames one by one, header blocks as they are understood. Hints of priority, padding of headers and how a block is cut are left out.
func framesOf(data string) []string {
	data = strings.TrimPrefix(data, string(preface))
	d := hpack.NewDecoder(4096, nil)
	d.SetAllowedMaxDynamicTableSize(1 << 20)
	var all []string
	var begun raw2
	var block []byte
	for len(data) >= 9 && len(data) >= 9+lengthOfFrame([]byte(data)) {
		f := raw2(data[:9+lengthOfFrame([]byte(data))])
		data = data[len(f):]
		switch f.kind() {
		case frameHeaders, framePushPromise:
			body, ok := f.asFrame().body()
			if !ok {
				return append(all, "a padding that is too long")
			}
			begun, block = f, body
		case frameContinuation:
			block = append(block, f.payload()...)
		default:
			all = append(all, fmt.Sprintf("%v %x %d %d %.20q", xhttp2.FrameType(f.kind()), f.flags(), f.stream(), f.length(), f.payload()))
			continue
		}
		if !f.has(flagEndHeaders) {
			continue
		}
		fields, err := d.DecodeFull(block)
		all = append(all, fmt.Sprintf("%v %x %d %v %v", xhttp2.FrameType(begun.kind()), begun.flags()&flagEndStream, begun.stream(), fields, err))
	}
	return all
}

func frameCount(data string) int { return len(framesOf(data)) }

// A turn2 is what a side says at once.
type turn2 struct {
	who byte
	say func(t *talker)
}

func says(who byte, say func(t *talker)) turn2 { return turn2{who, say} }

// script makes lines for talk of the turns.
func script(turns []turn2) []string {
	caller, server := newTalker(string(preface)), newTalker("")
	all := []string{"> " + caller.take(), "< " + server.take()}
	for _, turn := range turns {
		side := caller
		if turn.who == '<' {
			side = server
		}
		turn.say(side)
		all = append(all, string(turn.who)+" "+side.take())
	}
	return all
}

func raw2Of(kind, flags byte, stream uint32, payload string) []byte {
	return append(appendFrame(nil, kind, flags, stream, len(payload)), payload...)
}

// put writes a frame as it is.
func (t *talker) put(kind, flags byte, stream uint32, payload string) {
	t.out.Write(raw2Of(kind, flags, stream, payload))
}

// blockOf encodes fields without a table.
func (t *talker) blockOf(fields ...string) string {
	t.block.Reset()
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		_ = t.encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: true})
	}
	return t.block.String()
}

func word(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

var getA = []string{":method=GET", ":scheme=http", ":path=/a", ":authority=b"}

// rare2 are connections of HTTP/2 as they are rarely seen.
var rare2 = []struct {
	name  string
	turns []turn2
}{
	{"gRPC, streaming both ways", []turn2{
		says('>', func(t *talker) {
			t.headers(1, false, ":method=POST", ":scheme=http", ":path=/s/M", "content-type=application/grpc", "te=trailers")
		}),
		says('<', func(t *talker) { t.headers(1, false, ":status=200", "content-type=application/grpc") }),
		says('>', func(t *talker) { t.put(frameData, 0, 1, "\x00\x00\x00\x00\x02hi") }), says('<', func(t *talker) { t.put(frameData, 0, 1, "\x00\x00\x00\x00\x02ho") }),
		says('>', func(t *talker) { t.put(frameData, 0, 1, "\x00\x00\x00\x00\x02hi") }), says('<', func(t *talker) { t.put(frameData, 0, 1, "\x00\x00\x00\x00\x02ho") }),
		says('>', func(t *talker) { t.put(frameData, flagEndStream, 1, "") }),
		says('<', func(t *talker) { t.headers(1, true, "grpc-status=0", "grpc-message=") })}},
	{"trailers both ways", []turn2{says('>', func(t *talker) {
		t.post(1, "/a")
		t.put(frameData, 0, 1, "hi")
		t.headers(1, true, "x-tail=1")
	}),
		says('<', func(t *talker) {
			t.headers(1, false, ":status=200")
			t.put(frameData, 0, 1, "ho")
			t.headers(1, true, "x-sum=2")
		})}},
	{"103, then 200, before the body has ended", []turn2{says('>', func(t *talker) { t.post(1, "/a") }),
		says('<', func(t *talker) {
			t.headers(1, false, ":status=103", "link=x")
			t.headers(1, false, ":status=100")
			t.headers(1, true, ":status=413")
			_ = t.framer.WriteRSTStream(1, xhttp2.ErrCodeNo)
		}), says('>', func(t *talker) { t.get(3, "/b") }), says('<', func(t *talker) { t.ok(3, "b") })}},
	{"SETTINGS in the middle", []turn2{says('>', func(t *talker) {
		t.get(1, "/a")
		_ = t.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingHeaderTableSize, Val: 0}, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 10}, xhttp2.Setting{ID: 0x99, Val: 7})
		t.put(frameSettings, 1, 0, "")
	}), says('<', func(t *talker) {
		_ = t.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: 1})
		t.put(frameSettings, 1, 0, "")
		t.put(frameSettings, 1, 0, "")
		t.ok(1, "a")
	}), says('>', func(t *talker) { t.get(3, "/a") })}},
	{"PRIORITY, PING, PRIORITY_UPDATE and frames that nobody knows", []turn2{says('>', func(t *talker) {
		t.put(framePriority, 0, 7, word(3)+"\x10")
		t.get(1, "/a")
		t.put(framePriority, 0, 1, word(0)+"\x10")
		t.put(framePriorityUpdate, 0, 0, word(1)+"u=1")
		t.put(framePing, 0, 0, "12345678")
		t.put(0x77, 0xff, 0, "what")
		t.put(0x77, 0xff, 1, "what")
	}), says('<', func(t *talker) {
		t.put(framePing, 1, 0, "12345678")
		t.put(0xa, 0, 0, "\x00\x00h2=x")
		t.put(0xa, 0, 1, "\x00\x00h2=x")
		t.ok(1, "a")
	})}},
	{"PUSH_PROMISE", []turn2{says('>', func(t *talker) { t.get(1, "/a") }),
		says('<', func(t *talker) {
			t.put(framePushPromise, flagEndHeaders, 1, word(2)+t.blockOf(getA...))
			t.ok(1, "a")
			t.ok(2, "pushed")
		}), says('>', func(t *talker) { _ = t.framer.WriteRSTStream(2, xhttp2.ErrCodeCancel) })}},
	{"a header in many parts, padded, with a priority", []turn2{says('>', func(t *talker) {
		b := t.blockOf(append(getA, "x-long="+strings.Repeat("long", 5000))...)
		t.put(frameHeaders, flagEndStream|flagPadded|flagPriority, 1, "\x03"+word(0)+"\x10"+b[:1]+"\x00\x00\x00")
		t.put(frameContinuation, 0, 1, "")
		t.put(frameContinuation, 0, 1, b[1:100])
		t.put(frameContinuation, flagEndHeaders, 1, b[100:])
	}), says('<', func(t *talker) {
		t.put(frameHeaders, flagEndHeaders, 1, t.blockOf(":status=200"))
		t.put(frameData, flagPadded|flagEndStream, 1, "\x02ok\x00\x00")
	})}},
	{"GOAWAY while requests are under way", []turn2{says('>', func(t *talker) { t.get(1, "/a"); t.get(3, "/b"); t.get(5, "/c") }),
		says('<', func(t *talker) { _ = t.framer.WriteGoAway(1<<31-1, xhttp2.ErrCodeNo, nil) }), says('>', func(t *talker) { t.get(7, "/d") }),
		says('<', func(t *talker) {
			_ = t.framer.WriteGoAway(3, xhttp2.ErrCodeNo, []byte("bye"))
			t.ok(3, "b")
			t.ok(1, "a")
		}),
		says('>', func(t *talker) { _ = t.framer.WriteGoAway(0, xhttp2.ErrCodeNo, nil) })}},
	{"RST_STREAM from both ends at once", []turn2{says('>', func(t *talker) { t.post(1, "/a"); t.put(frameData, 0, 1, "hi") }),
		says('>', func(t *talker) { _ = t.framer.WriteRSTStream(1, xhttp2.ErrCodeCancel); t.get(3, "/b") }), says('<', func(t *talker) { t.ok(3, "b") })}},
	{"data behind the end of a stream", []turn2{says('>', func(t *talker) { t.get(1, "/a"); t.put(frameData, flagEndStream, 1, "more") }), says('<', func(t *talker) { t.ok(1, "a") }),
		says('>', func(t *talker) { t.put(frameData, 0, 1, "more"); t.headers(1, true, "x-tail=1") }),
		says('<', func(t *talker) { t.put(frameData, 0, 1, "more"); t.headers(1, true, "x-tail=1") })}},
	{"a stream below the highest", []turn2{says('>', func(t *talker) { t.get(5, "/a"); t.get(3, "/a") }), says('<', func(t *talker) { t.ok(5, "a") })}},
	{"windows that are none", []turn2{says('>', func(t *talker) {
		t.get(1, "/a")
		t.put(frameWindowUpdate, 0, 0, word(0))
		t.put(frameWindowUpdate, 0, 1, word(1<<31-1))
		t.put(frameWindowUpdate, 0, 0, "abc")
		t.put(frameSettings, 0, 0, "abcde")
		t.put(framePing, 0, 0, "abc")
	}), says('<', func(t *talker) { t.put(frameGoAway, 0, 0, word(1)+word(1)) })}},
	{"names of headers that are none", []turn2{says('>', func(t *talker) {
		t.headers(1, true, append(getA, "Upper=1", "sp ace=2", "x=a\x00b", "connection=close", ":path=/b")...)
	}), says('<', func(t *talker) { _ = t.framer.WriteRSTStream(1, xhttp2.ErrCodeProtocol) })}},
	{"frames as long as the receiver takes them", []turn2{says('<', func(t *talker) {
		_ = t.framer.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxFrameSize, Val: 3 << 20})
	}),
		says('>', func(t *talker) { t.post(1, "/a"); t.put(frameData, flagEndStream, 1, strings.Repeat("x", 3<<20)) }), says('<', func(t *talker) { t.ok(1, "a") })}},
}

// What no rule hits means the same at the other end, frame by frame, from the connection's beginning and from any point of it.
func TestRareHTTP2(t *testing.T) {
	t.Parallel()
	for _, tt := range rare2 {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := listenTCP(t)
			direct := addrPort(l.Addr())
			say := script(tt.turns)
			want := talk(t, l, direct, say, frameCount, nil)
			for at := range len(say) {
				m, _ := recordedMesh(t)
				front := openFront(t, m, "a-1", "b", "b-1", direct)
				armed := append(append(append([]string{}, say[:at]...), "arm"), say[at:]...)
				got := talk(t, l, front, armed, frameCount, func() { lurk(t, m) })
				for _, side := range []struct{ who, got, want string }{{"server", got.server, want.server}, {"caller", got.caller, want.caller}} {
					if g, w := strings.Join(framesOf(side.got), "\n"), strings.Join(framesOf(side.want), "\n"); g != w {
						t.Errorf("armed before line %d: the %s heard\n%s\nwant\n%s", at, side.who, g, w)
					}
				}
			}
		})
	}
}

// hostile2 are callers whose HTTP/2 is none, or too much.
var hostile2 = []struct {
	name string
	say  func(t *talker)
}{
	{"nothing wrong", func(t *talker) { t.get(1, "/a") }},
	{"a header on stream 0", func(t *talker) { t.put(frameHeaders, flagEndHeaders|flagEndStream, 0, t.blockOf(getA...)) }},
	{"a header on an even stream", func(t *talker) { t.put(frameHeaders, flagEndHeaders|flagEndStream, 2, t.blockOf(getA...)) }},
	{"data on stream 0", func(t *talker) { t.put(frameData, 0, 0, "hi") }},
	{"data on an idle stream", func(t *talker) { t.put(frameData, 0, 5, "hi") }},
	{"a window of an idle stream", func(t *talker) { t.put(frameWindowUpdate, 0, 5, word(1)) }},
	{"a reset of an idle stream", func(t *talker) { t.put(frameRSTStream, 0, 5, word(8)) }},
	{"a padding that is too long", func(t *talker) {
		t.put(frameHeaders, flagEndHeaders|flagEndStream|flagPadded, 1, "\xff"+t.blockOf(getA...))
	}},
	{"a padding of data that is too long", func(t *talker) { t.post(1, "/a"); t.put(frameData, flagPadded, 1, "\x09hi") }},
	{"a header that is no HPACK", func(t *talker) { t.put(frameHeaders, flagEndHeaders|flagEndStream, 1, "\xff\xff\xff\xff\xff\xff") }},
	{"an index of nothing", func(t *talker) { t.put(frameHeaders, flagEndHeaders|flagEndStream, 1, "\xfe") }},
	{"a table that is too large", func(t *talker) { t.put(frameHeaders, flagEndHeaders|flagEndStream, 1, "\x3f\xe1\xff\xff\x07") }},
	{"a CONTINUATION without a header", func(t *talker) { t.put(frameContinuation, flagEndHeaders, 1, t.blockOf(getA...)) }},
	{"a CONTINUATION of another stream", func(t *talker) {
		b := t.blockOf(getA...)
		t.put(frameHeaders, flagEndStream, 1, b[:3])
		t.put(frameContinuation, flagEndHeaders, 3, b[3:])
	}},
	{"a frame within a header", func(t *talker) {
		t.put(frameHeaders, flagEndStream, 1, t.blockOf(getA...))
		t.put(framePing, 0, 0, "12345678")
		t.put(frameContinuation, flagEndHeaders, 1, "")
	}},
	{"a flood of CONTINUATION", func(t *talker) {
		t.put(frameHeaders, flagEndStream, 1, t.blockOf(getA...))
		for i := range 20_000 {
			t.put(frameContinuation, 0, 1, t.blockOf(fmt.Sprintf("x-%d=%s", i, strings.Repeat("y", 500))))
		}
	}},
	{"a header that unpacks to 100 MB", func(t *talker) {
		t.put(frameHeaders, flagEndStream, 1, t.blockOf(getA...)+"\x40\x01x\x7f\x81\x1e"+strings.Repeat("y", 4000)) // kept in the table at once
		for range 2 {
			t.put(frameContinuation, 0, 1, strings.Repeat("\xbe", 13<<10))
		}
		t.put(frameContinuation, flagEndHeaders, 1, "")
	}},
	{"a promise of the caller", func(t *talker) {
		t.get(1, "/a")
		t.put(framePushPromise, flagEndHeaders, 1, word(2)+t.blockOf(getA...))
	}},
	{"a header larger than a frame may be", func(t *talker) {
		t.put(frameHeaders, flagEndHeaders|flagEndStream, 1, t.blockOf(append(getA, "x="+strings.Repeat("\x01", 1<<21))...))
	}},
	{"data larger than a frame may be", func(t *talker) { t.post(1, "/a"); t.put(frameData, 0, 1, strings.Repeat("x", 1<<21)) }},
	{"data beyond the window", func(t *talker) {
		t.post(1, "/wait")
		for range 200 {
			t.put(frameData, 0, 1, strings.Repeat("x", 16<<10))
		}
	}},
	{"a window that overflows", func(t *talker) { t.put(frameWindowUpdate, 0, 0, word(1<<31-1)) }},
	{"a window of nothing", func(t *talker) { t.put(frameWindowUpdate, 0, 0, word(0)) }},
	{"settings of 5 bytes", func(t *talker) { t.put(frameSettings, 0, 0, "abcde") }},
	{"settings of a stream", func(t *talker) { t.put(frameSettings, 0, 1, "") }},
	{"settings that cannot be", func(t *talker) { t.put(frameSettings, 0, 0, "\x00\x04\xff\xff\xff\xff") }},
	{"a ping of 3 bytes", func(t *talker) { t.put(framePing, 0, 0, "abc") }},
	{"a header behind the end", func(t *talker) { t.get(1, "/wait"); t.get(1, "/wait") }}, // of a stream that is answered already: up to how far the server got
	{"a stream below the highest", func(t *talker) { t.get(5, "/a"); t.get(3, "/a") }},
	{"names of headers that are none", func(t *talker) { t.headers(1, true, append(getA, "Upper=1")...) }},
	{"no path", func(t *talker) { t.headers(1, true, ":method=GET", ":scheme=http") }},
	{"two paths", func(t *talker) { t.headers(1, true, append(getA, ":path=/b")...) }},
	{"a length that is not the body's", func(t *talker) {
		t.headers(1, false, ":method=POST", ":scheme=http", ":path=/echo", "content-length=5")
		t.put(frameData, flagEndStream, 1, "hi")
	}},
	{"no SETTINGS first", func(t *talker) { t.out.Reset(); t.out.Write(preface); t.get(1, "/a") }},
}

// flood resets its requests at once. Whether a server refuses that is up to how far it got.
func flood(t *talker) {
	for i := range uint32(2000) {
		t.get(2*i+1, "/a")
		_ = t.framer.WriteRSTStream(2*i+1, xhttp2.ErrCodeCancel)
	}
}

const refused = "the connection is refused"

// verdictOf says how a server took what it was sent: it refused the connection, or a stream, or answered.
func verdictOf(heard, end string) string {
	verdict := ""
	for _, f := range framesOf(heard) {
		switch {
		case strings.HasPrefix(f, "GOAWAY") && !strings.Contains(f, `\x00\x00\x00\x00"`):
			return refused
		case strings.HasPrefix(f, "RST_STREAM"):
			verdict = "the stream is refused"
		case strings.HasPrefix(f, "HEADERS") && verdict == "":
			verdict = "answered"
		}
	}
	if end != "" {
		return refused
	}
	return verdict
}

// sendHostile sends what is hostile, and then a ping, and says what became of it.
func sendHostile(t *testing.T, via netip.AddrPort, say func(*talker)) string {
	t.Helper()
	c := dial(t, via)
	p := newParty(c)
	out := newTalker(string(preface))
	say(out)
	out.put(framePing, 0, 0, "the end.")
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, out.take())
	var verdict string
	for deadline := time.Now().Add(patience); ; <-time.After(2 * time.Millisecond) {
		heard, end := p.now()
		verdict = verdictOf(heard, end)
		if verdict == refused || verdict != "" && strings.Contains(heard, "the end.") || time.Now().After(deadline) {
			break // a server may refuse a connection and yet leave it open
		}
	}
	c.Close()
	return verdict
}

const nodeServer = `
const s = require('http2').createServer()
s.on('sessionError', () => {})
s.on('stream', (st, h) => { st.on('error', () => {}); if (h[':path'] !== '/wait') { st.respond({':status': 200}); st.end('ok') } })
s.listen(0, '127.0.0.1', () => console.log(s.address().port))`

// serveNode serves HTTP/2 with an implementation that is not Go's.
func serveNode(t *testing.T) (netip.AddrPort, bool) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		return netip.AddrPort{}, false
	}
	cmd := exec.Command(node, "-e", nodeServer)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var port uint16
	if _, err := fmt.Fscan(out, &port); err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), true
}

// What a server refuses it refuses, too, where rules of requests are set, or the link does before it; what it answers it answers.
func TestHostileHTTP2(t *testing.T) {
	t.Parallel()
	servers := map[string]netip.AddrPort{"Go": serveWeb(t)}
	if node, ok := serveNode(t); ok {
		servers["Node"] = node
	}
	for name, server := range servers {
		for _, tt := range hostile2 {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				m, _ := recordedMesh(t)
				front := openFront(t, m, "a-1", "b", "b-1", server)
				lurk(t, m)
				want, got := sendHostile(t, server, tt.say), sendHostile(t, front, tt.say)
				if got != want && !(strings.Contains(want, "refused") && got == refused) {
					t.Errorf("%q, directly %q", got, want)
				}
			})
		}
		t.Run(name+"/a flood of requests that are reset", func(t *testing.T) {
			t.Parallel()
			m, _ := recordedMesh(t)
			front := openFront(t, m, "a-1", "b", "b-1", server)
			lurk(t, m)
			if got := sendHostile(t, front, flood); got == "" {
				t.Error("the server does not say anything any more")
			}
			if got := sendHostile(t, front, func(c *talker) { c.get(1, "/a") }); got != "answered" {
				t.Errorf("afterwards: %q", got)
			}
		})
	}
}
