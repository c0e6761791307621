package scaffold_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/internal/scaffold"
	"github.com/assay-dev/assay/internal/spec"
)

// fakeHost is a machine with Postgres 15 and Redis 7, and no NATS.
func fakeHost() recipe.Host {
	programs := map[string]string{"redis-server": "/bin/", "redis-cli": "/bin/"}
	for _, name := range []string{"postgres", "initdb", "pg_basebackup", "psql", "pg_isready"} {
		programs[name] = "/usr/lib/postgresql/15/bin/"
	}
	return recipe.Host{
		Look: func(pattern string) []string {
			if dir, ok := programs[filepath.Base(pattern)]; ok && (!strings.Contains(pattern, "/") || filepath.Dir(pattern)+"/" == dir) {
				return []string{dir + filepath.Base(pattern)}
			}
			return nil
		},
		Version: func(program string) (string, error) {
			if strings.Contains(program, "redis") {
				return "Redis server v=7.0.15", nil
			}
			return "postgres (PostgreSQL) 15.18", nil
		},
	}
}

// unpack writes an archive's files into a folder of its own, called like the case.
func unpack(t *testing.T, path string) string {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(path), ".txtar"))
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			write(t, filepath.Join(dir, f.Name), f.Data)
		}
	}
	return dir
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// said is what a plan says of the services, and the compose file that it makes.
func said(p *scaffold.Plan) string {
	var b strings.Builder
	for _, s := range p.Services {
		fmt.Fprintf(&b, "%s: %s\n", s.Name, s.Kind)
		for _, text := range s.Found {
			fmt.Fprintf(&b, "  found: %s\n", text)
		}
		for _, text := range s.Guessed {
			fmt.Fprintf(&b, "  guessed: %s\n", text)
		}
		for _, text := range s.Missing {
			fmt.Fprintf(&b, "  missing: %s\n", text)
		}
		for _, text := range s.FillIn {
			fmt.Fprintf(&b, "  fill in: %s\n", text)
		}
	}
	for _, f := range p.Files {
		fmt.Fprintf(&b, "%s %s\n", f.Action, f.Path)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return b.String()
}

// Each archive of testdata is a folder with a compose file, and under want/ what
// becomes of it. ASSAY_UPDATE=1 writes that. What comes out is read by the parser, says
// what the file said before, and is left alone by a second init.
func TestFolders(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			dir := unpack(t, path)
			plan, err := scaffold.New(dir, scaffold.Options{Host: fakeHost()})
			if err != nil {
				compare(t, path, map[string]string{"error": strings.NewReplacer(dir+"/", "", dir, ".").Replace(err.Error()) + "\n"})
				return
			}
			before := read(t, filepath.Join(dir, plan.Compose))
			if err := plan.Write(); err != nil {
				t.Fatal(err)
			}
			after := read(t, filepath.Join(dir, plan.Compose))
			sameButExtensions(t, before, after)
			compare(t, path, map[string]string{"said": said(plan), plan.Compose: after})
			if plan.Journey != "" && !plan.Missing() {
				if _, err := spec.LoadOn(fakeHost(), dir); err != nil {
					t.Errorf("the parser refuses what was written: %v", err)
				}
			}
			again, err := scaffold.New(dir, scaffold.Options{Host: fakeHost()})
			if err != nil || again.Changes() {
				t.Errorf("a second init changes something: %v\n%s", err, said(again))
			}
			forced, err := scaffold.New(dir, scaffold.Options{Force: true, Host: fakeHost()})
			if err != nil {
				if !strings.Contains(err.Error(), "by hand") {
					t.Errorf("with --force: %v", err)
				}
				return
			}
			if err := forced.Write(); err != nil {
				t.Fatal(err)
			}
			if got := read(t, filepath.Join(dir, plan.Compose)); got != after && !strings.Contains(before, "x-assay") {
				t.Errorf("--force on a file that init wrote changes it:\n%s\nwant\n%s", got, after)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// compare holds what was got against the files under want/ of the archive.
func compare(t *testing.T, path string, got map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("ASSAY_UPDATE") != "" {
		archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
		names := []string{}
		for name := range got {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			archive.Files = append(archive.Files, txtar.File{Name: "want/" + name, Data: []byte(got[name])})
		}
		write(t, path, txtar.Format(archive))
		return
	}
	for name, text := range got {
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want/"+name })
		if i < 0 {
			t.Errorf("there is no want/%s; got\n%s", name, text)
		} else if want := string(archive.Files[i].Data); text != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, text, want)
		}
	}
}

// sameButExtensions looks whether a compose file still says to Docker what it said before, line by line and value by value.
func sameButExtensions(t *testing.T, before, after string) {
	t.Helper()
	decode := func(text string) map[string]any {
		var m map[string]any
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("it is no YAML any more: %v\n%s", err, text)
		}
		for _, s := range m["services"].(map[string]any) {
			if s, ok := s.(map[string]any); ok {
				delete(s, "x-assay")
			}
		}
		return m
	}
	was, is := encode(t, decode(before)), encode(t, decode(after))
	if !bytes.Equal(was, is) {
		t.Errorf("Docker reads something else now: got\n%s\nwant\n%s", is, was)
	}
	rest := strings.Split(after, "\n")
	for _, line := range strings.Split(strings.TrimSpace(before), "\n") {
		if strings.Contains(line, "{") || strings.TrimSpace(line) == "" {
			continue // a service in braces gets its x-assay between them
		}
		i := slices.Index(rest, line)
		if i < 0 {
			t.Fatalf("the line %q is gone, or stands elsewhere:\n%s", line, after)
		}
		rest = rest[i+1:]
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
