package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

func rejudged(t *testing.T, s *Session) []evidence.ExperimentResult {
	t.Helper()
	results, err := Rejudge(t.Context(), s.run, "test")
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func wantUnknown(t *testing.T, r evidence.ExperimentResult, reason string) {
	t.Helper()
	if r.Verdict != verdict.Unknown || !strings.Contains(r.Reason, reason) {
		t.Errorf("%s: %v because %q, want unknown because of %q", r.Name, r.Verdict, r.Reason, reason)
	}
}

func TestRejudgeOfAWholeRunPasses(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.passed(t)
	if exit := s.close(t, nil).Exit(); exit != ExitPass {
		t.Errorf("exit %d", exit)
	}
	for range 2 {
		if got := rejudged(t, s); got[0].Verdict != verdict.Pass || len(got[0].Problems) > 0 {
			t.Errorf("%v: %s %q", got[0].Verdict, got[0].Reason, got[0].Problems)
		}
	}
	if end, err := s.run.End(); err != nil || end.Ended.IsZero() {
		t.Errorf("the end has no time: %v %v", end.Ended, err)
	}
}

// The last operations are cut off at a line's end: the history reads as if whole, and what it says is good.
func TestRejudgeOfChangedRecordsIsUnknown(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.passed(t)
	s.close(t, nil)
	path := filepath.Join(s.run.Dir(), "x", "x", "ops.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if err := os.WriteFile(path, []byte(strings.Join(lines[:len(lines)-2], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	wantUnknown(t, rejudged(t, s)[0], "ops.jsonl was changed after the seal")
	if _, err := os.Stat(filepath.Join(s.run.Dir(), "x", "x", "judged-2.json")); err != nil {
		t.Error(err)
	}
}

// A plan that was changed is a change like any other, whether it can still be read or not.
func TestRejudgeOfAChangedPlanIsUnknown(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.passed(t)
	s.close(t, nil)
	path := filepath.Join(s.run.Dir(), "plan.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, changed := range []string{string(text) + "\n", "x" + string(text), ""} {
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		wantUnknown(t, rejudged(t, s)[0], "plan.json was changed after the seal")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantUnknown(t, rejudged(t, s)[0], "plan.json is missing")
}

func TestRejudgeOfACutRunIsUnknown(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	s.passed(t)
	if _, err := Rejudge(t.Context(), s.run, "test"); err == nil || !strings.Contains(err.Error(), "still being written") {
		t.Errorf("a run that is being written is judged: %v", err)
	}
	if err := s.run.Close(); err != nil {
		t.Fatal(err)
	}
	wantUnknown(t, rejudged(t, s)[0], "not sealed")
}

func TestRejudgeRemembersWhyTheRunBroke(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	broke := errors.New("heal kill(shop): no such process")
	s.report.Results = append(s.report.Results, s.ran(t, "x", true, broke))
	if exit := s.close(t, broke).Exit(); exit != ExitBroken {
		t.Errorf("exit %d", exit)
	}
	for range 3 {
		got := rejudged(t, s)[0]
		wantUnknown(t, got, broke.Error())
		if len(got.Problems) != 1 {
			t.Errorf("problems pile up: %q", got.Problems)
		}
	}
}

func TestRejudgeOfWhatWasNotRun(t *testing.T) {
	t.Parallel()
	s := newSession(t, func(p *spec.Project, _ *Options) {
		y := p.Experiments[0]
		y.Name = "y"
		p.Experiments = append(p.Experiments, y)
	})
	s.passed(t)
	s.close(t, nil)
	got := rejudged(t, s)
	if len(got) != 2 || got[0].Verdict != verdict.Pass {
		t.Fatalf("%+v", got)
	}
	wantUnknown(t, got[1], "it was not run")
}

func TestOnlyStopped(t *testing.T) {
	t.Parallel()
	lost := errors.New("disk full")
	for _, tt := range []struct {
		err  error
		want bool
	}{{nil, false}, {experiment.ErrStopped, true}, {errors.Join(errors.Join(experiment.ErrStopped, nil), nil), true},
		{errors.Join(experiment.ErrStopped, lost), false}, {errors.Join(experiment.ErrStopped, context.Canceled), false}, {lost, false}} {
		if got := onlyStopped(tt.err); got != tt.want {
			t.Errorf("onlyStopped(%v) = %t", tt.err, got)
		}
	}
}
