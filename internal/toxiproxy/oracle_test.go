package toxiproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// oracle is the real Toxiproxy, pinned: @latest resolves to an older one.
const oracle = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0"

// startOracle builds and starts the real Toxiproxy and returns the address of its API.
func startOracle(t *testing.T) string {
	t.Helper()
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(oracleBinary(t), "-host", "127.0.0.1", "-port", port, "-proxy-metrics")
	cmd.Env = append(os.Environ(), "LOG_LEVEL=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	awaitAPI(t, addr)
	return addr
}

// oracleBinary returns the program, or skips the test where it cannot be had.
func oracleBinary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("ASSAY_TOXIPROXY"); path != "" {
		return path
	}
	if testing.Short() {
		t.Skip("building Toxiproxy takes a while")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", oracle)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no Toxiproxy to compare with (set ASSAY_TOXIPROXY to one): %v\n%s", err, out)
	}
	return filepath.Join(dir, "server")
}

// freeAddr returns an address that nobody listens at. Its port is below those that the kernel gives to others in the meantime.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 10_000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no port in 10000..30000 is free")
	return ""
}

func awaitAPI(t testing.TB, addr string) {
	t.Helper()
	eventually(t, "the API at "+addr+" answers", func() bool {
		r, err := http.Get("http://" + addr + "/version")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// patience is how long a test waits for what takes milliseconds on an idle machine.
const patience = time.Minute

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happens that %s", what)
		}
	}
}

// A step is one request, and what a server answered.
type step struct{ method, path, body string }

// A peer is a server under comparison. Ports differ between servers, so what one answered is put into what it is asked next:
// $NAME stands for the address that the proxy of that name listens on.
type peer struct {
	url    string
	listen map[string]string
}

func (p *peer) ask(t *testing.T, s step) string {
	t.Helper()
	body := s.body
	for name, addr := range p.listen {
		body = strings.ReplaceAll(body, "$"+name, addr)
	}
	r, err := http.NewRequestWithContext(t.Context(), s.method, p.url+s.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if agent, ok := strings.CutPrefix(s.body, "agent:"); ok {
		r.Header.Set("User-Agent", agent)
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	p.learn(text)
	h := answer.Header
	return fmt.Sprintf("%d %s|%s|%s|id %d\n%s", answer.StatusCode, h.Get("Content-Type"), h.Get("X-Content-Type-Options"), h.Get("Location"),
		len(h.Get("X-Toxiproxy-Request-Id")), normal(text))
}

func (p *peer) learn(text []byte) {
	var one view
	if json.Unmarshal(text, &struct {
		Name, Listen *string
	}{&one.Name, &one.Listen}) == nil && one.Listen != "" {
		p.listen[one.Name] = one.Listen
	}
}

var (
	anyPort   = regexp.MustCompile(`(127\.0\.0\.1|\[::\]|\[::1\]):\d{4,5}`)
	goTypes   = regexp.MustCompile(`json: cannot unmarshal \w+ .*?(",|"})`)
	lookedUp  = regexp.MustCompile(`lookup (\S+)[^"]*`)
	forgotten = []byte(`"Logger":{},`) // an internal field of Toxiproxy that shows by accident
)

// normal takes away what may differ.
func normal(text []byte) string {
	text = bytes.ReplaceAll(text, forgotten, nil)
	text = anyPort.ReplaceAll(text, []byte("$1:PORT"))
	text = goTypes.ReplaceAll(text, []byte("json: cannot unmarshal$1"))
	text = lookedUp.ReplaceAll(text, []byte("lookup $1"))
	return string(text)
}

// The same calls get the same answers: statuses, headers, JSON.
// It is not parallel: a child that another test starts holds our listeners from its fork to its exec, and a proxy that is
// replaced then finds its own address in use.
func TestAnswersLikeToxiproxy(t *testing.T) {
	real := &peer{url: "http://" + startOracle(t), listen: map[string]string{}}
	set := NewSet(1)
	defer set.Close()
	server := httptest.NewServer(set.Handler())
	defer server.Close()
	ours := &peer{url: server.URL, listen: map[string]string{}}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, p := range []*peer{real, ours} {
		p.listen["BUSY"] = busy.Addr().String()
	}
	for i, s := range dialogue() {
		want, got := real.ask(t, s), ours.ask(t, s)
		if s.path == "/version" { // one that was installed from source does not know its own
			want = strings.Replace(want, `"git"`, `"`+Version+`"`, 1)
		}
		if got != want {
			t.Errorf("%d: %s %s %s\n got %s\nwant %s", i, s.method, s.path, s.body, got, want)
		}
	}
}
