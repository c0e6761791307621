package link

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// A workbench is an editor without sockets.
type workbench struct {
	*desk
	editor                    editor
	requests, matched, unread int64
	hits                      []string // "rule method target" for each rule that had its effect
	server, caller            []byte   // all they were sent
	ends                      []ending
	now                       time.Duration
	dues                      []time.Duration
}

var benchLink = system.Link{From: "a-1", To: "b-1"}

// rulings are rules as they are in force on a link.
func rulings(rules ...system.Rule) []*ruling {
	var all []*ruling
	for _, r := range rules {
		if r.Text == "" {
			r.Text = string(r.Kind)
		}
		all = append(all, &ruling{Rule: r, tally: &tally{}})
	}
	return all
}

func newWorkbench(rules ...system.Rule) *workbench {
	w := &workbench{}
	armed := rulings(rules...)
	w.desk = &desk{bench: &bench{
		link: benchLink, rules: func() []*ruling { return armed },
		done:  func(q *request, r *ruling) { w.hits = append(w.hits, r.Text+" "+q.method+" "+q.target) },
		count: func(requests, matched int64) { w.requests += requests; w.matched += matched },
	}}
	w.desk.unclear = func() { w.unread++ }
	w.editor = &fresh{desk: w.desk}
	return w
}

func (w *workbench) request(data string) *workbench {
	return w.did(w.editor.request([]byte(data), w.now))
}
func (w *workbench) response(data string) *workbench {
	return w.did(w.editor.response([]byte(data), w.now))
}

func (w *workbench) did(ok bool) *workbench {
	w.editor.release(w.now)
	for _, p := range w.toServer.take() {
		w.server = append(w.server, p.data...)
		w.note(p)
	}
	for _, p := range w.toClient.take() {
		w.caller = append(w.caller, p.data...)
		w.note(p)
	}
	if !ok {
		w.ends = append(w.ends, resetByEnd)
	}
	return w
}

func (w *workbench) note(p parcel) {
	if p.end != notEnd {
		w.ends = append(w.ends, p.end)
	}
	if p.due > 0 {
		w.dues = append(w.dues, p.due)
	}
}

const (
	made503 = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nX-Assay-Fault: abort\r\n\r\n"
	abc     = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nabc"
	chunky  = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nT: 1\r\n\r\n"
)

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: b\r\n\r\n" }

