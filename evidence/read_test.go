package evidence

import (
	"errors"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
)

const (
	opLine       = `{"id":%,"kind":"journey","client":"c","name":"checkout","outcome":"ok","call":1,"return":2}` + "\n"
	eventLine    = `{"at":%,"kind":"note","name":"n"}` + "\n"
	exchangeLine = `{"src":"orders-1","dst":"pay-%","conn":1,"protocol":"grpc","method":"M","path":"/p","start":%,"end":9,"idempotency":"k"}` + "\n"
)

func lines(format string, numbers ...string) string {
	var all strings.Builder
	for _, n := range numbers {
		all.WriteString(strings.ReplaceAll(format, "%", n))
	}
	return all.String()
}

// wholeRun writes records without a problem, with replaced in place of those it names.
func wholeRun(t *testing.T, replaced map[string]string) *Run {
	t.Helper()
	run := newRun(t, newStore(t))
	files := map[string]string{
		"subjects.json":          `[{"service":"pay","instances":["pay-1","pay-2"]}]`,
		"x/slow/ops.jsonl":       lines(opLine, "2", "1", "3"),
		"x/slow/events.jsonl":    lines(eventLine, "1", "4"),
		"x/slow/env.jsonl":       lines(eventLine, "2", "3"),
		"x/slow/exchanges.jsonl": lines(exchangeLine, "2", "1"),
	}
	for name, content := range replaced {
		files[name] = content
	}
	for name, content := range files {
		if content != "absent" {
			must(t, run.WriteFile(name, []byte(content)))
		}
	}
	return run
}

func TestInput(t *testing.T) {
	t.Parallel()
	in, problems := wholeRun(t, nil).Input("slow")
	if len(problems) > 0 {
		t.Fatalf("problems: %q", problems)
	}
	if len(in.Ops) != 3 || in.Ops[0].ID != 1 || in.Ops[2].ID != 3 {
		t.Errorf("operations are not in order of ID: %+v", in.Ops)
	}
	for i, event := range in.Events {
		if len(in.Events) != 4 || int(event.At) != i+1 {
			t.Errorf("event %d of %d is at %d", i, len(in.Events), event.At)
		}
	}
	if len(in.Exchanges) != 2 || in.Exchanges[0].Attempt != 1 || in.Exchanges[1].Attempt != 2 {
		t.Errorf("a retry on another instance is not numbered: %+v", in.Exchanges)
	}
	if in.Service("pay-2") != "pay" || in.Service("client") != "client" {
		t.Errorf("pay-2 is of %s, client of %s", in.Service("pay-2"), in.Service("client"))
	}
}

// Each planted defect of the records must be told, so that nobody passes on them.
func TestInputTellsProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file, content, want string
		ops                       int
	}{
		{"last operation cut short", "x/slow/ops.jsonl", lines(opLine, "1", "2") + `{"id":3,"ki`, "read up to record 2: line 3: the last record is cut short", 2},
		{"garbage in the middle", "x/slow/ops.jsonl", lines(opLine, "1") + "garbage\n" + lines(opLine, "2"), "line 2: ", 1},
		{"unknown field", "x/slow/ops.jsonl", `{"id":1,"latency":3}` + "\n", `unknown field "latency"`, 0},
		{"operation twice", "x/slow/ops.jsonl", lines(opLine, "1", "2", "1"), "operation 1 is recorded twice", 3},
		{"operation without id", "x/slow/ops.jsonl", lines(opLine, "0"), "has no id", 1},
		{"no operations file", "x/slow/ops.jsonl", "absent", "ops.jsonl: no such file", 0},
		{"no environment events", "x/slow/env.jsonl", "absent", "env.jsonl: no such file", 3},
		{"events cut short", "x/slow/events.jsonl", `{`, "line 1: the last record is cut short", 3},
		{"exchanges cut short", "x/slow/exchanges.jsonl", `{`, "line 1: the last record is cut short", 3},
		{"series cut short", "x/slow/series.jsonl", `{"at":1,"name":"threads","value":1}` + "\n{", "series.jsonl of slow: line 2: the last sample is cut short", 3},
		{"no subjects", "subjects.json", "absent", "subjects.json: no such file", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, problems := wholeRun(t, map[string]string{tt.file: tt.content}).Input("slow")
			if !strings.Contains(strings.Join(problems, "\n"), tt.want) {
				t.Errorf("problems %q do not say %q", problems, tt.want)
			}
			if len(in.Ops) != tt.ops {
				t.Errorf("%d operations, want %d", len(in.Ops), tt.ops)
			}
		})
	}
}

func TestInputHoldsSeries(t *testing.T) {
	t.Parallel()
	in, problems := wholeRun(t, map[string]string{"x/slow/series.jsonl": `{"at":1,"name":"threads","labels":{"instance":"pay-1"},"value":5}` + "\n"}).Input("slow")
	if len(problems) > 0 || len(in.Series) != 1 || in.Series[0].Labels["instance"] != "pay-1" || in.Series[0].Points[0].Value != 5 {
		t.Errorf("series %+v, problems %q", in.Series, problems)
	}
}

func TestInputOfUnknownExperiment(t *testing.T) {
	t.Parallel()
	in, problems := wholeRun(t, nil).Input("fast")
	if len(problems) < 3 || len(in.Ops) != 0 || in.Service == nil {
		t.Errorf("problems %q, input %+v", problems, in)
	}
}

func TestOpsUpToTheCut(t *testing.T) {
	t.Parallel()
	run := wholeRun(t, map[string]string{"x/slow/ops.jsonl": lines(opLine, "1") + `{"id":2`})
	ops, err := run.Ops("slow")
	if len(ops) != 1 || !errors.Is(err, history.ErrCut) {
		t.Errorf("Ops = %d operations, %v", len(ops), err)
	}
}
