package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/spec"
)

// A mistake is one edit of the good project, and what Load says of it.
type mistake struct{ name, file, old, new, want string }

func readMistakes(t *testing.T, path string) (head string, all []mistake) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(content), "\n== ")
	for _, block := range strings.Split(rest, "\n== ") {
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		if len(lines) < 4 {
			t.Fatalf("%s: block %q is too short", path, lines[0])
		}
		m := mistake{name: lines[0], want: strings.Join(lines[4:], "\n")}
		m.file, m.old, m.new = strings.TrimPrefix(lines[1], "file "), strings.TrimPrefix(lines[2], "old "), strings.TrimPrefix(lines[3]+" ", "new ")
		m.new = strings.TrimSuffix(m.new, " ")
		all = append(all, m)
	}
	return head, all
}

// unescape turns \n, \t and \\ of the file of mistakes into what they stand for.
func unescape(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t").Replace(text)
}

// load copies the good project, makes the edit, and returns what Load says, with paths below the project.
func (m mistake) load(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, m.file)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), unescape(m.old)) {
		t.Fatalf("%s has no %q", m.file, unescape(m.old))
	}
	edited := strings.Replace(string(content), unescape(m.old), unescape(m.new), 1)
	if err := os.WriteFile(path, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = spec.LoadOn(spec.FakeHost(), dir)
	var wrong spec.Errors
	if err != nil && !errors.As(err, &wrong) {
		t.Fatalf("the error is no list of mistakes: %v", err)
	}
	return strings.ReplaceAll(wrong.Error(), dir+"/", "")
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	const path = "testdata/mistakes.txt"
	head, all := readMistakes(t, path)
	update := os.Getenv("ASSAY_UPDATE") != "" && every == 1
	var written strings.Builder
	written.WriteString(head)
	for i, m := range all {
		if i%every != 0 {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			if !update {
				t.Parallel()
			}
			got := m.load(t)
			if got == "" {
				t.Errorf("replaced %q by %q in %s, and nothing was said", m.old, m.new, m.file)
			}
			if !update && got != m.want {
				t.Errorf("replaced %q by %q in %s\n got %s\nwant %s", m.old, m.new, m.file, got, m.want)
			}
			if update {
				written.WriteString("\n== " + m.name + "\nfile " + m.file + "\nold " + m.old + "\nnew " + m.new + "\n" + got + "\n")
			}
		})
	}
	if update {
		if err := os.WriteFile(path, []byte(written.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
