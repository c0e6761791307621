package run

import (
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
