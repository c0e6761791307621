package run

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/internal/run/runtest"
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
	if err := errors.Join(dirErr, runtest.Write(dir, "buy", "shop", ok)); err != nil {
		t.Fatal(err)
	}
	result, judgeErr := s.judge(t.Context(), s.project.Experiments[0], folder, err)
	if judgeErr != nil {
		t.Fatal(judgeErr)
	}
	return result
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
