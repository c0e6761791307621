package plain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
)

// patience bounds each wait for what must happen.
const patience = time.Minute

const (
	echoVar   = "PLAIN_TEST_ECHO"   // the program that instances run
	holderVar = "PLAIN_TEST_HOLDER" // makes this binary hold an environment until it is killed
)

func TestMain(m *testing.M) {
	if job := os.Getenv(holderVar); job != "" {
		hold(job)
		return
	}
	if role := os.Getenv(tlsVar); role != "" {
		tlsProgram(role)
		return
	}
	os.Exit(withEcho(m))
}

func withEcho(m *testing.M) int {
	if echo() != "" { // built by the process that started this one
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "plain")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "echo")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/assay-dev/assay/system/systemtest/echo").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build echo: %v\n%s", err, out))
	}
	os.Setenv(echoVar, program)
	return m.Run()
}

func echo() string { return os.Getenv(echoVar) }

// serve is a service of n echo servers on port 7070.
func serve(name string, n int) system.Service {
	return system.Service{
		Name: name, Replicas: n, Ports: []int{7070},
		Process: system.Process{
			Command: []string{echo()}, Grace: 2 * time.Second,
			Env: map[string]string{"LISTEN": "{{ip}}:7070", "NAME": "{{instance}}", "DATA": "{{data}}"},
		},
		Ready: system.Ready{HTTP: "7070/healthz", Every: 20 * time.Millisecond, Poll: 10 * time.Millisecond},
	}
}

// say is a service that prints lines and ends with a status.
func say(name, status string, lines ...string) system.Service {
	return system.Service{Name: name, Replicas: 1, Process: system.Process{Command: append([]string{echo(), "say", status}, lines...)}}
}

func after(s system.Service, condition system.Condition, services ...string) system.Service {
	for _, on := range services {
		s.DependsOn = append(s.DependsOn, system.Dependency{Service: on, Condition: condition})
	}
	return s
}

func of(services ...system.Service) system.System {
	return system.System{Name: "test", Dir: filepath.Dir(echo()), Seed: 1, Services: services}
}

func options(t *testing.T) plain.Options {
	t.Helper()
	dir := t.TempDir()
	return plain.Options{ID: t.Name(), StateDir: filepath.Join(dir, "state"), LogDir: filepath.Join(dir, "log")}
}

func start(t *testing.T, sys system.System) *plain.Env {
	t.Helper()
	return startWith(t, sys, options(t))
}

func startWith(t *testing.T, sys system.System, opts plain.Options) *plain.Env {
	t.Helper()
	env, err := plain.Start(t.Context(), sys, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
		mustBeGone(t, opts.ID)
	})
	return env
}

// startFails starts what must not start, and returns the error. Nothing may be left.
func startFails(t *testing.T, sys system.System) string {
	t.Helper()
	opts := options(t)
	env, err := plain.Start(t.Context(), sys, opts)
	if err == nil {
		env.Close(t.Context())
		t.Fatal("it starts")
	}
	mustBeGone(t, opts.ID)
	if _, err := os.Stat(opts.StateDir); err == nil {
		t.Errorf("%s is left", opts.StateDir)
	}
	return err.Error()
}

func mustBeGone(t *testing.T, id string) {
	t.Helper()
	left, err := plain.Processes(id, "")
	if err != nil || len(left) > 0 {
		t.Errorf("processes are left: %+v, %v", left, err)
	}
}

func mustSay(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
}

func request(t *testing.T, env *plain.Env, method, host, path string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	addr, err := env.Addr(ctx, system.Client, host, 7070)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return string(text), err
}

func must(t *testing.T, env *plain.Env, method, host, path string) string {
	t.Helper()
	text, err := request(t, env, method, host, path)
	if err != nil {
		t.Fatalf("%s %s%s: %v", method, host, path, err)
	}
	return text
}

func node(t *testing.T, env *plain.Env, name string) system.Node {
	t.Helper()
	for _, n := range env.Nodes() {
		if n.Instance().Name == name {
			return n
		}
	}
	t.Fatalf("there is no node %s", name)
	return nil
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func eventuallyState(t *testing.T, env *plain.Env, name string, want system.State) {
	t.Helper()
	n := node(t, env, name)
	eventually(t, name+" becomes "+string(want), func() bool {
		state, err := n.State(t.Context())
		return err == nil && state == want
	})
}

// hold starts the environment that job describes, says so, and waits for its death.
func hold(job string) {
	var j struct {
		Sys  system.System
		Opts struct{ ID, StateDir, LogDir string }
	}
	if err := json.Unmarshal([]byte(job), &j); err != nil {
		panic(err)
	}
	_, err := plain.Start(context.Background(), j.Sys, plain.Options{ID: j.Opts.ID, StateDir: j.Opts.StateDir, LogDir: j.Opts.LogDir})
	if err != nil {
		panic(err)
	}
	fmt.Println("started")
	time.Sleep(time.Hour)
}

// command returns a command that is killed at the end of the test. A first
// argument NAME=VALUE is added to its environment.
func command(t *testing.T, program, variable string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), variable)
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	return cmd
}
