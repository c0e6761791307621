package spec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
)

func mustLoad(t *testing.T, path string) *spec.Project {
	t.Helper()
	p, err := spec.LoadOn(spec.FakeHost(), path)
	if err != nil {
		t.Fatalf("Load(%q):\n%v", path, err)
	}
	return p
}

// The golden file is the whole project as JSON, with this folder cut out of its paths.
func TestGoodProject(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, "testdata/shop")
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	files := p.Files
	p.Files = nil
	got, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(bytes.ReplaceAll(got, []byte(wd), []byte("WD")), '\n')
	const golden = "testdata/shop.json"
	if os.Getenv("ASSAY_UPDATE") != "" {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the project is not as in %s (ASSAY_UPDATE=1 writes it):\n%s", golden, got)
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"assay.yaml", "ca.pem", "compose.yaml", "experiments/orders-killed.yaml", "experiments/payments-slow.yaml", "gate.yaml", "orders.env"}; !reflect.DeepEqual(names, want) {
		t.Errorf("read %q, want %q", names, want)
	}
	if content, _ := os.ReadFile("testdata/shop/compose.yaml"); !bytes.Equal(content, files["compose.yaml"]) {
		t.Error("the kept compose.yaml is not what was read")
	}
}

func TestLoadIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	first := mustLoad(t, "testdata/shop")
	for range 5 {
		if again := mustLoad(t, "testdata/shop/assay.yaml"); !reflect.DeepEqual(first, again) {
			t.Fatal("the same files gave another project")
		}
	}
}

func TestServiceOfTheGoodProject(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, "testdata/shop")
	orders, _ := p.System.Service("orders")
	if orders.Process.Env["PAYMENTS"] != "payments:9091" || orders.Process.Env["REGION"] != "eu" || orders.Process.Env["PRICE"] != "5$" {
		t.Errorf("process.env lies over environment over env_file, and $$ is $: %v", orders.Process.Env)
	}
	if want := []system.Dependency{{Service: "db", Condition: system.Healthy}, {Service: "payments", Condition: system.Started}}; !reflect.DeepEqual(orders.DependsOn, want) {
		t.Errorf("depends on %v", orders.DependsOn)
	}
	db, _ := p.System.Service("db")
	if want := (system.Ready{Exec: []string{"/bin/sh", "-c", "pg_isready -h {{ip}} -U $USER"}, Timeout: 50 * time.Second, Poll: 500 * time.Millisecond, Every: 2 * time.Second}); !reflect.DeepEqual(db.Ready, want) {
		t.Errorf("healthcheck became %+v, want %+v", db.Ready, want)
	}
	if db.Process.Grace != 10*time.Second || db.Process.Signal != "SIGTERM" {
		t.Errorf("a key beside << wins: %v %v", db.Process.Signal, db.Process.Grace)
	}
}

// The example is a test of the format, and the format a test of the example.
func TestExampleShop(t *testing.T) {
	t.Parallel()
	const path = "../../examples/shop"
	if _, err := os.Stat(filepath.Join(path, spec.FileName)); err != nil {
		t.Skip("there is no examples/shop")
	}
	p := mustLoad(t, path)
	if len(p.System.Services) < 4 || len(p.Experiments) < 6 || len(p.Defects) == 0 {
		t.Errorf("%d services, %d experiments, %d defects", len(p.System.Services), len(p.Experiments), len(p.Defects))
	}
	for _, x := range p.Experiments {
		for _, a := range x.Method {
			if err := a.Fault.Check(p.System, nil); err != nil {
				t.Errorf("%s: %v", x.Name, err)
			}
		}
	}
}

