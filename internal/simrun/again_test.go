package simrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of decisions that cannot be used is refused with the place in it.
func TestCheckReplay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"log", `{"kind":"pick","index":1,"choice":1,"n":2}`, ""},
		{"saved", "{\n\"format\": \"assay-sim/1\",\n\"decisions\": [{\"kind\": \"yield\"}]\n}\n", ""},
		{"cut short", "{\"kind\":\"pick\"}\n{\"kind\":", ":2: not a decision: unexpected end of JSON input"},
		{"no such kind", "{\"kind\":\"pick\"}\n{\"kind\":\"peck\"}\n", `:2: no decision is called "peck" (pick, `},
		{"saved, cut short", "{\n\"format\": \"assay-sim/1\",\n", ":3:1: unexpected end of JSON input"},
		{"saved, wrong type", "{\n\"format\": \"assay-sim/1\",\n\"seed\": \"7\"\n}", ":3:11: json: cannot unmarshal string"},
		{"saved, no such kind", "{\n\"format\": \"assay-sim/1\",\n\"decisions\": [{\"kind\": \"pick\"},\n{\"kind\": \"peck\"}]\n}", `:4: decision 2: no decision is called "peck"`},
		{"saved by another", "{\n\"format\": \"assay-sim/9\"\n}", `:1: format is "assay-sim/9", want "assay-sim/1"`},
	} {
		file := filepath.Join(t.TempDir(), "decisions")
		if err := os.WriteFile(file, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		err := CheckReplay(file)
		var input *InputError
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &input) || !strings.HasPrefix(err.Error(), file+tt.want)) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// The code was changed: a saved failure is told and counted, whether it is mended or there is no such test any more.
func TestSavedAfterTheCodeChanged(t *testing.T) {
	dir := t.TempDir()
	if res := found(t, dir, "TestLostUpdate", 200); len(res.Failures) != 1 {
		t.Fatalf("%+v", res)
	}
	o := options()
	o.Tests, o.Seeds, o.Workers, o.Dir = "^TestLostUpdate$", 30, 2, dir
	bin := *built(t, "mended")
	bin.work, bin.dir = t.TempDir(), dir
	res := &Result{Go: "go"}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	res.judge(&o)
	if want := (Retried{Tried: 1, Passed: 1}); res.Verdict.String() != "pass" || res.Saved != want {
		t.Errorf("%v, %+v, want pass and %+v", res.Verdict, res.Saved, want)
	}
	var text strings.Builder
	if err := res.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the code changed: this seed no longer replays what it found (\"no update is lost\" does not hold)", "1 saved failure no longer found"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

// Whoever stops while a failure is made small has what was found until then, told and saved.
func TestInterruptedWhileShrinking(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work, bin.dir = t.TempDir(), t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	o := options()
	o.Tests, o.Seeds, o.Workers = "^TestLostUpdate$", 200, 2
	o.Progress = func(line string) {
		if strings.Contains(line, ", 5 runs") {
			interrupt()
		}
	}
	res := &Result{}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(ctx); err != nil {
		t.Fatal(err)
	}
	if err := x.finish(ctx); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() == nil {
		t.Fatal("it was never interrupted")
	}
	f := res.Failures[0]
	if !f.Stopped || len(f.Shrunk) == 0 || f.Saved == "" {
		t.Errorf("stopped %v, %d decisions, saved %q, %s", f.Stopped, len(f.Shrunk), f.Saved, f.Unshrunk)
	}
	var text strings.Builder
	if f.steps(&text); !strings.Contains(text.String(), "and then stopped: fewer may do") {
		t.Error(text.String())
	}
}

// A process that somebody kills is no failure of a seed: it is run again, and killed twice it is an error.
func TestKilledWorker(t *testing.T) {
	for kills, want := range []string{"", "", "was killed twice at seed 1"} {
		dir := t.TempDir()
		for i := range kills {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("BUGS_KILL", dir)
		bin := *built(t, "bugs")
		bin.work = t.TempDir()
		p, err := bin.run(t.Context(), start{name: "k", tests: "^TestKilled$", seed: 1, step: 1, count: 3})
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%d kills: %v, want %s", kills, err, want)
		case want == "" && (err != nil || p.failed || len(p.reports) != 3):
			t.Errorf("%d kills: %v, %+v", kills, err, p)
		}
	}
}
