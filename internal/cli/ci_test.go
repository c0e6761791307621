package cli

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A ciJob is a job of a CI system, as far as the templates use it, with its matrix expanded.
type ciJob struct {
	name   string
	group  string // the name before the matrix was expanded
	needs  []string
	always bool // it runs whatever became of the jobs it needs
	env    map[string]string
	depth  string // of the clone: "0" is all of the history, "" what the CI system takes
	steps  []ciStep
}

// A ciStep runs a script, or moves files between the job's folder and its artifacts.
type ciStep struct {
	name     string
	always   bool // it runs after a step that failed
	lenient  bool // its exit code does not count
	script   string
	upload   []string // globs below the job's folder
	artifact string   // that upload makes, or what of which download takes
	download string   // folder that artifacts are put into, "." for the job's own
	flat     bool     // an upload of one file has no folders, and a download makes one for each artifact
}

const installAssay = "go install github.com/assay-dev/assay/cmd/assay@latest"

// gitHubJobs reads a workflow. What it does not know fails the test: nothing of a template is passed over.
func gitHubJobs(t *testing.T, text []byte) []ciJob {
	t.Helper()
	var file struct {
		Name        string
		On          yaml.Node
		Permissions yaml.Node
		Jobs        yaml.Node
	}
	strict(t, text, &file)
	var jobs []ciJob
	for name, node := range members(&file.Jobs) {
		var job struct {
			RunsOn   string `yaml:"runs-on"`
			Needs    []string
			If       string
			Strategy struct {
				FailFast *bool `yaml:"fail-fast"`
				Matrix   map[string][]string
			}
			Steps []struct {
				Name, Uses, Run, If string
				With                map[string]string
			}
		}
		strictNode(t, node, &job)
		for _, values := range combinations(job.Strategy.Matrix) {
			j := ciJob{name: strings.TrimSpace(name + " " + strings.Join(slices.Collect(maps.Values(values)), " ")), group: name, needs: job.Needs, always: onlyAlways(t, job.If)}
			for _, s := range job.Steps {
				step := ciStep{name: s.Name + s.Uses, always: onlyAlways(t, s.If), script: expand(t, s.Run, values)}
				switch action, _, _ := strings.Cut(s.Uses, "@"); action {
				case "actions/checkout":
					j.depth = s.With["fetch-depth"]
				case "", "actions/setup-go", "actions/cache": // each job starts with a clone, a tool chain, and no cache
				case "actions/upload-artifact":
					step.upload, step.artifact, step.flat = []string{s.With["path"]}, expand(t, s.With["name"], values), true
				case "actions/download-artifact":
					step.download, step.artifact, step.flat = s.With["path"], s.With["pattern"], true
				default:
					t.Fatalf("%s uses %s, which this test does not know", name, s.Uses)
				}
				j.steps = append(j.steps, step)
			}
			jobs = append(jobs, j)
		}
	}
	return jobs
}

func onlyAlways(t *testing.T, condition string) bool {
	t.Helper()
	if condition != "" && condition != "always()" {
		t.Fatalf("the condition %q is not known to this test", condition)
	}
	return condition != ""
}

func expand(t *testing.T, text string, matrix map[string]string) string {
	t.Helper()
	for name, value := range matrix {
		text = strings.ReplaceAll(text, "${{ matrix."+name+" }}", value)
	}
	if strings.Contains(text, "${{") {
		t.Fatalf("%q has an expression that this test does not know", text)
	}
	return text
}

// gitLabJobs reads a pipeline, as gitHubJobs does.
func gitLabJobs(t *testing.T, text []byte) []ciJob {
	t.Helper()
	var file yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	var before []string
	var jobs []ciJob
	for name, node := range members(file.Content[0]) {
		switch name {
		case "stages", "variables": // needs tell the order, and the variables are where caches lie
			continue
		case "default":
			var def struct {
				Image        string
				BeforeScript []string `yaml:"before_script"`
			}
			strictNode(t, node, &def)
			before = def.BeforeScript
			continue
		}
		jobs = append(jobs, gitLabJob(t, name, node, before)...)
	}
	return jobs
}

