package systemtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// nodes: one for each instance, in order, all ready.
func (b *bench) nodes(t *testing.T) {
	var got []system.Instance
	for _, n := range b.env.Nodes() {
		got = append(got, n.Instance())
		if state, err := n.State(t.Context()); err != nil || state != system.IsReady {
			t.Errorf("%s is %s, %v; want ready after start", n.Instance().Name, state, err)
		}
	}
	if want := b.sys.Instances(); !reflect.DeepEqual(got, want) {
		t.Errorf("nodes are of %v, want %v", got, want)
	}
	if !reflect.DeepEqual(b.env.System(), b.sys) {
		t.Errorf("the environment runs %+v, and was given %+v", b.env.System(), b.sys)
	}
}

// addr: an instance's address reaches it, a service's each of its instances, and instances reach each other.
func (b *bench) addr(t *testing.T) {
	for _, instance := range b.sys.Instances() {
		if got := b.mustGet(t, instance.Name, "/name"); got != instance.Name {
			t.Errorf("the address of %s is answered by %s", instance.Name, got)
		}
	}
	reached := map[string]int{}
	for range 60 {
		reached[b.mustGet(t, "web", "/name")]++
	}
	for _, name := range []string{"web-1", "web-2", "web-3"} {
		if reached[name] < 5 {
			t.Errorf("of 60 connections to web, %d reached %s; all: %v", reached[name], name, reached)
		}
	}
	if got := b.mustGet(t, "web-2", "/call"); got != "store-1" {
		t.Errorf("web-2 called store and was answered by %q", got)
	}
	for _, bad := range [][2]string{{system.Client, "nobody"}, {"nobody", "web"}} {
		if addr, err := b.env.Addr(t.Context(), bad[0], bad[1], Port); err == nil {
			t.Errorf("%s has an address for %s: %s", bad[0], bad[1], addr)
		}
	}
}

// rewrite: a text that names services gets the addresses that Addr gives.
func (b *bench) rewrite(t *testing.T) {
	r := power[system.Rewriter](t, b.env, "Rewriter")
	addr, err := b.env.Addr(t.Context(), system.Client, "web-1", Port)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("GET http://web-1:%d/name and xweb-1:%d", Port, Port)
	want := fmt.Sprintf("GET http://%s/name and xweb-1:%d", addr, Port)
	if got, err := r.Rewrite(t.Context(), system.Client, text); err != nil || got != want {
		t.Errorf("Rewrite(%q) = %q, %v; want %q", text, got, err, want)
	}
}

// kill: it is gone with all it started, its service goes on without it, and Start brings it back.
func (b *bench) kill(t *testing.T) {
	n := b.node(t, "web-1")
	k := power[system.Killer](t, n, "Killer")
	b.must(t, "POST", "web-1", "/spawn", "")
	before := b.inspect(t, n, 2)
	if err := k.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.inspect(t, n, 0)
	b.eventuallyState(t, "web-1", system.Exited)
	for range 10 {
		if got := b.mustGet(t, "web", "/name"); got == "web-1" {
			t.Fatal("the service's address leads to an instance that was killed")
		}
	}
	if err := b.within(t, patience(t), "web-1", "/name"); err == nil {
		t.Error("the instance's address is answered after it was killed")
	}
	if err := k.Kill(t.Context()); err != nil {
		t.Errorf("kill what is dead: %v", err)
	}
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.mustBeBack(t, "web-1", before)
}

// mustBeBack checks that the instance is ready, answers, and is another process than before.
func (b *bench) mustBeBack(t *testing.T, name string, before []system.Proc) {
	t.Helper()
	n := b.node(t, name)
	if state, err := n.State(t.Context()); err != nil || state != system.IsReady {
		t.Errorf("%s is %s, %v; want ready", name, state, err)
	}
	if got := b.mustGet(t, name, "/name"); got != name {
		t.Errorf("%s is answered by %q", name, got)
	}
	for _, now := range b.inspect(t, n, 1) {
		if slices.ContainsFunc(before, func(p system.Proc) bool { return p.ID == now.ID }) {
			t.Errorf("%s still has process %v", name, now.ID)
		}
	}
}

// inspect waits until the instance has as many processes as expected, and returns them.
func (b *bench) inspect(t *testing.T, n system.Node, want int) []system.Proc {
	t.Helper()
	inspector, ok := n.(system.Inspector)
	if !ok {
		return nil
	}
	var seen []system.Proc
	eventually(t, fmt.Sprintf("%s has %d processes", n.Instance().Name, want), func() error {
		inspection, err := inspector.Inspect(t.Context())
		seen = inspection.Processes
		if err == nil && len(seen) != want {
			err = fmt.Errorf("there are %+v", seen)
		}
		return err
	})
	for _, p := range seen {
		if p.ID.PID == 0 || p.ID.Start == 0 || p.ID.Boot == "" {
			t.Errorf("a process of %s is not named for good: %+v", n.Instance().Name, p)
		}
	}
	return seen
}

// pause: every process stands, nobody answers, and Resume makes it as before.
func (b *bench) pause(t *testing.T) {
	n := b.node(t, "web-2")
	p := power[system.Pauser](t, n, "Pauser")
	b.must(t, "POST", "web-2", "/spawn", "")
	before := b.inspect(t, n, 2)
	if err := p.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, proc := range b.inspect(t, n, 2) {
		if !proc.Stopped {
			t.Errorf("process %+v of a paused instance runs", proc)
		}
	}
	b.eventuallyState(t, "web-2", system.Paused)
	if err := b.within(t, 300*time.Millisecond, "web-2", "/name"); err == nil {
		t.Error("a paused instance answers")
	}
	if err := p.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.eventuallyState(t, "web-2", system.IsReady)
	if got := b.mustGet(t, "web-2", "/name"); got != "web-2" {
		t.Errorf("after Resume, web-2 is answered by %q", got)
	}
	for i, proc := range b.inspect(t, n, 2) {
		if proc.Stopped || proc.ID != before[i].ID {
			t.Errorf("after Resume there is %+v, before Pause there was %+v", proc, before[i])
		}
	}
	b.clean(t, "web-2")
}

