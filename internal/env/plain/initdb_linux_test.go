package plain_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/recipe"
	"github.com/assay-dev/assay/system"
)

// filledBy returns a Postgres whose new database the scripts fill, by name. It asks how much there is.
func filledBy(t *testing.T, scripts map[string]string) system.Service {
	t.Helper()
	s := recipe.Service{Name: "db", Replicas: 1, Env: map[string]string{"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "p@ss w", "POSTGRES_DB": "shop"}}
	dir := t.TempDir()
	for name, text := range scripts {
		path := filepath.Join(dir, strings.TrimSuffix(name, ".gz")) // its name there says what it is, not the one here
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Scripts = append(s.Scripts, recipe.Script{Name: name, Path: path, Sum: fmt.Sprintf("%q", text)})
	}
	svc, err := recipe.Expand("postgres", s, recipe.Local())
	if err != nil {
		t.Skipf("Postgres is not installed: %v", err)
	}
	if out, err := exec.Command("unshare", "--user", "--map-user=1000", "true").CombinedOutput(); os.Getuid() == 0 && err != nil {
		t.Skipf("Postgres refuses to run as root, and root cannot enter a user namespace here: %v: %s", err, out)
	}
	count := *svc.Probes["role"].SQL
	count.Query = "select sum(n)::int as n from items"
	svc.Probes["items"] = system.Probe{SQL: &count, Value: "rows[0].n"}
	return svc
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A new database has what the scripts made, in order of name. What is no script of SQL is left out, and said so.
// Not parallel: the cache's folder comes from the environment of the process.
func TestPostgresScripts(t *testing.T) {
	t.Setenv("ASSAY_CACHE_DIR", t.TempDir())
	svc := filledBy(t, map[string]string{
		"1-schema.sql":  "create table items (n int);\n",
		"2-data.sql.gz": zipped(t, "copy items from stdin;\n1\n2\n\\.\n"),
		"3-more.sql":    "select 1;\n\\set seven 7\ninsert into items values (:seven);\n",
		"2-user.sh":     "exit 1",
		"README":        "not SQL",
	})
	var told []string
	if err := plain.Build(t.Context(), of(svc), func(text string) { told = append(told, text) }); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(told, "\n"); strings.Count(text, "2-user.sh is skipped") != 1 || strings.Contains(text, "README") {
		t.Errorf("told %q", text)
	}
	env := start(t, of(svc))
	if n, err := node(t, env, "db-1").(system.Prober).Probe(t.Context(), "items"); err != nil || n != int64(10) {
		t.Errorf("the database holds %v, %v; want 10", n, err)
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("ASSAY_CACHE_DIR"), "images", "*", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "pg" {
		t.Errorf("the image holds %v, %v; want the data alone", left, err)
	}
}

func TestPostgresScriptFails(t *testing.T) {
	t.Setenv("ASSAY_CACHE_DIR", t.TempDir())
	for name, c := range map[string]struct {
		scripts map[string]string
		want    []string
	}{
		"mistake":   {map[string]string{"1.sql": "create table items (n int);\n", "2.sql": "insert into items values (1);\ninsert into itmes values (1);\n"}, []string{"2.sql failed", ":2: ERROR:", `"itmes" does not exist`}},
		"no gzip":   {map[string]string{"1.sql.gz": "create table items (n int);\n"}, []string{"1.sql", "not in gzip format"}},
		"cut short": {map[string]string{"1.sql.gz": zipped(t, strings.Repeat("select 1;\n", 99))[:40]}, []string{"cannot read", "1.sql"}},
	} {
		err := plain.Build(t.Context(), of(filledBy(t, c.scripts)), nil)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(os.Getenv("ASSAY_CACHE_DIR"), "images", "postgres*")); len(left) > 0 {
			t.Errorf("%s: left are %v", name, left)
		}
	}
}
