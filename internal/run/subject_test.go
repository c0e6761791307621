package run

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
)

// Evidence of a database that another script filled is evidence of another service: the digests of what ran tell them apart.
func TestSubjectOfScripts(t *testing.T) {
	t.Parallel()
	digest := func(image *system.Image) string {
		t.Helper()
		s := newSession(t, func(p *spec.Project, _ *Options) { p.System.Services[0].Process.Image = image })
		subjects, err := s.run.Subjects()
		if err != nil || len(subjects) != 1 {
			t.Fatalf("subjects %v: %v", subjects, err)
		}
		return subjects[0].SHA256
	}
	path, err := binary("", system.Service{Process: system.Process{Command: []string{"true"}}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := evidence.Digest(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for sum, want := range map[string]string{"": program, "sha256:1": "", "sha256:2": ""} {
		got := digest(&system.Image{Sum: sum})
		if seen[got] != "" || !strings.HasPrefix(got, "sha256:") || (got == program) != (want == program) {
			t.Errorf("scripts %q: got %s, as of %q; the program's is %s", sum, got, seen[got], program)
		}
		if again := digest(&system.Image{Sum: sum}); again != got {
			t.Errorf("scripts %q: got %s and %s", sum, got, again)
		}
		seen[got] = "scripts " + sum
	}
	if got := digest(nil); got != program {
		t.Errorf("nothing fills it: got %s, want %s", got, program)
	}
}