func gitLabJob(t *testing.T, name string, node *yaml.Node, before []string) []ciJob {
	t.Helper()
	var job struct {
		Stage, When string
		Cache       yaml.Node
		Variables   map[string]string
		Needs       []string
		Script      []string
		AfterScript []string `yaml:"after_script"`
		Parallel    struct{ Matrix []map[string][]string }
		Artifacts   struct {
			When    string
			Paths   []string
			Reports yaml.Node
		}
	}
	strictNode(t, node, &job)
	var matrix map[string][]string
	if len(job.Parallel.Matrix) > 0 {
		matrix = job.Parallel.Matrix[0]
	}
	var jobs []ciJob
	for _, values := range combinations(matrix) {
		j := ciJob{name: strings.TrimSpace(name + " " + strings.Join(slices.Collect(maps.Values(values)), " ")), group: name,
			needs: job.Needs, always: job.When == "always", env: maps.Clone(job.Variables), depth: job.Variables["GIT_DEPTH"]}
		if j.env == nil {
			j.env = map[string]string{}
		}
		maps.Copy(j.env, values)
		for _, needed := range job.Needs {
			j.steps = append(j.steps, ciStep{name: "artifacts of " + needed, download: ".", artifact: needed + "*"})
		}
		j.steps = append(j.steps,
			ciStep{name: "script", script: strings.Join(slices.Concat(before, job.Script), "\n")},
			ciStep{name: "after_script", script: strings.Join(job.AfterScript, "\n"), always: true, lenient: true},
			ciStep{name: "artifacts", upload: job.Artifacts.Paths, artifact: j.name, always: job.Artifacts.When == "always"})
		jobs = append(jobs, j)
	}
	return jobs
}

func strict(t *testing.T, text []byte, into any) {
	t.Helper()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func strictNode(t *testing.T, node *yaml.Node, into any) {
	t.Helper()
	text, err := yaml.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	strict(t, text, into)
}

// members yields the keys and values of a mapping in their order.
func members(node *yaml.Node) func(func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i].Value, node.Content[i+1]) {
				return
			}
		}
	}
}

// combinations returns the jobs that a matrix of one variable makes, and one for none.
func combinations(matrix map[string][]string) []map[string]string {
	all := []map[string]string{}
	for name, values := range matrix {
		for _, value := range values {
			all = append(all, map[string]string{name: value})
		}
	}
	if len(all) == 0 {
		return []map[string]string{nil}
	}
	return all
}

// A ciRunner does what a CI system does: a fresh clone for each job, artifacts in
// between, and each step's script in a shell that ends at the first error.
type ciRunner struct {
	repo, artifacts string
	env             []string
	failed          map[string]int    // exit code of the first step that failed, by group
	said            map[string]string // what a job's scripts printed, by name
}

// run runs jobs in order of their needs, as far as pick takes them.
func (r *ciRunner) run(t *testing.T, jobs []ciJob, pick func(ciJob) bool) {
	t.Helper()
	r.failed, r.said = map[string]int{}, map[string]string{}
	for len(jobs) > 0 {
		at := slices.IndexFunc(jobs, func(j ciJob) bool {
			return !slices.ContainsFunc(jobs, func(other ciJob) bool { return slices.Contains(j.needs, other.group) })
		})
		if at < 0 {
			t.Fatalf("the jobs %v wait for each other", jobs)
		}
		job := jobs[at]
		jobs = slices.Delete(slices.Clone(jobs), at, at+1)
		bad := slices.ContainsFunc(job.needs, func(need string) bool { return r.failed[need] != 0 })
		if !pick(job) || bad && !job.always {
			continue
		}
		if code := r.job(t, job); code != 0 && r.failed[job.group] == 0 {
			r.failed[job.group] = code
		}
	}
}

