package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invoke runs the command line in this process.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, story strings.Builder
	code = Main(args, &out, &story)
	return code, out.String(), story.String()
}

// A proxy is started, listed, and stopped from elsewhere, and its port is free again.
func TestProxyFromStartToStop(t *testing.T) {
	t.Setenv("ASSAY_STATE_DIR", t.TempDir())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Main([]string{"proxy", "--listen", "127.0.0.1:0", "--id", "mine", "--proxy", "a,127.0.0.1:0,127.0.0.1:1"}, in, io.Discard)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "API of Toxiproxy 2.12.0 at http://127.0.0.1:") || !strings.HasSuffix(line, "proxies: 1, seed 1\n") {
		t.Fatalf("got %q, %v", line, err)
	}
	api, _, _ := strings.Cut(strings.TrimPrefix(line, "API of Toxiproxy 2.12.0 at "), ",")
	answer, err := http.Get(api + "/proxies/a")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", answer, err)
	}
	answer.Body.Close()
	var groups []struct {
		ID     string
		Holder struct {
			PID, Proxies int
			APIs         []string
		}
	}
	code, text, _ := invoke(t, "proxy", "list", "--json")
	if err := json.Unmarshal([]byte(text), &groups); err != nil || code != 0 || len(groups) != 1 || groups[0].ID != "mine" ||
		groups[0].Holder.PID == 0 || groups[0].Holder.Proxies != 1 || "http://"+strings.Join(groups[0].Holder.APIs, " ") != api {
		t.Errorf("%d %s %v", code, text, err)
	}
	if code, text, _ := invoke(t, "proxy", "list"); code != 0 || !strings.Contains(text, "mine") {
		t.Errorf("%d %s", code, text)
	}
	if code, text, story := invoke(t, "proxy", "stop"); code != 0 || text != "stopped mine\n" {
		t.Errorf("%d %s%s", code, text, story)
	}
	if code := <-ended; code != 0 {
		t.Errorf("the proxy ended with %d", code)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(api, "http://")); err == nil {
		t.Error("the API is still there")
	}
	if code, _, story := invoke(t, "proxy", "stop"); code != 2 || !strings.Contains(story, "no proxies run") {
		t.Errorf("%d %s", code, story)
	}
}

// What is wrong is said with what to write instead, and nothing stays behind.
func TestProxyMistakes(t *testing.T) {
	state := t.TempDir()
	t.Setenv("ASSAY_STATE_DIR", state)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--listen", "8474"}, 2, "want HOST:PORT"},
		{[]string{"--listen", busy.Addr().String()}, 4, "address already in use"},
		{[]string{"--config", "none.json"}, 2, "none.json"},
		{[]string{"--config", write("a.json", `{"a":1}`)}, 2, "want a JSON list of proxies"},
		{[]string{"--listen", "127.0.0.1:0", "--config", write("b.json", `[{"name":"a"}]`)}, 2, "b.json: missing required field: upstream at proxy 1"},
		{[]string{"--listen", "127.0.0.1:99999"}, 2, "want HOST:PORT"},
		{[]string{"--proxy", "redis"}, 2, "want NAME,LISTEN,UPSTREAM"},
		{[]string{"--proxy", "redis,localhost,x:1"}, 2, "want HOST:PORT to listen on"},
		{[]string{"--proxy", "a,127.0.0.1:0,x:1", "--proxy", "a,127.0.0.1:0,y:1"}, 2, "another proxy a before it"},
		{[]string{"--listen", "127.0.0.1:0", "--proxy", "a," + busy.Addr().String() + ",x:1"}, 4, "address already in use"},
		{[]string{"--id", "a/b"}, 2, `id "a/b"`},
		{[]string{"stop", "none"}, 2, "no proxies of none run"},
		{[]string{"nonsense"}, 2, "unknown command"},
	} {
		code, out, story := invoke(t, append([]string{"proxy"}, c.args...)...)
		if code != c.code || !strings.Contains(story, c.want) || out != "" {
			t.Errorf("%q: exit %d, %q%q; want %d and %q", c.args, code, out, story, c.code, c.want)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(state, "proxy")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
