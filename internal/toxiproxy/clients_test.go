package toxiproxy

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cliProgram is Toxiproxy's own command line, pinned like the oracle.
const cliProgram = "github.com/Shopify/toxiproxy/v2/cmd/cli@v2.12.0"

// startRedis starts a real Redis and returns its address.
func startRedis(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server on the PATH")
	}
	addr := freeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no")
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "Redis answers at "+addr, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return addr
}

// fetched runs a command that fetches a client, and skips the test where that is not possible.
func fetched(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("fetching a client takes a while")
	}
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("no %s on the PATH", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the client cannot be fetched: %s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// runs runs a command that must succeed, and returns what it printed.
func runs(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Toxiproxy's own Go client goes through all it can do.
func TestGoClient(t *testing.T) {
	t.Parallel()
	redis, bin := startRedis(t), filepath.Join(t.TempDir(), "walk")
	fetched(t, "clients/go", []string{"GOFLAGS=-mod=readonly"}, "go", "build", "-o", bin, ".")
	s := serveIn(t, newPlace(t), nil)
	if got := runs(t, ".", bin, s.api.url, redis); strings.Count(got, "ok ") != 8 {
		t.Errorf("got\n%s", got)
	}
}

// The client of Toxiproxy on npm goes through all it can do.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	redis, dir := startRedis(t), t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "walk.js"} {
		text, err := os.ReadFile(filepath.Join("clients/node", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fetched(t, dir, nil, "npm", "ci", "--no-audit", "--no-fund")
	s := serveIn(t, newPlace(t), nil)
	if got := runs(t, dir, "node", "walk.js", s.api.url, redis); strings.Count(got, "ok ") != 4 {
		t.Errorf("got\n%s", got)
	}
}

// The example of Toxiproxy's command line in its README, word by word, with Redis behind it.
func TestToxiproxyCLI(t *testing.T) {
	t.Parallel()
	redis, dir := startRedis(t), t.TempDir()
	redisCLI, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skip("no redis-cli on the PATH")
	}
	fetched(t, dir, []string{"GOBIN=" + dir, "GOFLAGS=-mod=mod"}, "go", "install", cliProgram)
	s := serveIn(t, newPlace(t), nil)
	_, port, _ := net.SplitHostPort(freeAddr(t))
	toxi := func(want string, args ...string) {
		t.Helper()
		got := runs(t, dir, filepath.Join(dir, "cli"), append([]string{"--host", s.api.url}, args...)...)
		if !strings.Contains(got, want) {
			t.Errorf("toxiproxy-cli %s: got\n%swant %q", strings.Join(args, " "), got, want)
		}
	}
	ask := func(want string, least time.Duration, args ...string) {
		t.Helper()
		start := time.Now()
		got := runs(t, dir, redisCLI, append([]string{"-p", port}, args...)...)
		if took := time.Since(start); strings.TrimSpace(got) != want || took < least {
			t.Errorf("redis-cli %s: got %q after %v, want %q after %v", strings.Join(args, " "), got, took, want, least)
		}
	}
	toxi("Created new proxy redis", "create", "-l", "localhost:"+port, "-u", redis, "redis")
	toxi("redis", "list")
	ask("OK", 0, "SET", "omg", "pandas")
	ask("pandas", 0, "GET", "omg")
	toxi("Added downstream latency toxic 'latency_downstream' on proxy 'redis'", "toxic", "add", "-t", "latency", "-a", "latency=1000", "redis")
	toxi("latency_downstream", "inspect", "redis")
	ask("pandas", time.Second, "GET", "omg")
	ask("1", time.Second, "DEL", "omg")
	toxi("Updated toxic 'latency_downstream' on proxy 'redis'", "toxic", "update", "-n", "latency_downstream", "-a", "latency=10", "redis")
	toxi("Removed toxic 'latency_downstream' on proxy 'redis'", "toxic", "remove", "-n", "latency_downstream", "redis")
	ask("", 0, "GET", "omg")
	toxi("Proxy redis is now disabled", "toggle", "redis")
	toxi("Proxy redis is now enabled", "toggle", "redis")
	toxi("Deleted proxy redis", "delete", "redis")
	out, err := exec.Command(redisCLI, "-p", port, "GET", "omg").CombinedOutput()
	if !strings.Contains(string(out), "Connection refused") {
		t.Errorf("a deleted proxy: %s, %v", out, err)
	}
}

// The config file of Toxiproxy's README, with ports that are free here, is taken at the start, and once more without a change.
func TestConfigFile(t *testing.T) {
	t.Parallel()
	web, mysql := freeAddr(t), freeAddr(t)
	config := `[
  {
    "name": "web_dev_frontend_1",
    "listen": "` + web + `",
    "upstream": "webapp.domain:8080",
    "enabled": true
  },
  {
    "name": "web_dev_mysql_1",
    "listen": "` + mysql + `",
    "upstream": "database.domain:3306",
    "enabled": true
  }
]`
	place := newPlace(t)
	first := serveIn(t, place, map[string]any{"Config": []byte(config)})
	first.api.toxic("web_dev_mysql_1", slow)
	_, before := first.api.do("GET", "/proxies", "")
	first.kill()
	second := serveIn(t, place, map[string]any{"Config": []byte(config)})
	if _, after := second.api.do("GET", "/proxies", ""); after != before || strings.Count(after, `"enabled":true`) != 2 {
		t.Errorf("got %s, want %s", after, before)
	}
	err := Serve(t.Context(), Options{Listen: "127.0.0.1:0", Place: newPlace(t), Config: []byte(`[{"name":""}]`)})
	var refused *ConfigError
	if !errors.As(err, &refused) || refused.Status != 400 {
		t.Errorf("a config without a name: %v", err)
	}
}

// The start, from the process to an API that answers, beside Toxiproxy's.
func TestStartIsQuick(t *testing.T) {
	if os.Getenv("ASSAY_TIMING") == "" {
		t.Skip("a measurement: set ASSAY_TIMING to the path of an assay to measure")
	}
	var ours, theirs []time.Duration
	oracle := oracleBinary(t)
	for range 9 {
		addr := freeAddr(t)
		_, port, _ := net.SplitHostPort(addr)
		state := t.TempDir()
		ours = append(ours, startOf(t, addr, []string{"ASSAY_STATE_DIR=" + state}, os.Getenv("ASSAY_TIMING"), "proxy", "--listen", addr))
		theirs = append(theirs, startOf(t, addr, nil, oracle, "-port", port, "-host", "127.0.0.1"))
	}
	load, _ := os.ReadFile("/proc/loadavg")
	t.Logf("medians of %d: assay %v, Toxiproxy %v; load %s", len(ours), median(ours), median(theirs), load)
}

func startOf(t *testing.T, addr string, env []string, program string, args ...string) time.Duration {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitAPI(t, addr)
	took := time.Since(start)
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	return took
}

func median(all []time.Duration) time.Duration {
	for i := range all {
		for j := i; j > 0 && all[j] < all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return all[len(all)/2]
}

// counts reads how many files and threads a process has.
func counts(t *testing.T, pid int) (files, threads int) {
	t.Helper()
	open, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		t.Skip("no /proc to count in")
	}
	tasks, _ := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	return len(open), len(tasks)
}