// job returns the exit code of the first step that failed.
func (r *ciRunner) job(t *testing.T, job ciJob) int {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("git", "clone", "-q", r.repo, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	failed := 0
	for _, step := range job.steps {
		if failed != 0 && !step.always {
			continue
		}
		if code := r.step(t, job, step, dir); code != 0 && failed == 0 && !step.lenient {
			t.Logf("job %s, step %s: exit %d", job.name, step.name, code)
			failed = code
		}
	}
	return failed
}

func (r *ciRunner) step(t *testing.T, job ciJob, step ciStep, dir string) int {
	t.Helper()
	switch {
	case step.upload != nil:
		for _, pattern := range step.upload {
			r.upload(t, step, dir, pattern)
		}
	case step.download != "":
		return r.download(t, step, dir)
	case step.script != "":
		return r.script(t, job, step.script, dir)
	}
	return 0
}

// upload keeps the files that a pattern names. One that names none is no error, as on the real systems.
func (r *ciRunner) upload(t *testing.T, step ciStep, dir, pattern string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range found {
		rel, err := filepath.Rel(dir, from)
		if step.flat {
			rel = filepath.Base(from)
		}
		to := filepath.Join(r.artifacts, step.artifact, rel)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.RemoveAll(to)
		}
		if out, cpErr := exec.Command("cp", "-r", from, to).CombinedOutput(); err != nil || cpErr != nil {
			t.Fatalf("%v, %v: %s", err, cpErr, out)
		}
	}
}

