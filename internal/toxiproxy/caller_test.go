package toxiproxy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A caller asks an API.
type caller struct {
	t   testing.TB
	url string
}

// do returns the status and the body.
func (c *caller) do(method, path, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// must is do for what must succeed, and reads the answer as a proxy.
func (c *caller) must(method, path, body string) (v view) {
	c.t.Helper()
	status, text := c.do(method, path, body)
	if status >= 300 {
		c.t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	if strings.HasPrefix(text, "{") {
		var shown struct {
			Name, Listen, Upstream string
			Enabled                bool
		}
		if err := json.Unmarshal([]byte(text), &shown); err != nil {
			c.t.Fatal(err)
		}
		v = view{Name: shown.Name, Listen: shown.Listen, Upstream: shown.Upstream, Enabled: shown.Enabled}
	}
	return v
}

// nextHost makes each proxy listen on an address of its own, so that no other test takes its port when it is free again.
var nextHost atomic.Uint32

func ownHost() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	n := nextHost.Add(1)
	return fmt.Sprintf("127.%d.%d.%d", 200+os.Getpid()%50, n/250, 1+n%250)
}

// proxy makes a proxy on a free port and returns where it listens.
func (c *caller) proxy(name, upstream string) string {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"name": name, "listen": ownHost() + ":0", "upstream": upstream})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.must("POST", "/proxies", string(body)).Listen
}

func (c *caller) toxic(proxy, body string) {
	c.t.Helper()
	c.must("POST", "/proxies/"+proxy+"/toxics", body)
}

// upstream serves each connection with handle until the test ends.
func upstream(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return l.Addr().String()
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * patience))
	return c
}

// says sends a line and returns how long its echo took.
func says(t testing.TB, c net.Conn, line string) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		t.Fatal(err)
	}
	got, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || got != line+"\n" {
		t.Fatalf("sent %q, got %q, %v", line, got, err)
	}
	return time.Since(start)
}

// A quiet caller returns errors, for an API that may go at any moment.
type quiet struct{ url string }

func (q *quiet) create(name string) (string, error) {
	body := fmt.Sprintf(`{"name":%q,"listen":"127.0.0.1:0","upstream":"x:1"}`, name)
	answer, err := http.Post(q.url+"/proxies", "application/json", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusCreated {
		err = fmt.Errorf("%d %s", answer.StatusCode, text)
	}
	return string(text), err
}
