package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/simrun"
)

// What cannot be written is refused before anything is built.
func TestCheckOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ html, events, want string }{
		{filepath.Join(dir, "x.html"), filepath.Join(dir, "a", "b"), ""},
		{"", "", ""},
		{filepath.Join(dir, "none", "x.html"), "", "--html: the picture cannot be written: "},
		{dir, "", "is a folder: name a file"},
		{"", filepath.Join(file, "x"), "--events: the events cannot be written: "},
		{"", file, "is no folder"},
	} {
		err := checkOutputs(simrun.Options{HTML: tt.html, Events: tt.events})
		var usage *run.UsageError
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q, %q: %v, want %q", tt.html, tt.events, err, tt.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".assay*")); len(left) > 0 {
		t.Error("left behind: ", left)
	}
}
