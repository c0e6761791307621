package link

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/system"
)

// curl, which waits for a 100 before a long body, keeps its connection after an answer that was made here.
func TestRequestsCurl(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveWeb(t))
	setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", 3<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--http1.1", "-sS", "-m", "20", "-w", "%{http_code} ", "-H", "Expect: 100-continue"}
	for _, path := range []string{"/no", "/no", "/yes"} {
		args = append(args, "http://"+front.String()+path, "-T", file)
	}
	out, err := exec.Command(curl, args...).CombinedOutput()
	if got := string(out); err != nil || got != "503 503 real /yes200 " || laneOf(m).Dials != 1 {
		t.Errorf("%q, %v, %d dials", got, err, laneOf(m).Dials)
	}
}

// nodeCaller asks over one HTTP/2 connection, which gets edited after its 4th request.
const nodeCaller = `
const c = require('http2').connect(process.argv[1])
const ask = path => new Promise((done, fail) => {
	const r = c.request({':path': path, 'x-same': 'the same each time', 'x-path': path})
	let status, body = ''
	r.on('response', h => status = h[':status']); r.on('data', d => body += d)
	r.on('end', () => done(status + ' ' + body)); r.on('error', fail)
})
const main = async () => {
	const got = []
	for (const path of ['/yes', '/yes', '/arm', '/yes', '/no', '/yes']) got.push(await ask(path))
	got.push(...await Promise.all(Array.from({length: 20}, (_, i) => ask(i % 4 ? '/yes' : '/no'))))
	console.log(got.join(','))
	c.close()
}
main().catch(e => { console.log(e); process.exit(1) })`

// Node's implementation of HTTP/2, which is not Go's, understands what is edited in the middle of a connection.
func TestRequestsNode(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node")
	}
	m := newTestMesh(t, Options{})
	web := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/arm" {
			setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
		}
		w.Header().Set("X-Same", "the same each time")
		_, _ = w.Write([]byte(r.Header.Get("X-Path")))
	})
	front := openFront(t, m, "a-1", "b", "b-1", web)
	out, err := exec.Command(node, "-e", nodeCaller, "http://"+front.String()).CombinedOutput()
	want := "200 /yes,200 /yes,200 /arm,200 /yes,503 ,200 /yes" + strings.Repeat(",503 ,200 /yes,200 /yes,200 /yes", 5) + "\n"
	if got := string(out); err != nil || got != want || laneOf(m).Dials != 1 {
		t.Errorf("%q, %v, %d dials, want\n%q", got, err, laneOf(m).Dials, want)
	}
}
