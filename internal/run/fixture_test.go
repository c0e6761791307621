package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// newSession opens a session on an evidence folder of its own, with a system that never starts:
// its records are written by the test.
func newSession(t *testing.T, change func(*spec.Project, *Options)) *Session {
	t.Helper()
	x := experiment.Experiment{Name: "x", Load: []workload.Load{{Journey: "buy", Rate: 20}},
		Steady: []experiment.Expectation{{Text: `success("buy") >= 0.99`}}, During: []experiment.Expectation{{Text: `success("buy") >= 0.9`}},
		Method: []experiment.Action{{At: 3 * time.Second, For: 3 * time.Second, Fault: fault.Kill("shop"), Pos: "x.yaml:4:10"}}}
	project := &spec.Project{Name: "test", Dir: t.TempDir(), Seed: 7, Experiments: []experiment.Experiment{x},
		System:   system.System{Name: "test", Services: []system.Service{{Name: "shop", Replicas: 1, Process: system.Process{Command: []string{"true"}}}}},
		Journeys: []workload.Journey{{Name: "buy", Steps: []workload.Step{{Call: "GET http://shop/", Expect: "true"}}}}}
	opts := Options{Store: filepath.Join(t.TempDir(), "store")}
	if change != nil {
		change(project, &opts)
	}
	s := &Session{opts: opts, project: project, report: Report{System: project.Name}}
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.subjects(); err != nil {
		t.Fatal(err)
	}
	return s
}

// ran leaves the records of an experiment in folder and judges them. Where ok is false every operation under the fault failed.
func (s *Session) ran(t *testing.T, folder string, ok bool, err error) evidence.ExperimentResult {
	t.Helper()
	dir, dirErr := s.run.Experiment(folder)
	writeErr := errors.Join(dirErr, writeRecords(dir, "ops.jsonl", operations(ok)), writeRecords(dir, "events.jsonl", events()),
		writeRecords[history.Event](dir, "env.jsonl", nil), writeRecords[history.Exchange](dir, "exchanges.jsonl", nil))
	if writeErr != nil {
		t.Fatal(writeErr)
	}
	result, judgeErr := s.judge(t.Context(), s.project.Experiments[0], folder, err)
	if judgeErr != nil {
		t.Fatal(judgeErr)
	}
	return result
}

func writeRecords[R history.Record](dir, name string, records []R) error {
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	w := history.NewWriter[R](file)
	for _, r := range records {
		err = errors.Join(err, w.Write(r))
	}
	return errors.Join(err, w.Flush(), file.Close())
}

func operations(ok bool) []history.Op {
	var ops []history.Op
	for i := range 200 {
		at := time.Duration(i) * 50 * time.Millisecond
		op := history.Op{ID: uint64(i + 1), Kind: history.Journey, Client: "c1", Journey: "buy", Name: "buy", Outcome: history.OK,
			Scheduled: at, Call: at, Return: at + 5*time.Millisecond, Trace: fmt.Sprintf("%032x", i+1)}
		if !ok && at >= 3*time.Second {
			op.Outcome = history.Failed
		}
		ops = append(ops, op)
	}
	return ops
}

func events() []history.Event {
	const s = time.Second
	number := func(key string, n int64) history.Entry {
		return history.Entry{Key: history.String(key), Val: history.Int(n)}
	}
	about := history.Event{Name: "kill(shop)", Fault: 1, Target: "shop-1"}
	at := func(d time.Duration, kind history.EventKind, e history.Event) history.Event {
		e.At, e.Kind = d, kind
		return e
	}
	seen := about
	seen.OK, seen.Text = true, "gone"
	phase := func(d time.Duration, name string) history.Event {
		return at(d, history.Phase, history.Event{Name: name})
	}
	return []history.Event{phase(0, "before"), phase(3*s, "fault"), at(3*s, history.Inject, about), at(4*s, history.Effect, seen),
		at(6*s, history.Heal, about), phase(6*s, "healed"), phase(7*s, "after"), phase(10*s, "drain"),
		at(10*s, history.Note, history.Event{Name: "driver", Value: history.Map(number("lateness_p99_ns", 1), number("runs", 200), number("saturated", 0))}),
		phase(10*s, "final"), at(11*s, history.Snapshot, history.Event{Name: "rollback", OK: true, Text: "as before"}), phase(11*s, "end")}
}

// passed runs the session's experiment well.
func (s *Session) passed(t *testing.T) {
	t.Helper()
	result := s.ran(t, "x", true, nil)
	if result.Verdict != verdict.Pass {
		t.Fatalf("the records of these tests must pass: %v %s", result.Verdict, result.Reason)
	}
	s.report.Results = append(s.report.Results, result)
}

func (s *Session) close(t *testing.T, cause error) Report {
	t.Helper()
	report, err := s.Close(context.WithoutCancel(t.Context()), cause)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
