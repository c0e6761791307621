package systemtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// record: states, probes and requests are in files that can be read while and after they are written.
func (b *bench) record(t *testing.T) {
	r := power[system.Recorder](t, b.env, "Recorder")
	dir := t.TempDir()
	if err := r.Record(t.Context(), dir, 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the probes are recorded", func() error {
		events, err := readEvents(dir)
		if err == nil && !hasProbe(events, "web-3", history.String("leader")) {
			err = fmt.Errorf("no answer of web-3 in %d events", len(events))
		}
		return err
	})
	b.mustGet(t, "web-2", "/call")
	b.choose(t)
	b.clean(t, "web-3")
	if err := r.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := readEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	b.checkStates(t, events)
	b.checkExchanges(t, dir)
	b.checkDecisions(t, dir)
	if err := r.StopRecording(t.Context()); err != nil {
		t.Errorf("stop a recording that is not on: %v", err)
	}
}

// readEvents reads the events that are on disk. A last line that is not whole is being written.
func readEvents(dir string) ([]history.Event, error) {
	file, err := os.Open(filepath.Join(dir, "env.jsonl"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	events, err := history.ReadAll[history.Event](file)
	if errors.Is(err, history.ErrCut) {
		err = nil
	}
	return events, err
}

func hasProbe(events []history.Event, target string, want history.Value) bool {
	return slices.ContainsFunc(events, func(e history.Event) bool {
		return e.Kind == history.Probe && e.Name == "role" && e.Target == target && e.Value.Equal(want)
	})
}

func (b *bench) checkStates(t *testing.T, events []history.Event) {
	t.Helper()
	states := map[string][]string{}
	last := time.Duration(0)
	for _, e := range events {
		if e.At <= 0 || e.At < last {
			t.Errorf("event at %v follows one at %v", e.At, last)
		}
		last = e.At
		if e.Kind == history.State {
			states[e.Target] = append(states[e.Target], e.Name)
		}
	}
	if got := states["web-1"]; !slices.Equal(got, []string{"ready"}) {
		t.Errorf("the states of web-1 are %v, want ready from the start", got)
	}
	if _, kills := b.node(t, "web-3").(system.Killer); kills {
		if got, want := strings.Join(states["web-3"], " "), "ready exited starting ready"; got != want {
			t.Errorf("the states of web-3 are %q, want %q", got, want)
		}
	}
}

func (b *bench) checkExchanges(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "exchanges.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	exchanges, err := history.ReadAll[history.Exchange](file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][3]string{{system.Client, "web-2", "/call"}, {"web-2", "store-1", "/name"}} {
		if !slices.ContainsFunc(exchanges, func(x history.Exchange) bool {
			return x.Src == want[0] && x.Dst == want[1] && x.Path == want[2] && x.Status == 200
		}) {
			t.Errorf("no exchange %v in %+v", want, exchanges)
		}
	}
}

// choose lets a rule of requests choose one of two, where links can be bent.
func (b *bench) choose(t *testing.T) {
	if _, links := b.env.(system.Linker); !links {
		return
	}
	heal := b.arm(t, []system.Link{{From: system.Client, To: "web-1"}}, system.Rule{Kind: system.Header, Name: "X-Fault", Value: "1", When: system.Trigger{Nth: 2}})
	defer heal()
	for range 2 {
		b.mustGet(t, "web-1", "/name")
	}
}

func (b *bench) checkDecisions(t *testing.T, dir string) {
	t.Helper()
	if _, links := b.env.(system.Linker); !links {
		return
	}
	file, err := os.Open(filepath.Join(dir, "decisions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decisions, err := history.ReadAll[history.Decision](file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range decisions {
		got = append(got, fmt.Sprint(d.From, " ", d.To, " ", d.Path, " ", d.Nth, " ", d.Hit))
	}
	if want := []string{"client web-1 /name 1 false", "client web-1 /name 2 true"}; !slices.Equal(got, want) {
		t.Errorf("decisions %q, want %q", got, want)
	}
}

func (b *bench) snapshot(t *testing.T) system.Snapshot {
	t.Helper()
	s, err := power[system.Snapshotter](t, b.env, "Snapshotter").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// snapshotHealed: after each fault and its heal, nothing differs.
func (b *bench) snapshotHealed(t *testing.T) {
	before := b.snapshot(t)
	if len(before.Instances) != len(b.sys.Instances()) {
		t.Fatalf("the snapshot has %d instances: %+v", len(before.Instances), before)
	}
	b.clean(t, "web-1")
	if p, ok := b.node(t, "web-2").(system.Pauser); ok {
		if err := errors.Join(p.Pause(t.Context()), p.Resume(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := b.env.(system.Linker); ok {
		b.arm(t, both("web-1", "store-1"), system.Rule{Kind: system.Cut})()
	}
	b.eventuallySame(t, before)
}

func (b *bench) eventuallySame(t *testing.T, before system.Snapshot) {
	t.Helper()
	eventually(t, "all is as before", func() error {
		if diff := before.Diff(b.snapshot(t)); diff != nil {
			return errors.New(strings.Join(diff, "; "))
		}
		return nil
	})
}

// snapshotLeftovers: one leftover of each kind is seen, and named.
func (b *bench) snapshotLeftovers(t *testing.T) {
	before := b.snapshot(t)
	for name, leftover := range map[string]struct {
		leave func(t *testing.T)
		want  string
	}{
		"process": {func(t *testing.T) { b.must(t, "POST", "web-1", "/spawn", "") }, "web-1: running processes was 1, is 2"},
		"port":    {func(t *testing.T) { b.must(t, "POST", "web-1", "/open", "") }, "is left"},
		"limit":   {func(t *testing.T) { b.must(t, "POST", "web-1", "/limit", "") }, "limit max open files"},
		"state": {func(t *testing.T) {
			if err := power[system.Killer](t, b.node(t, "web-1"), "Killer").Kill(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, "web-1: state was ready, is exited"},
		"stopped": {func(t *testing.T) {
			if err := power[system.Pauser](t, b.node(t, "web-1"), "Pauser").Pause(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, "web-1: stopped processes was 0, is 1"},
		"rule": {func(t *testing.T) {
			b.arm(t, both("web-1", "store-1"), system.Rule{Kind: system.Delay, Delay: time.Millisecond})
		}, "link rule"},
	} {
		t.Run(name, func(t *testing.T) {
			leftover.leave(t)
			diff := strings.Join(before.Diff(b.snapshot(t)), "\n")
			if !strings.Contains(diff, leftover.want) {
				t.Errorf("the difference is %q, want one that says %q", diff, leftover.want)
			}
		})
		b.clean(t, "web-1")
		b.eventuallySame(t, before)
	}
}