func (r *ciRunner) download(t *testing.T, step ciStep, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(r.artifacts)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if ok, err := path.Match(step.artifact, entry.Name()); err != nil || !ok {
			continue
		}
		to := filepath.Join(dir, step.download)
		if step.flat {
			to = filepath.Join(to, entry.Name())
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-r", filepath.Join(r.artifacts, entry.Name())+"/.", to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return 0
}

// script runs a script as both systems do. This assay is installed already.
func (r *ciRunner) script(t *testing.T, job ciJob, script, dir string) int {
	t.Helper()
	script = strings.ReplaceAll(script, installAssay, "command -v assay")
	for try := 1; ; try++ {
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
		cmd.Dir = dir
		cmd.Env = slices.Concat(r.env, []string{"GITHUB_STEP_SUMMARY=" + filepath.Join(r.artifacts, "summary.md")})
		for name, value := range job.env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		out, err := cmd.CombinedOutput()
		r.said[job.name] += string(out)
		t.Logf("%s$ %s\n%s", job.name, script, out)
		var exit *exec.ExitError
		if late := bytes.Contains(out, []byte("the load driver was overloaded")); late && try < 5 {
			if err := os.RemoveAll(filepath.Join(dir, ".assay")); err != nil { // a busy machine is not what a template shows
				t.Fatal(err)
			}
			continue
		}
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	}
}

// ciProject makes a git repository of the register example with what the templates ask of a project.
func ciProject(t *testing.T) *ciRunner {
	t.Helper()
	repo, bin := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "assay"), "../../cmd/assay").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	copyRegister(t, "../../examples/gotest", repo)
	killed, err := os.ReadFile(filepath.Join(repo, "experiments/killed.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	paused := strings.NewReplacer("kill(register)", "pause(register)", "[restart]", "[pause]", "is killed", "is paused").Replace(string(killed))
	assay, err := os.ReadFile(filepath.Join(repo, "assay.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"experiments/paused.yaml": paused,
		"assay.yaml":              string(assay) + "gate: gate.yaml\n",
		"gate.yaml": "require:\n" +
			"  - {journeys: [write, read], modes: [restart, pause], max-age: 7d}\n" +
			"  - {journeys: [write], modes: [retry], max-age: 7d}\n",
		"ci/test.sh": `echo '<testsuite tests="1"><testcase classname="client" name="retry"/></testsuite>' >junit.xml` + "\n",
		".gitignore": ".assay/\nbin/\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(repo, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &ciRunner{repo: repo, artifacts: t.TempDir(), env: append(os.Environ(), "NO_COLOR=1", "ASSAY_STATE_DIR="+t.TempDir(), "PATH="+bin+":"+os.Getenv("PATH"))}
	r.commit(t)
	return r
}

func (r *ciRunner) commit(t *testing.T) {
	t.Helper()
	script := "git init -q -b main . && git add -A && git -c user.name=ci -c user.email=ci@example.com commit -q -m change"
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = r.repo
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// The templates do what they say, from jobs to decision: with all evidence the gate passes, without one artifact it is unknown, and
// with a defect in the system it fails. Each job starts from nothing but the repository and the artifacts.
func TestCITemplates(t *testing.T) {
	t.Parallel()
	all := func(ciJob) bool { return true }
	gate := func(j ciJob) bool { return j.group == "gate" }
	for _, tt := range []struct {
		file, artifact string
		read           func(*testing.T, []byte) []ciJob
		defect         bool
	}{
		{"../../templates/github/assay.yml", "evidence-killed", gitHubJobs, true},
		{"../../templates/gitlab/.gitlab-ci.yml", "experiments killed", gitLabJobs, false},
	} {
		t.Run(filepath.Base(filepath.Dir(tt.file)), func(t *testing.T) {
			t.Parallel()
			take(t, 1)
			text, err := os.ReadFile(tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(text, []byte(installAssay)) {
				t.Errorf("%s does not install assay", tt.file)
			}
			r, jobs := ciProject(t), tt.read(t, text)
			r.run(t, jobs, all)
			if len(jobs) != 4 || len(r.failed) != 0 {
				t.Fatalf("%d jobs, failed: %v", len(jobs), r.failed)
			}
			if found, _ := filepath.Glob(filepath.Join(r.artifacts, "*", "report.md")); len(found) != 1 {
				t.Errorf("reports: %v", found)
			}
			if tt.defect {
				r.plant(t)
				r.run(t, jobs, func(j ciJob) bool { return j.name != "experiments paused" && j.group != "tests" })
				if r.failed["experiments"] != 1 || r.failed["gate"] != 1 {
					t.Errorf("with a defect the jobs end with %v, want exit 1 of experiments and gate", r.failed)
				}
			}
			if err := os.RemoveAll(filepath.Join(r.artifacts, tt.artifact)); err != nil {
				t.Fatal(err)
			}
			r.run(t, jobs, gate)
			if r.failed["gate"] != 3 {
				t.Errorf("without %s the gate ends with %v, want exit 3", tt.artifact, r.failed)
			}
		})
	}
}

// plant takes the journal out of the register, so that it forgets when it is killed.
func (r *ciRunner) plant(t *testing.T) {
	t.Helper()
	file := filepath.Join(r.repo, "compose.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	planted := strings.Replace(string(text), `DEFECT: ""`, `DEFECT: no-journal`, 1)
	if planted == string(text) {
		t.Fatal("the compose file has no place for a defect")
	}
	if err := os.WriteFile(file, []byte(planted), 0o644); err != nil {
		t.Fatal(err)
	}
	r.commit(t)
}

// A step that fails ends its job, and the steps after it that are not for every case.
func TestCIRunnerFails(t *testing.T) {
	t.Parallel()
	workflow := `
jobs:
  one:
    runs-on: x
    steps:
      - run: echo first; false; echo second
      - run: echo third
      - {run: echo fourth, if: always()}
  two: {runs-on: x, needs: [one], steps: [{run: echo fifth}]}
  three: {runs-on: x, needs: [one], if: always(), steps: [{run: exit 7}]}
`
	repo := t.TempDir()
	r := &ciRunner{repo: repo, artifacts: t.TempDir(), env: os.Environ()}
	if err := os.WriteFile(filepath.Join(repo, "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.commit(t)
	r.run(t, gitHubJobs(t, []byte(workflow)), func(ciJob) bool { return true })
	got := fmt.Sprint(r.failed, " ", strings.Fields(r.said["one"]+r.said["two"]))
	if want := "map[one:1 three:7] [first fourth]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
