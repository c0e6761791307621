package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/run"
)

// Whoever leaves something out is told what it is.
func TestUsageNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"completion", "name one: bash, zsh, fish, powershell"},
		{"completion tcsh", `no completion for the shell "tcsh" (there are: bash, zsh, fish, powershell)`},
		{"evidence merge", "name one or more stores, runs, archives"},
		{"evidence remove", "name one or more by id"},
		{"evidence import", "name one or more files"},
		{"diff --last 0", "--last 0: the number of runs must be at least 1"},
		{"diff --last -1", "--last -1: the number of runs must be at least 1"},
	} {
		var out, story bytes.Buffer
		code := Main(strings.Fields(tt.args), &out, &story)
		if code != run.ExitUsage || out.Len() > 0 || !strings.Contains(story.String(), tt.want) || strings.Contains(story.String(), "arg(s)") {
			t.Errorf("assay %s: exit %d, stdout %q, stderr %q, want exit %d and %q", tt.args, code, out.String(), story.String(), run.ExitUsage, tt.want)
		}
	}
}
