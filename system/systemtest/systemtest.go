// Package systemtest is the suite that every environment passes.
//
//	func TestSuite(t *testing.T) {
//		systemtest.Run(t, func(t *testing.T, sys system.System) system.Env {
//			env, err := lab.Start(t.Context(), sys, lab.Options{…})
//			…
//			return env
//		})
//	}
//
// A power that the environment lacks is skipped, with the power's name as the
// reason. What it has must do what package system promises, seen from outside:
// by requests, by the operating system, and by the environment's own counters.
package systemtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// Port is where every instance of the suite's system listens.
const Port = 7070

// maxPatience bounds each wait for something that must happen. It is long, since machines may be slow.
const maxPatience = 20 * time.Second

// patience is how long one wait may take: shorter where -timeout leaves little,
// so that the suite says what did not happen rather than being cut off.
func patience(t *testing.T) time.Duration {
	deadline, ok := t.Deadline()
	if !ok {
		return maxPatience
	}
	return min(maxPatience, time.Until(deadline)/20)
}

// Run runs the suite. It calls start several times, one environment after the
// other, and closes each.
func Run(t *testing.T, start func(t *testing.T, sys system.System) system.Env) {
	s := suite{sys: Topology(Build(t)), start: start}
	t.Run("one environment", func(t *testing.T) {
		b := s.bench(t, s.sys.Seed)
		t.Run("nodes", b.nodes)
		t.Run("addr", b.addr)
		t.Run("rewrite", b.rewrite)
		t.Run("kill and start", b.kill)
		t.Run("pause and resume", b.pause)
		t.Run("restart", b.restart)
		t.Run("probe", b.probe)
		t.Run("log", b.log)
		t.Run("delay", b.delay)
		t.Run("cut", b.cut)
		t.Run("refuse", b.refuse)
		t.Run("rules", b.badRules)
		t.Run("rules hit", b.rulesHit)
		t.Run("record", b.record)
		t.Run("snapshot after heal", b.snapshotHealed)
		t.Run("snapshot leftovers", b.snapshotLeftovers)
		t.Run("restore", b.restore)
		t.Run("close", b.close)
	})
	t.Run("seed", s.seed)
}

// Build builds the service that the suite runs, and returns the program.
func Build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "echo")
	build := exec.Command("go", "build", "-o", program, "github.com/assay-dev/assay/system/systemtest/echo")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the suite's service: %v\n%s", err, out)
	}
	return program
}

// Topology returns the system that the suite runs: three instances of web, which call one of store.
func Topology(program string) system.System {
	service := func(name string, replicas int) system.Service {
		return system.Service{
			Name: name, Replicas: replicas, Ports: []int{Port}, Owner: "team-" + name, Zones: []string{"a", "b"},
			Process: system.Process{
				Command: []string{program},
				Env:     map[string]string{"LISTEN": fmt.Sprintf("{{ip}}:%d", Port), "NAME": "{{instance}}", "DATA": "{{data}}"},
				Grace:   2 * time.Second,
			},
			Ready: system.Ready{HTTP: fmt.Sprintf("%d/healthz", Port), Every: 50 * time.Millisecond, Poll: 10 * time.Millisecond},
			Probes: map[string]system.Probe{
				"role": {HTTP: fmt.Sprintf("%d/role", Port), Value: `status == 200 ? body.role : "none"`},
				"term": {HTTP: fmt.Sprintf("%d/role", Port), Value: "body.term"},
				"said": {Exec: []string{program, "say", "4", "hello {{instance}}"}, Value: `stdout + "/" + string(exit)`},
			},
		}
	}
	store, web := service("store", 1), service("web", 3)
	web.DependsOn = []system.Dependency{{Service: "store", Condition: system.Healthy}}
	web.Process.Env["PEER"] = fmt.Sprintf("http://store:%d", Port)
	return system.System{Name: "suite", Dir: filepath.Dir(program), Seed: 7, Services: []system.Service{store, web}}
}

type suite struct {
	sys   system.System
	start func(t *testing.T, sys system.System) system.Env
}

// A bench is one running environment under test.
type bench struct {
	env system.Env
	sys system.System
}

// bench starts an environment that is closed when the test ends.
func (s suite) bench(t *testing.T, seed uint64) *bench {
	t.Helper()
	s.sys.Seed = seed
	b := &bench{env: s.start(t, s.sys), sys: s.sys}
	t.Cleanup(func() {
		if err := b.env.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func (b *bench) node(t *testing.T, name string) system.Node {
	t.Helper()
	for _, n := range b.env.Nodes() {
		if n.Instance().Name == name {
			return n
		}
	}
	t.Fatalf("there is no node %s", name)
	return nil
}

// power returns x as a T, or skips the test.
func power[T any](t *testing.T, x any, name string) T {
	t.Helper()
	p, ok := x.(T)
	if !ok {
		t.Skipf("%T is no system.%s", x, name)
	}
	return p
}

// get asks an instance or a service as the client does, by a new connection.
func (b *bench) get(ctx context.Context, host, path string) (string, error) {
	return b.request(ctx, http.MethodGet, host, path, "")
}

func (b *bench) request(ctx context.Context, method, host, path, body string) (string, error) {
	addr, err := b.env.Addr(ctx, system.Client, host, Port)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	return string(text), err
}

func (b *bench) mustGet(t *testing.T, host, path string) string {
	t.Helper()
	return b.must(t, http.MethodGet, host, path, "")
}

func (b *bench) must(t *testing.T, method, host, path, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience(t))
	defer cancel()
	text, err := b.request(ctx, method, host, path, body)
	if err != nil {
		t.Fatalf("%s %s%s: %v", method, host, path, err)
	}
	return text
}

// within asks host for its name, and gives up after d.
func (b *bench) within(t *testing.T, d time.Duration, host, path string) error {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	_, err := b.get(ctx, host, path)
	return err
}

// eventually waits until what holds, and fails with what it last said.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	limit := patience(t)
	deadline := time.Now().Add(limit)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (b *bench) eventuallyState(t *testing.T, name string, want system.State) {
	t.Helper()
	eventually(t, name+" becomes "+string(want), func() error {
		got, err := b.node(t, name).State(t.Context())
		if err == nil && got != want {
			err = errors.New("it is " + string(got))
		}
		return err
	})
}