// lines are what two sides say in turn: "> " to the server, "< " to the caller.
var edits1 = []struct {
	name           string
	rules          []system.Rule
	say            []string // "> request" and "< response", in turn
	server, caller string
	hits           string
	ends           string
	unread         int64
}{
	{name: "no rule hits", rules: []system.Rule{{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/x"}}},
		say: []string{"> " + get("/a"), "< " + abc}, server: get("/a"), caller: abc},
	{name: "abort", rules: abort(""), say: []string{"> " + get("/a")}, caller: made503, hits: "abort GET /a"},
	{name: "abort of one of three pipelined", rules: abort("/b"),
		say:    []string{"> " + get("/a") + get("/b") + get("/c"), "< " + abc, "< " + chunky},
		server: get("/a") + get("/c"), caller: abc + made503 + chunky, hits: "abort GET /b"},
	{name: "abort swallows the body", rules: abort("/b"),
		say:    []string{"> POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", "> cde" + get("/c"), "< " + abc},
		server: get("/c"), caller: made503 + abc, hits: "abort POST /b"},
	{name: "abort swallows chunks", rules: abort("/b"),
		say:    []string{"> POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get("/c"), "< " + abc},
		server: get("/c"), caller: made503 + abc, hits: "abort POST /b"},
	{name: "abort of a caller that waits for 100", rules: abort("/b"),
		say:    []string{"> POST /b HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", "> abc"},
		caller: "HTTP/1.1 100 Continue\r\n\r\n" + made503, hits: "abort POST /b"},
	{name: "abort of a caller that closes", rules: abort(""), say: []string{"> GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"},
		caller: strings.Replace(made503, "X-", "Connection: close\r\nX-", 1), hits: "abort GET /a", ends: "closed here"},
	{name: "abort of HTTP/1.0", rules: abort(""), say: []string{"> GET /a HTTP/1.0\r\n\r\n"},
		caller: strings.Replace(made503, "X-", "Connection: close\r\nX-", 1), hits: "abort GET /a", ends: "closed here"},
	{name: "abort with a gRPC code is its HTTP status", rules: []system.Rule{{Kind: system.Abort, Code: "RESOURCE_EXHAUSTED"}},
		say:    []string{"> " + get("/a")},
		caller: "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nX-Assay-Fault: abort\r\n\r\n", hits: "abort GET /a"},
	{name: "body", rules: []system.Rule{{Kind: system.Body, Value: "hello"}}, say: []string{"> " + get("/a") + get("/b"), "< " + abc + chunky},
		server: get("/a") + get("/b"),
		caller: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello" + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		hits:   "body GET /a, body GET /b"},
	{name: "body of what was compressed", rules: []system.Rule{{Kind: system.Body, Value: "{}"}},
		say:    []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz"},
		server: get("/a"), caller: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", hits: "body GET /a"},
	{name: "body of a HEAD", rules: []system.Rule{{Kind: system.Body, Value: "hello"}},
		say:    []string{"> HEAD /a HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
		server: "HEAD /a HTTP/1.1\r\n\r\n", caller: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
	{name: "body of a 204 and a 304", rules: []system.Rule{{Kind: system.Body, Value: "hello"}},
		say:    []string{"> " + get("/a") + get("/b"), "< HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"},
		server: get("/a") + get("/b"), caller: "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"},
	{name: "header set and taken away", rules: []system.Rule{{Kind: system.Header, Name: "content-type", Value: "a/b"}, {Kind: system.Header, Name: "ETag"}},
		say:    []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\netag: x\r\nContent-Length: 3\r\n\r\nabc"},
		server: get("/a"), caller: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\ncontent-type: a/b\r\n\r\nabc", hits: "header GET /a, header GET /a"},
	{name: "header after a 1xx", rules: []system.Rule{{Kind: system.Header, Name: "X", Value: "y"}},
		say:    []string{"> " + get("/a"), "< HTTP/1.1 103 Early Hints\r\nLink: z\r\n\r\n" + abc},
		server: get("/a"), caller: "HTTP/1.1 103 Early Hints\r\nLink: z\r\n\r\n" + strings.Replace(abc, "\r\n\r\n", "\r\nX: y\r\n\r\n", 1), hits: "header GET /a"},
	{name: "truncate", rules: []system.Rule{{Kind: system.Truncate, Bytes: 2}}, say: []string{"> " + get("/a"), "< " + abc},
		server: get("/a"), caller: abc[:len(abc)-1], hits: "truncate GET /a", ends: "closed by rule"},
	{name: "truncate at the end is nothing", rules: []system.Rule{{Kind: system.Truncate, Bytes: 3}}, say: []string{"> " + get("/a"), "< " + abc},
		server: get("/a"), caller: abc},
	{name: "truncate chunks", rules: []system.Rule{{Kind: system.Truncate, Bytes: 3}}, say: []string{"> " + get("/a"), "< " + chunky},
		server: get("/a"), caller: chunky[:strings.Index(chunky, "de")], hits: "truncate GET /a", ends: "closed by rule"},
	{name: "truncate what ends with the connection", rules: []system.Rule{{Kind: system.Truncate, Bytes: 3}},
		say:    []string{"> " + get("/a"), "< HTTP/1.1 200 OK\r\n\r\nabcd"},
		server: get("/a"), caller: "HTTP/1.1 200 OK\r\n\r\nabc", hits: "truncate GET /a", ends: "reset"},
	{name: "two lengths", rules: abort(""), say: []string{"> POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" + get("/b")},
		server: "POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" + get("/b"), unread: 1},
	{name: "length and chunks", rules: abort(""), say: []string{"> POST /a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get("/b"), "< " + abc},
		server: "POST /a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get("/b"), caller: abc, unread: 1},
	{name: "a folded header", rules: abort(""), say: []string{"> GET /a HTTP/1.1\r\nA: b\r\n c\r\n\r\n"}, server: "GET /a HTTP/1.1\r\nA: b\r\n c\r\n\r\n", unread: 1},
	{name: "bare line feeds", rules: abort(""), say: []string{"> GET /a HTTP/1.1\nA: b\n\n"}, server: "GET /a HTTP/1.1\nA: b\n\n", unread: 1},
	{name: "no HTTP", rules: abort(""), say: []string{"> \x00\x01hello", "< \xff", "> more"}, server: "\x00\x01hellomore", caller: "\xff", unread: 1},
	{name: "a server that speaks first", rules: abort(""), say: []string{"< 220 hi\r\n", "> EHLO x\r\n"}, caller: "220 hi\r\n", server: "EHLO x\r\n", unread: 1},
	{name: "upgrade", rules: abort("/b"),
		say:    []string{"> GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "< HTTP/1.1 101 Switching\r\n\r\nxyz", "> " + get("/b"), "< abc"},
		server: "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n" + get("/b"), caller: "HTTP/1.1 101 Switching\r\n\r\nxyzabc"},
	{name: "connect", rules: abort("/b"),
		say:    []string{"> CONNECT h:1 HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\n\r\n", "> " + get("/b")},
		server: "CONNECT h:1 HTTP/1.1\r\n\r\n" + get("/b"), caller: "HTTP/1.1 200 OK\r\n\r\n"},
	{name: "a beginning that is never ended", rules: abort(""), say: []string{"> GET /a HT", ">"}, server: "GET /a HT"},
	{name: "the beginning of HTTP/2's preface", rules: abort(""), say: []string{"> PR", ">"}, server: "PR"},
	{name: "an answer to nothing", rules: abort("/b"), say: []string{"< HTTP/1.1 408 Request Timeout\r\n\r\n", "> " + get("/a")},
		caller: "HTTP/1.1 408 Request Timeout\r\n\r\n", server: get("/a"), unread: 1},
	{name: "malformed chunks of a swallowed request", rules: abort(""), say: []string{"> POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
		ends: "reset", unread: 1},
}

func abort(path string) []system.Rule {
	return []system.Rule{{Kind: system.Abort, Status: 503, Match: &system.Match{Path: path}}}
}

// Every case comes whole, and byte by byte.
func TestEditHTTP1(t *testing.T) {
	t.Parallel()
	for _, tt := range edits1 {
		for _, size := range []int{1 << 20, 1, 7} {
			w := newWorkbench(tt.rules...)
			for _, say := range tt.say {
				w.say(say, size)
			}
			name := fmt.Sprintf("%s, in pieces of %d", tt.name, size)
			if got := string(w.server); got != tt.server {
				t.Errorf("%s: the server was sent\n%q, want\n%q", name, got, tt.server)
			}
			if got := string(w.caller); got != tt.caller {
				t.Errorf("%s: the caller was sent\n%q, want\n%q", name, got, tt.caller)
			}
			if got := strings.Join(w.hits, ", "); got != tt.hits {
				t.Errorf("%s: hits %q, want %q", name, got, tt.hits)
			}
			if got := endsText(w.ends); got != tt.ends {
				t.Errorf("%s: ends %q, want %q", name, got, tt.ends)
			}
			if w.unread != tt.unread {
				t.Errorf("%s: %d unread, want %d", name, w.unread, tt.unread)
			}
		}
	}
}

// say lets a side speak, in pieces.
func (w *workbench) say(text string, size int) {
	if text == ">" {
		w.editor.requestEnded()
		w.did(true)
		return
	}
	for data := text[2:]; data != ""; {
		n := min(size, len(data))
		if text[0] == '>' {
			w.request(data[:n])
		} else {
			w.response(data[:n])
		}
		data = data[n:]
	}
}

func endsText(ends []ending) string {
	names := []string{"", "end", "reset", "closed here", "closed by rule"}
	var all []string
	for _, e := range ends {
		all = append(all, names[e])
	}
	return strings.Join(all, ", ")
}
