package run

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/workload"
)

func TestDefinition(t *testing.T) {
	t.Parallel()
	x := experiment.Experiment{Name: "x", Pos: "x.yaml:1:1", Load: []workload.Load{{Journey: "buy", Rate: 20}}, Expect: []experiment.Expectation{{Text: "a", Pos: "x.yaml:3:1"}}}
	p := &spec.Project{Journeys: []workload.Journey{{Name: "buy", Pos: "a:1:1", Steps: []workload.Step{{Call: "GET http://a/", Expect: "status == 200"}}}, {Name: "look"}}}
	whole := Definition(p, x)
	moved := x
	moved.Pos, moved.Expect = "x.yaml:9:1", []experiment.Expectation{{Text: "a", Pos: "x.yaml:8:1"}}
	if got := Definition(p, moved); got != whole {
		t.Error("it goes by where it stands")
	}
	lax := x
	lax.Expect = nil
	longer := x
	longer.After = time.Second
	for name, got := range map[string]string{
		"without an expectation": Definition(p, lax), "with another window": Definition(p, longer),
		"with a laxer journey": Definition(&spec.Project{Journeys: []workload.Journey{{Name: "buy", Steps: []workload.Step{{Call: "GET http://a/", Expect: "status < 500"}}}}}, x),
	} {
		if got == whole {
			t.Errorf("%s it is the same", name)
		}
	}
}

// The plan in the evidence, without secrets and read back, defines its experiments as the project does; a laxer plan does not.
func TestDefinitionOfThePlan(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"../../examples/shop", "../../examples/tickets"} {
		project, err := spec.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		project.Final = append(project.Final, workload.Step{Call: "GET http://user:secret@host/", Headers: map[string]string{"Authorization": "Bearer x"}})
		written, err := NewPlan(t.Context(), project, Options{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(written)
		if err != nil || strings.Contains(string(text), "Bearer x") {
			t.Fatalf("%v, or a secret is in the plan", err)
		}
		var plan Plan
		if err := json.Unmarshal(text, &plan); err != nil {
			t.Fatal(err)
		}
		for i, x := range plan.Experiments {
			want := Definition(project, project.Experiments[i])
			if got := plan.definition(x.Experiment); got != want {
				t.Errorf("%s: %s: the plan defines it as %s, the project as %s", dir, x.Name, got, want)
			}
			x.Expect, x.Steady, x.During = nil, nil, nil
			if plan.definition(x.Experiment) == want {
				t.Errorf("%s: %s: a laxer one is the same", dir, x.Name)
			}
		}
	}
}