func TestWithDefect(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, "testdata/shop")
	planted, err := p.WithDefect("no-retry")
	if err != nil {
		t.Fatal(err)
	}
	env := func(p *spec.Project, service string) map[string]string {
		s, _ := p.System.Service(service)
		return s.Process.Env
	}
	if got := env(planted, "orders"); got["SHOP_DEFECT"] != "no-retry" || got["N"] != "3" || got["REGION"] != "eu" {
		t.Errorf("environment with the defect: %v", got)
	}
	if got := env(p, "orders"); got["SHOP_DEFECT"] != "" {
		t.Errorf("the project without the defect has it too: %v", got)
	}
	if !reflect.DeepEqual(env(p, "db"), env(planted, "db")) {
		t.Error("the defect is on another service too")
	}
	_, err = p.WithDefect("no-retri")
	if want := `testdata/shop/assay.yaml:1:1: no defect is called "no-retri" (did you mean "no-retry"? allowed: no-retry, no-sync)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoadOfWhatIsNoProject(t *testing.T) {
	t.Parallel()
	write := func(content string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, spec.FileName), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		n, m := string(rune('0'+i)), string(rune('1'+i))
		laughs += "a" + m + ": &a" + m + " [" + strings.Repeat("*a"+n+", ", 9) + "*a" + n + "]\n"
	}
	experiment := filepath.Join(t.TempDir(), "slow.yaml")
	if err := os.WriteFile(experiment, []byte("title: slow\nload: {browse: 20/s}\nmethod: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, path, want string }{
		{"nothing there", filepath.Join(t.TempDir(), "none"), "none:1:1: there is no such file (a project is a folder with an assay.yaml)"},
		{"empty folder", t.TempDir(), "assay.yaml:1:1: there is no such file (a project is a folder with an assay.yaml)"},
		{"empty", write(""), "assay.yaml:1:1: the file is empty"},
		{"comments only", write("# later\n"), "assay.yaml:1:1: the file is empty"},
		{"null", write("~"), "assay.yaml:1:1: the file is empty"},
		{"a list", write("- a"), "assay.yaml:1:1: assay.yaml must be a mapping, and this is a list"},
		{"binary", write("\x00\x01"), "assay.yaml:1:1: this is no YAML: control characters are not allowed"},
		{"aliases that explode", write(laughs), "the file is too large or too deep once its aliases are expanded (more than 200000 values or 200 levels)"},
		{"an experiment", experiment, "slow.yaml:1:1: this is an experiment: run its project with -x slow (a project is a folder with an assay.yaml)"},
		{"too deep", write("a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500)), "the file is too large or too deep"},
		{"too large", write(strings.Repeat("# filler\n", 600_000)), "has more than 4 MiB"},
	}
	for _, c := range cases {
		_, err := spec.LoadOn(spec.FakeHost(), c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.300v, want %s", c.name, err, c.want)
		}
	}
}

func TestAllMistakesAreShownAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	edit := func(file, old, new string) {
		path := filepath.Join(dir, file)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Replace(content, []byte(old), []byte(new), 1), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit("assay.yaml", "timeout: 2s", "timeout: 2")
	edit("assay.yaml", "expect: status == 201", "expect: stat == 201")
	edit("compose.yaml", "team-orders", "7")
	edit("experiments/orders-killed.yaml", "kill", "kil")
	edit("experiments/payments-slow.yaml", "failover", "failure")
	_, err := spec.LoadOn(spec.FakeHost(), dir)
	var wrong spec.Errors
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v", err)
	}
	var at []string
	for _, e := range wrong {
		at = append(at, strings.TrimPrefix(e.File, dir+"/"))
	}
	want := []string{"assay.yaml", "assay.yaml", "compose.yaml", "experiments/orders-killed.yaml", "experiments/payments-slow.yaml"}
	if !reflect.DeepEqual(at, want) {
		t.Errorf("mistakes in %q, want %q:\n%v", at, want, err)
	}
}

func TestSignalsAreDocumented(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spec.Signals() {
		if !bytes.Contains(docs, []byte("`"+s.Name+"(")) {
			t.Errorf("docs/files.md does not mention %s", s.Name)
		}
	}
}

