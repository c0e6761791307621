package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/spec"
)

// projectOf writes a project whose system has this name, with an experiment.
func projectOf(t *testing.T, system, experiment string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a project")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"assay.yaml": "system: " + system + "\ntopology: compose.yaml\nexperiments: [" + experiment + ".yaml]\n" +
			"journeys: {j: {steps: [{call: \"GET http://register:8080/healthz\", expect: status == 200}]}}\n",
		"compose.yaml":       "services:\n  register: {image: x, expose: [\"8080\"], x-assay: {process: {command: [sleep, \"1\"]}}}\n",
		experiment + ".yaml": "load: {j: 5/s}\nsteady: ['success(\"j\") > 0.9']\nmethod: [{at: 1s, for: 1s, fault: kill(register)}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What a control shows is shown again by running it with its experiment.
func TestRerunOfAControl(t *testing.T) {
	t.Parallel()
	project, err := spec.Load(projectOf(t, "register", "killed"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{name: "assay", store: defaultStore}
	for _, tt := range []struct {
		name    string
		control bool
		want    string
	}{
		{"killed", false, "assay run shop --experiment killed --seed 7"},
		{"killed", true, "assay run shop --experiment killed --seed 7 --control"},
		{"killed@slow", true, "assay run shop --experiment killed --seed 7 --control"},
		{"killed@slow", false, "assay run shop --experiment killed --seed 7 --control"},
		{"paused@slow", true, ""},
	} {
		g := again{a, "shop", project, evidence.Meta{Seed: 7, Control: tt.control}}
		if got := g.command(tt.name); got != tt.want {
			t.Errorf("%s of a run with controls %t: got %q, want %q", tt.name, tt.control, got, tt.want)
		}
	}
}

// A command that is shown works where the reader is, or is said to be of the machine that ran it.
func TestRerun(t *testing.T) {
	t.Parallel()
	store, r := storedRun(t)
	const recorded = "assay run 'my shop' --experiment killed --seed 7"
	where := map[string]string{
		"its project":                   projectOf(t, "register", "killed"),
		"a project of another system":   projectOf(t, "shop", "killed"),
		"a project without it":          projectOf(t, "register", "paused"),
		"a folder that is not there":    "nowhere",
		"no folder, and nothing around": "",
	}
	for name, folder := range where {
		here := name == "its project"
		for format, want := range map[string]string{"text": "replay, on the machine that ran it: " + recorded, "github": "%0Areplay, on the machine that ran it: " + recorded,
			"junit": "replay, on the machine that ran it: ", "markdown": "Replay, on the machine that ran it:\n", "html": "Run it again, on the machine that ran it:", "json": `"replay_elsewhere": true`} {
			args := []string{"report", "--store", store, "--format", format, "-o", "-"}
			if folder != "" {
				args = append(args, "--folder", folder)
			}
			code, out, errs := command(args...)
			if code != 0 || strings.Contains(out, want) == here {
				t.Errorf("%s, %s: exit %d, want %q: %t, in\n%s%s", name, format, code, want, !here, out, errs)
			}
			if again := "run '" + folder + "' --experiment killed --seed 7 --store " + store; here && format == "text" && !strings.Contains(out, again) {
				t.Errorf("want %q in\n%s", again, out)
			}
		}
	}
	if _, out, _ := command("evidence", "show", r.ID(), "--store", store); !strings.Contains(out, "  replay, on the machine that ran it: "+recorded+"\n") {
		t.Errorf("got:\n%s", out)
	}
}
