package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A job that runs experiments keeps its page whatever became of them, and one that compares with the base branch can read it.
func TestCIKeepsReportsAndHistory(t *testing.T) {
	t.Parallel()
	read := func(path string) []byte {
		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	pipelines := map[string][]ciJob{
		"github": gitHubJobs(t, read("templates/github/assay.yml")),
		"gitlab": gitLabJobs(t, read("templates/gitlab/.gitlab-ci.yml")),
	}
	for _, b := range blocks(string(read("docs/tutorial.md"))) {
		if b.file == ".github/workflows/assay.yml" {
			pipelines["tutorial"] = gitHubJobs(t, []byte(b.text))
		}
	}
	if len(pipelines) != 3 {
		t.Error("the tutorial has no workflow")
	}
	for name, jobs := range pipelines {
		for _, j := range jobs {
			var scripts string
			drawn, kept := false, false
			for _, s := range j.steps {
				scripts += s.script + "\n"
				drawn = drawn || s.always && regexp.MustCompile(`assay report -o "?report`).MatchString(s.script)
				kept = kept || s.always && slices.ContainsFunc(s.upload, func(path string) bool { return strings.HasPrefix(path, "report") })
			}
			if strings.Contains(scripts, "assay run") && !(drawn && kept) {
				t.Errorf("%s: %s loses the report of a run that failed (drawn: %v, kept: %v)", name, j.name, drawn, kept)
			}
			if regexp.MustCompile(`assay (gate|matrix)`).MatchString(scripts) && j.depth != "0" {
				t.Errorf("%s: %s clones %q of the history, and the gate needs all of it", name, j.name, j.depth)
			}
		}
	}
}
