package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

func TestExit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		verdicts    []verdict.Verdict
		broken      string
		interrupted bool
		want        int
	}{
		{[]verdict.Verdict{verdict.Pass}, "", false, 0},
		{nil, "", false, 3},
		{[]verdict.Verdict{verdict.Pass, verdict.Unknown}, "", false, 3},
		{[]verdict.Verdict{verdict.Pass}, "disk full", false, 4},
		{[]verdict.Verdict{verdict.Unknown}, "disk full", false, 4},
		{[]verdict.Verdict{verdict.Unknown, verdict.Fail, verdict.Pass}, "disk full", false, 1},
		{[]verdict.Verdict{verdict.Fail}, "disk full", true, 130},
		{[]verdict.Verdict{verdict.Pass}, "", true, 130},
	} {
		r := Report{Broken: tt.broken, Interrupted: tt.interrupted}
		for _, v := range tt.verdicts {
			r.Results = append(r.Results, evidence.ExperimentResult{Verdict: v})
		}
		if got := r.Exit(); got != tt.want {
			t.Errorf("%+v: exit %d", tt, got)
		}
	}
}

// What cannot be stored breaks the run, also when everything passed.
func TestCloseThatCannotStore(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"timings.json", "end.json"} {
		s := newSession(t, nil)
		s.passed(t)
		if err := os.Mkdir(filepath.Join(s.run.Dir(), name), 0o755); err != nil {
			t.Fatal(err)
		}
		report, err := s.Close(t.Context(), nil)
		if err == nil || report.Exit() != ExitBroken || !strings.Contains(report.Broken, name) {
			t.Errorf("%s: exit %d, broken %q, %v", name, report.Exit(), report.Broken, err)
		}
		if end, err := s.run.End(); err == nil && (end.Verdict == verdict.Pass || end.Exit != ExitBroken) {
			t.Errorf("%s: end.json says %v, exit %d", name, end.Verdict, end.Exit)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	if got, want := Command("run", "my shop/it's", "a-b", ""), `run 'my shop/it'\''s' a-b ''`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A fault that the system cannot have is the user's mistake, and says where.
func TestPlanOfAWrongFault(t *testing.T) {
	t.Parallel()
	s := newSession(t, nil)
	project := *s.project
	project.System.Services = nil
	for _, err := range []error{errorOf(NewPlan(t.Context(), &project, s.opts)), errorOf(Run(t.Context(), &project, s.opts))} {
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.HasPrefix(err.Error(), "x.yaml:4:10: ") {
			t.Errorf("%T %v", err, err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }
