package plain_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
)

// events reads what is on disk of a recording.
func events(t *testing.T, dir string) []history.Event {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "env.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found, err := history.ReadAll[history.Event](file)
	if err != nil && !strings.Contains(err.Error(), history.ErrCut.Error()) {
		t.Fatal(err)
	}
	return found
}

func record(t *testing.T, env *plain.Env) string {
	t.Helper()
	dir := t.TempDir()
	if err := env.Record(t.Context(), dir, 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A service's address leads to ready instances only, and to none when there is none.
func TestPicksReadyInstances(t *testing.T) {
	t.Parallel()
	env := start(t, of(serve("api", 2)))
	must(t, env, "POST", "api-1", "/sick")
	eventuallyState(t, env, "api-1", system.Unready)
	for range 20 {
		if got := must(t, env, "GET", "api", "/name"); got != "api-2" {
			t.Fatalf("the address of the service leads to %s, which is not ready", got)
		}
	}
	must(t, env, "POST", "api-2", "/sick")
	eventuallyState(t, env, "api-2", system.Unready)
	if got, err := request(t, env, "GET", "api", "/name"); err == nil {
		t.Errorf("no instance is ready, and %q answers", got)
	}
	if got := must(t, env, "GET", "api-1", "/name"); got != "api-1" { // by its own name it is still there
		t.Errorf("api-1 answers %q", got)
	}
	must(t, env, "POST", "api-1", "/well")
	eventuallyState(t, env, "api-1", system.IsReady)
	if got := must(t, env, "GET", "api", "/name"); got != "api-1" {
		t.Errorf("the only ready instance is api-1, and %q answers", got)
	}
}

// A program that ends in the middle is noticed, not picked, and told of with its status.
func TestEndsByItself(t *testing.T) {
	t.Parallel()
	env := start(t, of(serve("api", 2)))
	dir := record(t, env)
	_, _ = request(t, env, "POST", "api-1", "/exit?status=9") // it ends without an answer
	eventuallyState(t, env, "api-1", system.Exited)
	if got := must(t, env, "GET", "api", "/name"); got != "api-2" {
		t.Errorf("%s answers for the service", got)
	}
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(events(t, dir), func(e history.Event) bool {
		return e.Kind == history.State && e.Target == "api-1" && e.Name == "exited" && strings.Contains(e.Text, "exit status 9")
	}) {
		t.Errorf("no event tells of the end: %+v", events(t, dir))
	}
	if err := node(t, env, "api-1").(system.Killer).Start(t.Context()); err != nil {
		t.Error(err)
	}
}

// An instance that dials another at its own address, not by a front, leaks.
func TestLeak(t *testing.T) {
	t.Parallel()
	env := start(t, of(serve("api", 1), serve("db", 1)))
	s, err := env.Snapshot(t.Context())
	if err != nil || len(s.Instances["db-1"].Ports) != 1 {
		t.Fatalf("db-1 stands as %+v, %v", s.Instances["db-1"], err)
	}
	dir := record(t, env)
	must(t, env, "POST", "api-1", "/dial?addr="+s.Instances["db-1"].Ports[0])
	leaks := func() (found []string) {
		for _, e := range events(t, dir) {
			if e.Kind == history.Leak {
				found = append(found, e.Target)
			}
		}
		return found
	}
	eventually(t, "the leak is recorded", func() bool { return len(leaks()) > 0 })
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := leaks(); !slices.Equal(got, []string{"api-1 -> db-1"}) {
		t.Errorf("the leaks are %v", got)
	}
}

// Through a front that all share, the dialler is found by its socket.
func TestAdvertised(t *testing.T) {
	t.Parallel()
	db := serve("db", 1)
	db.Process.Files = map[string]string{"advertised": "{{advertise(7070)}}"}
	opts := options(t)
	env := startWith(t, of(serve("api", 1), db), opts)
	addr, err := os.ReadFile(filepath.Join(opts.StateDir, "data", "db-1", "advertised"))
	if err != nil {
		t.Fatal(err)
	}
	dir := record(t, env)
	must(t, env, "POST", "api-1", "/dial?addr="+string(addr))
	eventually(t, "api-1 -> db-1 was dialled once", func() bool {
		stats, err := env.LinkStats(t.Context())
		return err == nil && slices.ContainsFunc(stats, func(s system.LinkStats) bool {
			return s.Link == system.Link{From: "api-1", To: "db-1"} && s.Dials == 1
		})
	})
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range events(t, dir) {
		if e.Kind == history.Leak {
			t.Errorf("an advertised address leaks: %+v", e)
		}
	}
}

// Probes that fail are recorded as such, once as long as they fail alike.
func TestRecordsProbes(t *testing.T) {
	t.Parallel()
	api := serve("api", 1)
	api.Probes = map[string]system.Probe{
		"role":  {HTTP: "7070/role", Value: "body.role"},
		"wrong": {HTTP: "7070/role", Value: "body.nothing"},
		"mysql": {SQL: &system.SQL{URL: "mysql://api:3306/x", Query: "select 1"}, Value: "rows"},
	}
	env := start(t, of(api))
	dir := record(t, env)
	answers := func(name string) (found []history.Event) {
		for _, e := range events(t, dir) {
			if e.Kind == history.Probe && e.Name == name {
				found = append(found, e)
			}
		}
		return found
	}
	eventually(t, "the probes are recorded", func() bool { return len(answers("role")) > 0 && len(answers("wrong")) > 0 && len(answers("mysql")) > 0 })
	if err := node(t, env, "api-1").(system.Killer).Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the silence is recorded", func() bool { return len(answers("role")) > 1 })
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	role := answers("role")
	if !role[0].Value.Equal(history.String("leader")) || !role[1].Value.IsNil() || !strings.HasPrefix(role[1].Text, "no answer: ") {
		t.Errorf("the answers are %+v", role)
	}
	mustSay(t, answers("mysql")[0].Text, "no answer", `"mysql"`, "postgres")
	mustSay(t, answers("wrong")[0].Text, "no answer", "body.nothing")
}

// What a probe says when all is over is recorded, however short a time it has said so.
func TestRecordsLastAnswers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "position")
	put := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("1")
	api := serve("api", 1)
	api.Probes = map[string]system.Probe{"position": {Exec: []string{"cat", file}, Value: "int(stdout)"}}
	env := start(t, of(api))
	dir := record(t, env)
	var last history.Event
	position := func() int64 {
		for _, e := range events(t, dir) {
			if e.Kind == history.Probe && e.Name == "position" {
				last = e
			}
		}
		n, _ := last.Value.AsInt()
		return n
	}
	eventually(t, "the position is recorded", func() bool { return position() == 1 })
	put("2")
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	if position() != 2 {
		t.Errorf("the last answer is %+v, want 2", last)
	}
}

// A full disk is told of when the recording ends, and harms nothing else.
func TestRecordsToFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	env := start(t, of(serve("api", 1)))
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, "env.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := env.Record(t.Context(), dir, 0); err != nil {
		t.Fatal(err)
	}
	err := env.StopRecording(t.Context())
	if err == nil {
		t.Fatal("a full disk is no error")
	}
	mustSay(t, err.Error(), "not complete", "no space left")
	if got := must(t, env, "GET", "api", "/name"); got != "api-1" {
		t.Errorf("the system answers %q", got)
	}
}

// Without a checkpoint, Restore goes back to no data and runs one-shots again;
// with one it does neither.
func TestRestoreAndOneShots(t *testing.T) {
	t.Parallel()
	runs := filepath.Join(t.TempDir(), "runs")
	seed := say("seed", "0")
	seed.Process.Command = []string{"sh", "-c", "echo run >> " + runs + "; echo seeded > {{data}}/value"}
	opts := options(t)
	env := startWith(t, of(after(serve("api", 1), system.Completed, "seed"), seed), opts)
	value := filepath.Join(opts.StateDir, "data", "seed-1", "value")
	stray := filepath.Join(opts.StateDir, "data", "api-1", "stray")
	check := func(wantRuns int) {
		t.Helper()
		if text, err := os.ReadFile(runs); err != nil || strings.Count(string(text), "run") != wantRuns {
			t.Errorf("the one-shot ran %q, %v; want %d times", text, err, wantRuns)
		}
		if text, err := os.ReadFile(value); err != nil || string(text) != "seeded\n" {
			t.Errorf("its effect is %q, %v", text, err)
		}
		if _, err := os.Stat(stray); err == nil {
			t.Error("data of after the checkpoint is left")
		}
	}
	restore := func() {
		t.Helper()
		if err := os.WriteFile(stray, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := env.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	restore()
	check(2)
	if err := env.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(2)
	restore()
	check(2)
}

// Environments of other processes do not see what this one sets apart from the mark.
func TestEnvironmentOfInstances(t *testing.T) {
	t.Setenv("ASSAY_SECRET", "x")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("OVERRIDDEN", "holder")
	t.Setenv("INHERITED", "yes")
	dump := say("dump", "0")
	dump.Process.Command = []string{"sh", "-c", "env > {{data}}/env"}
	dump.Process.Env = map[string]string{"OVERRIDDEN": "topology"}
	opts := options(t)
	startWith(t, of(after(serve("api", 1), system.Completed, "dump"), dump), opts)
	text, err := os.ReadFile(filepath.Join(opts.StateDir, "data", "dump-1", "env"))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(opts.StateDir, "data", "dump-1")
	mustSay(t, string(text), "INHERITED=yes\n", "OVERRIDDEN=topology\n", plain.Mark(opts.ID)+"\n", "ASSAY_INSTANCE=dump-1\n", "ASSAY_DATA="+data+"\n", "ASSAY_IP=127.", "PATH=")
	for _, bad := range []string{"ASSAY_SECRET", "HTTP_PROXY", "OVERRIDDEN=holder"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("an instance has %s", bad)
		}
	}
}

// Operations on one instance from all sides end, and leave it usable.
func TestConcurrentOperations(t *testing.T) {
	t.Parallel()
	env := start(t, of(serve("api", 2)))
	n := node(t, env, "api-1")
	done := make(chan error)
	operations := []func(context.Context) error{
		n.(system.Killer).Kill, n.(system.Killer).Start, n.(system.Pauser).Pause, n.(system.Pauser).Resume, n.(system.Restarter).Restart,
		func(ctx context.Context) error { _, err := env.Snapshot(ctx); return err },
		func(ctx context.Context) error { _, err := n.(system.Inspector).Inspect(ctx); return err },
	}
	for _, operation := range operations {
		go func() { done <- operation(t.Context()) }()
	}
	for range operations {
		if err := <-done; err != nil && !strings.Contains(err.Error(), "(api-1)") {
			t.Errorf("an error that does not name what it was about: %v", err)
		}
	}
	if err := n.(system.Killer).Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.(system.Killer).Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := must(t, env, "GET", "api-1", "/name"); got != "api-1" {
		t.Errorf("it answers %q", got)
	}
}

// Close ends whatever is under way, such as a start that would wait for long.
func TestCloseDuringStart(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(t.TempDir(), "flag")
	api := serve("api", 1)
	api.Process.Command = []string{"sh", "-c", fmt.Sprintf("test -e %s && exec %s sleep; touch %s; exec %s", flag, echo(), flag, echo())}
	env := start(t, of(api))
	failed := make(chan error, 1)
	go func() { failed <- node(t, env, "api-1").(system.Restarter).Restart(t.Context()) }()
	eventuallyState(t, env, "api-1", system.Starting)
	began := time.Now()
	if err := env.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("the restart succeeded")
	}
	if took := time.Since(began); took > patience {
		t.Errorf("close took %v", took)
	}
}
