package workload_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// raw serves each connection with a function that gets each request in turn and
// says whether the connection goes on.
func raw(t *testing.T, answer func(conn net.Conn, req *http.Request) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for r := bufio.NewReader(conn); ; {
					req, err := http.ReadRequest(r)
					if err != nil || !answer(conn, req) {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestReplies(t *testing.T) {
	t.Parallel()
	say := func(text string, goOn bool) func(net.Conn, *http.Request) bool {
		return func(conn net.Conn, req *http.Request) bool {
			_, _ = io.Copy(io.Discard, req.Body)
			fmt.Fprint(conn, text)
			return goOn
		}
	}
	tests := []struct {
		name    string
		answer  func(net.Conn, *http.Request) bool
		step    workload.Step
		want    history.Outcome
		message string
	}{
		{"early hints", say("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true), workload.Step{Expect: `status == 200 && body == "ok"`}, history.OK, ""},
		{"until close", say("HTTP/1.1 200 OK\r\n\r\nok", false), workload.Step{Expect: `body == "ok"`}, history.OK, ""},
		{"chunked", say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true), workload.Step{Expect: `body == "ok"`}, history.OK, ""},
		{"refuses to read", func(conn net.Conn, _ *http.Request) bool {
			fmt.Fprint(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
			return false
		}, workload.Step{Body: "x", Expect: `status == 413`}, history.OK, ""},
		{"closed", func(net.Conn, *http.Request) bool { return false }, workload.Step{}, history.Maybe, "the connection was closed before a reply"},
		{"cut short", say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", false), workload.Step{}, history.Maybe, "reply with status 200: unexpected EOF"},
		{"no HTTP", say("hello\r\n\r\n", false), workload.Step{}, history.Maybe, "malformed"},
		{"endless header", func(conn net.Conn, _ *http.Request) bool {
			for n := 0; ; n++ {
				if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-%d: %s\r\n"[min(n, 1)*17:], n, strings.Repeat("x", 1<<16)); err != nil {
					return false
				}
			}
		}, workload.Step{Timeout: time.Minute}, history.Maybe, "the reply is too large"},
		{"slow header", func(conn net.Conn, req *http.Request) bool {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nX-")
			_, _ = conn.Read(make([]byte, 1)) // until the client leaves
			return false
		}, workload.Step{Timeout: 2 * time.Second}, history.Maybe, "no answer within 2s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := test.step
			s.Call = "POST " + raw(t, test.answer) + "/"
			if s.Expect == "" {
				s.Expect = "status == 200"
			}
			if op, _ := one(t, workload.Options{}, s); op.Outcome != test.want || !strings.Contains(op.Error, test.message) {
				t.Errorf("got %v %q, want %v %q", op.Outcome, cutText(op.Error), test.want, test.message)
			}
		})
	}
}

func cutText(s string) string { return s[:min(len(s), 300)] }

// A server may close a connection that is idle. The next run must not fail for
// it, and nothing may be sent twice.
func TestIdleConnectionsThatWereClosed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	url := raw(t, func(conn net.Conn, req *http.Request) bool {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, req.Body)
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") // promises to stay open
		return false
	})
	d, err := workload.New(workload.Options{Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for range 5 {
		// The pause of a command lets the close arrive.
		steps := []workload.Step{{Call: "POST " + url, Expect: "status == 200"}, {Exec: []string{"sleep", "0.05"}}}
		if err := d.RunSteps(t.Context(), "setup", steps); err != nil {
			t.Error(err)
		}
	}
	if asked.Load() != 5 {
		t.Errorf("the server was asked %d times, want 5", asked.Load())
	}
}

// A connection that breaks in the middle of a request is one failure, not a hidden retry.
func TestNoHiddenRetry(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	url := raw(t, func(conn net.Conn, req *http.Request) bool {
		if asked.Add(1)%2 == 0 {
			return false
		}
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		return true
	})
	step := workload.Step{Call: "GET " + url, Headers: map[string]string{"Idempotency-Key": "k"}, Expect: "status == 200"}
	op, rec := one(t, workload.Options{}, step, step, step)
	if op.Outcome != history.Maybe || asked.Load() != 2 || len(rec.kind(history.Step)) != 2 {
		t.Errorf("got %v, asked %d times: %s", op.Outcome, asked.Load(), op.Error)
	}
}

func TestHTTPSRefusesUnknownCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	op, _ := one(t, workload.Options{}, workload.Step{Call: "GET " + server.URL, Expect: "status == 200"})
	if op.Outcome != history.Failed || !strings.Contains(op.Error, "TLS with ") {
		t.Errorf("got %v %s", op.Outcome, op.Error)
	}
}
