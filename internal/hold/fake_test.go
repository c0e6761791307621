package hold

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/system"
)

// The fake environment runs in a real holder process. What it is asked to do it
// writes to the file "journal" in the system's folder, where the test reads it.
//
// Names of services steer it: "bare" instances have no powers, "child" instances are real processes,
// and a service called "broken-build", "broken-start", "slow-start" or "broken-close" does that.

func testKinds() map[string]kind {
	return map[string]kind{
		"fake": {build: fakeBuild, start: fakeStart},
		// Only what every Env has.
		"bare": {build: fakeBuild, start: func(ctx context.Context, sys system.System, p place) (system.Env, error) {
			env, err := fakeStart(ctx, sys, p)
			return struct{ system.Env }{env}, err
		}},
		"plain": kinds()["plain"],
	}
}

type fakeEnv struct {
	sys   system.System
	place place

	mu    sync.Mutex
	rules map[string]system.Rule
}

func fakeBuild(ctx context.Context, sys system.System, progress func(string)) error {
	progress("building " + sys.Name)
	if _, ok := sys.Service("broken-build"); ok {
		return errors.New("build broken-build: exit status 1")
	}
	return nil
}

func fakeStart(ctx context.Context, sys system.System, p place) (system.Env, error) {
	env := &fakeEnv{sys: sys, place: p, rules: map[string]system.Rule{}}
	for _, instance := range sys.Instances() {
		if err := env.startInstance(ctx, instance); err != nil {
			return nil, err
		}
		p.Progress(instance.Name + " is ready")
	}
	return env, nil
}

func (e *fakeEnv) startInstance(ctx context.Context, instance system.Instance) error {
	switch instance.Service {
	case "broken-start":
		return errors.New("broken-start-1 is not ready after 30s")
	case "slow-start":
		e.journal("slow-start waits")
		<-ctx.Done()
		return fmt.Errorf("start slow-start-1: %w", context.Cause(ctx))
	case "child":
		if _, err := e.place.Ledger.Intend("start", map[string]string{"instance": instance.Name}); err != nil {
			return err
		}
		cmd := exec.Command(self())
		cmd.Env = append(os.Environ(), roleVar+"=sleeper", "ASSAY_INSTANCE="+instance.Name)
		if err := cmd.Start(); err != nil {
			return err
		}
		go cmd.Wait()
	}
	return nil
}

func (e *fakeEnv) journal(format string, args ...any) {
	file, err := os.OpenFile(filepath.Join(e.sys.Dir, "journal"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintf(file, format+"\n", args...)
}

func (e *fakeEnv) System() system.System { return e.sys }

func (e *fakeEnv) Nodes() []system.Node {
	var nodes []system.Node
	for _, instance := range e.sys.Instances() {
		bare := bareNode{e, instance}
		if instance.Service == "bare" {
			nodes = append(nodes, bare)
		} else {
			nodes = append(nodes, fakeNode{bare})
		}
	}
	return nodes
}

func (e *fakeEnv) Addr(ctx context.Context, from, host string, port int) (string, error) {
	e.journal("addr %s %s %d", from, host, port)
	return fmt.Sprintf("%s.%s:%d", from, host, port), nil
}

func (e *fakeEnv) Close(ctx context.Context) error {
	e.journal("close")
	if _, ok := e.sys.Service("broken-close"); ok {
		return errors.New("records could not be flushed")
	}
	return nil
}

func (e *fakeEnv) SetRule(ctx context.Context, id string, links []system.Link, rule system.Rule) error {
	e.journal("set-rule %s %v %s %v", id, links, rule.Kind, rule.Delay)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rules[id] = rule
	return nil
}

func (e *fakeEnv) ClearRule(ctx context.Context, id string) error {
	e.journal("clear-rule %s", id)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.rules, id)
	return nil
}

func (e *fakeEnv) LinkStats(ctx context.Context) ([]system.LinkStats, error) {
	s := system.LinkStats{Link: system.Link{From: "a-1", To: "b-1"}, BytesIn: 1 << 40, Live: 3, Unedited: 2, Rules: []system.RuleStats{{ID: "slow/1", Matched: 5, Hit: 4}}}
	s.Residence[35] = 7
	return []system.LinkStats{s}, nil
}

func (e *fakeEnv) Record(ctx context.Context, dir string, epoch time.Duration) error {
	e.journal("record %s %v", dir, epoch)
	return nil
}

func (e *fakeEnv) StopRecording(ctx context.Context) error { e.journal("stop-recording"); return nil }
func (e *fakeEnv) Checkpoint(ctx context.Context) error    { e.journal("checkpoint"); return nil }
func (e *fakeEnv) Restore(ctx context.Context) error       { e.journal("restore"); return nil }

func (e *fakeEnv) Snapshot(ctx context.Context) (system.Snapshot, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := system.Snapshot{Instances: map[string]system.Standing{"a-1": {State: system.IsReady, Running: 1, Ports: []string{"127.0.0.1:1"}}}}
	for id := range e.rules {
		s.Rules = append(s.Rules, id)
	}
	slices.Sort(s.Rules)
	return s, nil
}

func (e *fakeEnv) Rewrite(ctx context.Context, from, text string) (string, error) {
	return from + ":" + text, nil
}

func (e *fakeEnv) Log(ctx context.Context, instance string, lines int) ([]string, error) {
	if instance == "gone-1" {
		return nil, fmt.Errorf("log of %s: %w", instance, os.ErrNotExist)
	}
	return []string{instance, fmt.Sprint(lines)}, nil
}

type bareNode struct {
	env      *fakeEnv
	instance system.Instance
}

func (n bareNode) Instance() system.Instance { return n.instance }

func (n bareNode) State(ctx context.Context) (system.State, error) { return system.Unready, nil }

type fakeNode struct{ bareNode }

func (n fakeNode) note(what string) error {
	n.env.journal("%s %s", what, n.instance.Name)
	return nil
}

func (n fakeNode) Kill(ctx context.Context) error    { return n.note("kill") }
func (n fakeNode) Start(ctx context.Context) error   { return n.note("start") }
func (n fakeNode) Pause(ctx context.Context) error   { return n.note("pause") }
func (n fakeNode) Resume(ctx context.Context) error  { return n.note("resume") }
func (n fakeNode) Restart(ctx context.Context) error { return n.note("restart") }

// answers are what Probe answers, by name.
var answers = map[string]any{
	"nil": nil, "bool": true, "int": int64(5), "float": 5.0, "string": "leader",
	"list": []any{int64(1), 1.5, "x", nil}, "map": map[string]any{"lag": int64(0), "ok": true},
}

func (n fakeNode) Probe(ctx context.Context, name string) (any, error) {
	switch name {
	case "block":
		n.note("probe blocks")
		<-ctx.Done()
		n.note("probe canceled")
		return nil, fmt.Errorf("probe block of %s: %w", n.instance.Name, ctx.Err())
	case "wrapped":
		return nil, fmt.Errorf("probe wrapped: %w", &system.UnsupportedError{Target: n.instance.Name, Power: "Prober"})
	case "channel":
		return make(chan int), nil
	}
	answer, ok := answers[name]
	if !ok {
		return nil, fmt.Errorf("probe %s of %s: no answer in 1s", name, n.instance.Name)
	}
	return answer, nil
}