func TestFilesBesideTheGoodOnes(t *testing.T) {
	t.Parallel()
	const x = "load: {checkout: 1/s}\nsteady: ['success(\"checkout\") > 0.9']\nmethod: [{at: 1s, for: 1s, fault: kill(orders-1)}]\n"
	cases := []struct{ name, file, content, want string }{
		{"empty experiment", "experiments/none.yaml", "", "experiments/none.yaml:1:1: the file is empty"},
		{"experiment that is a list", "experiments/none.yaml", "- a\n", "experiments/none.yaml:1:1: an experiment must be a mapping, and this is a list"},
		{"two experiments of one name", "experiments/payments-slow.2.yaml", x, ""},
		{"the same name in two endings", "experiments/p.yaml/x", "", "is a directory"},
		{"experiment that is no YAML", "experiments/none.yaml", "a: b: c\n", "experiments/none.yaml:1:1: this is no YAML: mapping values are not allowed in this context"},
		{"empty topology", "compose.yaml", "# none\n", "compose.yaml:1:1: the file is empty"},
		{"topology without a service", "compose.yaml", "services: {}\n", "compose.yaml:1:11: there are no services"},
		{"topology that is text", "compose.yaml", "services: none\n", "compose.yaml:1:11: services must be a mapping, and this is the text \"none\""},
	}
	for _, c := range cases {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, c.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := spec.LoadOn(spec.FakeHost(), dir)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTwoExperimentsOfOneName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/shop")); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(dir, "experiments/orders-killed.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "experiments/orders-killed.yml"), again, 0o644); err != nil {
		t.Fatal(err)
	}
	assay := filepath.Join(dir, spec.FileName)
	content, _ := os.ReadFile(assay)
	if err := os.WriteFile(assay, bytes.Replace(content, []byte("experiments/p*.yaml"), []byte("experiments/*.yml"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = spec.LoadOn(spec.FakeHost(), dir)
	want := dir + "/experiments/orders-killed.yml:1:1: two experiments are called orders-killed, the other is in experiments/orders-killed.yaml:1:1"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// What is mounted into the folder from which an image fills a new database is what recipe postgres fills it from.
func TestInitScripts(t *testing.T) {
	t.Parallel()
	load := func(content string) (*system.Image, map[string][]byte) {
		t.Helper()
		dir := t.TempDir()
		for name, text := range map[string]string{
			"assay.yaml":       "system: x\ntopology: compose.yaml\njourneys:\n  j: {steps: [{exec: [a], expect: exit == 0}]}\n",
			"sql/1-schema.sql": content, "sql/deep/0.sql": "no", "more/data.sql": "select 1;", "sql/key.txt": "it is not run",
			"compose.yaml": `services:
  db:
    image: postgres:15
    volumes: ["data:/var/lib/postgresql/data", "./sql:/docker-entrypoint-initdb.d/:ro", "./more/data.sql:/docker-entrypoint-initdb.d/2-data.sql"]
    x-assay: {recipe: postgres}
volumes: {data: {}}
`} {
			if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		p, err := spec.LoadOn(spec.FakeHost(), dir)
		if err != nil {
			t.Fatal(err)
		}
		image := p.System.Services[0].Process.Image
		for i, word := range image.Make {
			image.Make[i] = strings.TrimPrefix(word, dir)
		}
		return image, p.Files
	}
	one, files := load("create table a (n int);")
	two, _ := load("create table b (n int);")
	if got, want := one.Make[4:], []string{"1-schema.sql", "/sql/1-schema.sql", "2-data.sql", "/more/data.sql"}; !slices.Equal(got, want) {
		t.Errorf("runs %q, want %q", got, want)
	}
	if one.Name == two.Name {
		t.Errorf("other content, and the same image %s", one.Name)
	}
	if one.Sum == two.Sum || one.Sum == "" {
		t.Errorf("other content, and the sums %q and %q", one.Sum, two.Sum)
	}
	// What runs is kept for evidence, and of what is too long for that the digest.
	names := slices.Sorted(maps.Keys(files))
	if want := []string{"assay.yaml", "compose.yaml", "more/data.sql", "sql/1-schema.sql"}; !slices.Equal(names, want) || string(files["sql/1-schema.sql"]) != "create table a (n int);" {
		t.Errorf("keeps %q, want %q; the schema as %q", names, want, files["sql/1-schema.sql"])
	}
	if _, files := load(strings.Repeat("-- long\n", 1<<20)); !regexp.MustCompile(`^sha256:[0-9a-f]{64}\n$`).Match(files["sql/1-schema.sql"]) {
		t.Errorf("keeps %d bytes of a long script", len(files["sql/1-schema.sql"]))
	}
}
