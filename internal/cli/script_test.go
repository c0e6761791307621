package cli

import (
	"context"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/toxiproxy"
)

// TestMain lets so many tests run at once that all wait for their shares together (share_test.go): these say what runs beside what.
func TestMain(m *testing.M) {
	hold.Main()
	toxiproxy.Main()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"assay": func() {
			hold.Main()
			toxiproxy.Main()
			os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs the transcripts under testdata/script. Each starts in a
// folder with the register example, a state folder of its own, and no colour.
func TestScripts(t *testing.T) {
	t.Parallel()
	example, err := filepath.Abs("../../examples/gotest")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"punctual": punctual, "stored": stored, "await": await, "traffic": traffic},
		Setup: func(env *testscript.Env) error {
			env.Defer(acquire(scriptShares(env)))
			copyRegister(t, example, filepath.Join(env.WorkDir, "register"))
			env.Setenv("ASSAY_STATE_DIR", filepath.Join(env.WorkDir, "state"))
			for _, name := range []string{"GOCACHE", "GOPATH", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
				env.Setenv(name, goEnv(t, name))
			}
			return simulations(env)
		},
	})
}

// scriptShares: a script about simulations compiles and explores with all processors, others mostly wait.
func scriptShares(env *testscript.Env) int {
	if strings.HasPrefix(filepath.Base(env.WorkDir), "script-sim") {
		return 2
	}
	return 1
}

// simulations says where this repository is, for modules that use it, and where overlays are kept.
func simulations(env *testscript.Env) error {
	repository, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	env.Setenv("REPOSITORY", repository)
	env.Setenv("CACHE", cache)
	return err
}

// punctual is exec for a command that drives a load: where the driver was late,
// the machine was busy, which is not what a transcript shows, and it runs again.
func punctual(ts *testscript.TestScript, neg bool, args []string) {
	for try := 1; ; try++ {
		err := ts.Exec(args[0], args[1:]...)
		late := strings.Contains(ts.ReadFile("stdout"), "the load driver was overloaded")
		if late && try < 8 {
			continue
		}
		if (err != nil) != neg {
			ts.Fatalf("%v: %v", args, err)
		}
		return
	}
}

// await waits until a file has a line that matches: await FILE REGEXP.
func await(ts *testscript.TestScript, neg bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[1])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if want.Match(text) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: not after a minute: %s\n%s", args[0], args[1], text)
		}
	}
}

// traffic makes requests of the register, whose address stands in a file, on connections of their own until the script ends.
func traffic(ts *testscript.TestScript, _ bool, args []string) {
	addr := regexp.MustCompile(`register:8080 +(\S+)`).FindStringSubmatch(ts.ReadFile(args[0]))
	if addr == nil {
		ts.Fatalf("no address in %s", args[0])
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, cancel := context.WithCancel(context.Background())
	var going sync.WaitGroup
	for range 4 {
		going.Go(func() {
			for ctx.Err() == nil {
				req, _ := http.NewRequestWithContext(ctx, "PUT", "http://"+addr[1]+"/registers/a", strings.NewReader("1"))
				if resp, err := client.Do(req); err == nil {
					resp.Body.Close()
				}
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond): // a rate, and nothing that is waited for
				}
			}
		})
	}
	ts.Defer(func() { cancel(); going.Wait() })
}

func goEnv(t *testing.T, name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// copyRegister copies the example as a module of its own, which needs nothing.
func copyRegister(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"assay.yaml", "compose.yaml", "experiments/killed.yaml", "register/main.go"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(to, "go.mod"), []byte("module register\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