// clean starts an instance anew, so that what a test left in it is gone.
func (b *bench) clean(t *testing.T, name string) {
	t.Helper()
	k, ok := b.node(t, name).(system.Killer)
	if !ok {
		return
	}
	if err := errors.Join(k.Kill(t.Context()), k.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// restart: another process, ready when it returns.
func (b *bench) restart(t *testing.T) {
	n := b.node(t, "web-3")
	r := power[system.Restarter](t, n, "Restarter")
	before := b.inspect(t, n, 1)
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.mustBeBack(t, "web-3", before)
}

// probe: each kind answers with its type, and none answers for the dead.
func (b *bench) probe(t *testing.T) {
	p := power[system.Prober](t, b.node(t, "web-1"), "Prober")
	for name, want := range map[string]any{"role": "leader", "term": int64(3), "said": "hello web-1/4"} {
		if got, err := p.Probe(t.Context(), name); err != nil || got != want {
			t.Errorf("probe %s answers %v (%T), %v; want %v (%T)", name, got, got, err, want, want)
		}
	}
	if got, err := p.Probe(t.Context(), "nothing"); err == nil {
		t.Errorf("a probe that is not declared answers %v", got)
	}
	k := power[system.Killer](t, b.node(t, "web-1"), "Killer")
	if err := k.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Probe(t.Context(), "role"); err == nil {
		t.Errorf("a killed instance answers %v", got)
	}
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// log: what an instance prints, the last lines of it, across restarts.
func (b *bench) log(t *testing.T) {
	l := power[system.Logger](t, b.env, "Logger")
	for _, line := range []string{"first", "second", "third"} {
		b.must(t, "POST", "web-1", "/print?line="+line, "")
	}
	b.clean(t, "web-1")
	lines, err := l.Log(t.Context(), "web-1", 3)
	if err != nil || len(lines) != 3 || lines[0] != "second" || lines[1] != "third" || !strings.HasPrefix(lines[2], "web-1 serves on") {
		t.Errorf("the last lines of web-1 are %q, %v", lines, err)
	}
	if _, err := l.Log(t.Context(), "nobody", 3); err == nil {
		t.Error("there is a log of nobody")
	}
}

// restore: the data of the checkpoint is back, and so are the instances; rules are not.
func (b *bench) restore(t *testing.T) {
	r := power[system.Restorer](t, b.env, "Restorer")
	b.must(t, "PUT", "store-1", "/data", "golden")
	if err := r.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		b.must(t, "PUT", "store-1", "/data", "spoilt")
		b.spoil(t)
		if err := r.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := b.mustGet(t, "store-1", "/data"); got != "golden" {
			t.Errorf("round %d: after Restore the data is %q, want golden", round, got)
		}
		if got := b.mustGet(t, "web-1", "/call"); got != "store-1" {
			t.Errorf("round %d: after Restore web-1 calls %q", round, got)
		}
		b.nodes(t)
	}
}

// spoil leaves a rule, a dead and a paused instance, as far as the environment can.
func (b *bench) spoil(t *testing.T) {
	t.Helper()
	if l, ok := b.env.(system.Linker); ok {
		if err := l.SetRule(t.Context(), "spoil", both("web-1", "store-1"), system.Rule{Kind: system.Cut}); err != nil {
			t.Fatal(err)
		}
	}
	if k, ok := b.node(t, "web-2").(system.Killer); ok {
		if err := k.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if p, ok := b.node(t, "web-3").(system.Pauser); ok {
		if err := p.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// close: with an instance paused and children daemonised, nothing answers and
// nothing runs after it. A second Close is no error, and what is asked then is one.
func (b *bench) close(t *testing.T) {
	b.must(t, "POST", "web-1", "/spawn", "")
	var addrs []string
	for _, instance := range b.sys.Instances() {
		addr, err := b.env.Addr(t.Context(), system.Client, instance.Name, Port)
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, addr)
	}
	if p, ok := b.node(t, "web-2").(system.Pauser); ok {
		if err := p.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := b.env.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, addr := range addrs {
		mustRefuse(t, addr)
	}
	for _, n := range b.env.Nodes() {
		b.inspect(t, n, 0)
		if k, ok := n.(system.Killer); ok && k.Start(t.Context()) == nil {
			t.Errorf("%s starts in an environment that is closed", n.Instance().Name)
		}
	}
}

// seed: the same seed leads the n-th connection to the same instance, another elsewhere.
func (s suite) seed(t *testing.T) {
	sequence := func(seed uint64) []string {
		b := s.bench(t, seed)
		names := make([]string, 24)
		for i := range names {
			names[i] = b.mustGet(t, "web", "/name")
		}
		if err := b.env.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		return names
	}
	first, again, other := sequence(1), sequence(1), sequence(2)
	if !slices.Equal(first, again) {
		t.Errorf("seed 1 leads to\n%v, and again to\n%v", first, again)
	}
	if slices.Equal(first, other) {
		t.Errorf("seeds 1 and 2 both lead to\n%v", first)
	}
}
