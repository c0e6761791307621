package workload_test

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/workload"
)

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	get := func(s workload.Step) workload.Step {
		if s.Call == "" {
			s.Call = "GET http://api/"
		}
		if s.Expect == "" {
			s.Expect = "status == 200"
		}
		s.Pos = "a.yaml:3:5"
		return s
	}
	tests := []struct {
		name    string
		journey workload.Journey
		want    string
	}{
		{"no steps", workload.Journey{Pos: "a.yaml:1:1"}, "a.yaml:1:1: journey j: has no steps"},
		{"expects nothing", workload.Journey{Steps: []workload.Step{{Call: "GET http://api/"}}}, "journey j: expects nothing: no step has an expect"},
		{"no call", workload.Journey{Steps: []workload.Step{{Expect: "status == 1"}}}, "journey j: step 1: calls nothing (one of call, grpc, exec and sql is required)"},
		{"two calls", workload.Journey{Steps: []workload.Step{get(workload.Step{Exec: []string{"x"}})}}, "a.yaml:3:5: journey j: step 1: has [call exec] (exactly one of call, grpc, exec and sql is allowed)"},
		{"unknown name", workload.Journey{Steps: []workload.Step{get(workload.Step{Expect: "statsu == 200"})}}, `a.yaml:3:5: journey j: step 1: expect: 1:1: no name is called "statsu" (did you mean "status"?)`},
		{"later name", workload.Journey{Steps: []workload.Step{get(workload.Step{Call: "GET http://api/{{id}}", Save: map[string]string{"id": "body.id"}})}}, `step 1: call: 1:14: no name is called "id"`},
		{"name of another kind", workload.Journey{Steps: []workload.Step{get(workload.Step{Expect: `code == "OK"`})}}, `no name is called "code"`},
		{"says nothing", workload.Journey{Steps: []workload.Step{get(workload.Step{Expect: "1 == 1"})}}, "step 1: expect: 1:1: 1 == 1 does not read the answer, so it says nothing about the system (such as status < 400; the answer is status, body, headers, elapsed_ms)"},
		{"reads the ordinal only", workload.Journey{Steps: []workload.Step{get(workload.Step{Expect: "n >= 0"})}}, "expect: 1:1: n >= 0 does not read the answer"},
		{"reads its data only", workload.Journey{Data: map[string]any{"sku": "A1"}, Steps: []workload.Step{get(workload.Step{Expect: `sku == "A1"`})}}, "does not read the answer"},
		{"reads what was saved only", workload.Journey{Steps: []workload.Step{get(workload.Step{Save: map[string]string{"id": "body.id"}}), get(workload.Step{Expect: `id != ""`})}}, `step 2: expect: 1:1: id != "" does not read the answer`},
		{"degraded whatever comes", workload.Journey{Steps: []workload.Step{get(workload.Step{Degraded: "true"})}}, "step 1: degraded: 1:1: true does not read the answer"},
		{"failed whatever comes", workload.Journey{Steps: []workload.Step{get(workload.Step{Failed: "n == n"})}}, "step 1: failed: 1:1: n == n does not read the answer"},
		{"holds whatever comes", workload.Journey{Steps: []workload.Step{get(workload.Step{Expect: "status == 200 || true"})}}, "expect: 1:1: status == 200 || true comes out the same whatever the answer is"},
		{"holds of nothing", workload.Journey{Steps: []workload.Step{get(workload.Step{Degraded: "[].all(x, x == status)"})}}, "comes out the same whatever the answer is"},
		{"no condition", workload.Journey{Steps: []workload.Step{get(workload.Step{Expect: `"x" + string(status)`})}}, "and must be true or false"},
		{"unknown method", workload.Journey{Steps: []workload.Step{get(workload.Step{Call: "PSOT http://api/"})}}, `did you mean "POST"?`},
		{"no scheme", workload.Journey{Steps: []workload.Step{get(workload.Step{Call: "GET api/x"})}}, `"api/x" is no URL with http:// or https://`},
		{"unknown op", workload.Journey{Steps: []workload.Step{get(workload.Step{Record: []workload.Record{{Op: "apend", Object: "o", Value: "n"}}})}}, `record[0]: no operation is called "apend" (did you mean "append"?)`},
		{"record of unknown", workload.Journey{Steps: []workload.Step{get(workload.Step{Record: []workload.Record{{Op: "append", Object: "o", Value: "idd"}}})}}, `record[0].value: 1:1: no name is called "idd"`},
		{"cas without to", workload.Journey{Steps: []workload.Step{get(workload.Step{Record: []workload.Record{{Op: "cas", Object: "o", From: "n"}}})}}, `cas needs from and to`},
		{"value that shadows", workload.Journey{Data: map[string]any{"status": 1}, Steps: []workload.Step{get(workload.Step{})}}, `"status" names a value of the journey and what this step answers`},
		{"nothing to choose", workload.Journey{Data: map[string]any{"x": []any{}}, Steps: []workload.Step{get(workload.Step{})}}, `data.x: an empty list leaves nothing to choose`},
		{"bad data", workload.Journey{Data: map[string]any{"x": "{{uid()}}"}, Steps: []workload.Step{get(workload.Step{})}}, `data.x: 1:3: no function is called "uid" (did you mean "uuid"?)`},
		{"misplaced", workload.Journey{Steps: []workload.Step{get(workload.Step{Query: "select 1"})}}, `query: has no meaning in a step with call`},
		{"grpc form", workload.Journey{Steps: []workload.Step{{GRPC: "payments/Pay", Expect: `code == "OK"`}}}, `is not of the form host:port/package.Service/Method`},
		{"database", workload.Journey{Steps: []workload.Step{{SQL: "mysql://db", Query: "select 1", Expect: "rows.size() == 1"}}}, `no driver for databases with "mysql" URLs (allowed: postgres)`},
		{"negative", workload.Journey{Steps: []workload.Step{get(workload.Step{Timeout: -1})}}, `timeout: -1ns is negative`},
	}
	for _, test := range tests {
		test.journey.Name = "j"
		_, err := workload.Compile(test.journey)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

func TestSetupAndFinalReadTheirAnswers(t *testing.T) {
	t.Parallel()
	err := workload.CheckSteps([]workload.Step{{Exec: []string{"true"}, Expect: "n == 0"}})
	if err == nil || !strings.Contains(err.Error(), "step 1: expect: 1:1: n == 0 does not read the answer") {
		t.Errorf("got %v", err)
	}
	if err := workload.CheckSteps([]workload.Step{{Exec: []string{"true"}}, {Exec: []string{"true"}, Expect: "elapsed_ms < 500.0 && n == 0"}}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	j := workload.Journey{Name: "checkout", Steps: []workload.Step{{Call: "GET http://api/", Expect: "status == 200"}}}
	for load, want := range map[workload.Load]string{
		{Journey: "chekout", Rate: 1}: `no journey is called "chekout" (did you mean "checkout"?)`,
		{Journey: "checkout"}:         `rate 0 is not above 0`,
	} {
		_, err := workload.New(workload.Options{Journeys: []workload.Journey{j}, Load: []workload.Load{load}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", load, err, want)
		}
	}
}
