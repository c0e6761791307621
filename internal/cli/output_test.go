package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/table"
)

// A folder that is missing is made, and what cannot be written is said of the path that the user gave.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("was"), 0o644); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	for _, tt := range []struct {
		path  string
		write error
		want  string // error, "" for none
		usage bool
	}{
		{filepath.Join(dir, "new", "deep", "out.md"), nil, "", false},
		{filepath.Join(dir, "broken"), full, "write " + filepath.Join(dir, "broken") + ": disk full", false},
		{file, full, "disk full", false},
		{filepath.Join(file, "out.md"), nil, "write " + filepath.Join(file, "out.md") + ":", true},
		{dir, nil, "is a folder", true},
		{dir + "/new/", nil, "is a folder", true},
	} {
		err := writeFile(tt.path, func(w io.Writer) error {
			_, err := io.WriteString(w, "text")
			return errors.Join(err, tt.write)
		})
		var usage *run.UsageError
		if got := errorText(err); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || strings.Contains(got, ".unfinished") || errors.As(err, &usage) != tt.usage {
			t.Errorf("%s: %q, want %q, of usage: %v", tt.path, got, tt.want, tt.usage)
		}
		if text, _ := os.ReadFile(tt.path); tt.want == "" && string(text) != "text" {
			t.Errorf("%s holds %q", tt.path, text)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "was" {
		t.Errorf("a write that failed left %q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".unfinished-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\ttext\n":       "plain\ttext\n",
		"\x1b[31mred\x1b[0m":  `\x1b[31mred\x1b[0m`,
		"\x1b]0;title\x07":    `\x1b]0;title\x07`,
		"over\rwritten":       `over\x0dwritten`,
		"a\u202eb\u2066c":     `a\u202eb\u2066c`,
		"\u009b31m":           `\u009b31m`,
		"\xff\xfe":            `\xff\xfe`,
		"grün ✓ 界":            "grün ✓ 界",
		"<script>&\"'</scrip": "<script>&\"'</scrip",
	} {
		for cut := range len(in) + 1 {
			var out bytes.Buffer
			w := &harmless{w: &out}
			w.Write([]byte(in[:cut]))
			w.Write([]byte(in[cut:]))
			if out.String() != want {
				t.Errorf("%q, cut at %d: %q, want %q", in, cut, out.String(), want)
			}
		}
	}
}

// A table counts the columns of what is shown in the end.
func TestWidthOfWhatIsShown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"plain", "a\u202eb", "a\u2028b", "a\u2029b", "a\xffb", "\xe2\x80", "a\x7fb", "a\u009bb", "a\x1b[1mb", "界"} {
		var out bytes.Buffer
		(&harmless{w: &out}).Write([]byte(text + "."))
		if got, want := table.Width(text+"."), table.Width(out.String()); got != want {
			t.Errorf("%q is laid out as %d columns, and %q takes %d", text, got, out.String(), want)
		}
	}
}

func TestColoursPassOnATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := &harmless{w: &out, colours: true}
	w.Write([]byte("\x1b[1;31mFAIL\x1b[0m \x1b[8mhidden\x1b[2J"))
	if want := "\x1b[1;31mFAIL\x1b[0m " + `\x1b[8mhidden\x1b[2J`; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// What is escaped is still the JSON that it was.
func TestHarmlessJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	name := "a\u202eb\x1b[2Jc\u009b<\x7f"
	if err := writeJSON(&harmless{w: &out}, name); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != name {
		t.Errorf("%q came back as %q, %v", name, back, err)
	}
}
