package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// interruptLimit is how long a run may take to heal, to tear down and to store after a Ctrl-C.
// It takes about a second; a busy machine gets as long as the patience of these tests is, which the fault outlasts.
const interruptLimit = time.Minute

// TestInterrupt presses Ctrl-C at one moment of each phase.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	const compose = `services:
  register:
    image: example/register
    expose: ["8080"]
    environment: {LISTEN: "{{ip}}:8080", DATA: "{{data}}"}
    x-assay:
      process: {build: BUILD, command: COMMAND}
      ready: {http: "8080/healthz"}
`
	build, command := "go build -o bin/register ./register", `[bin/register]`
	for _, c := range []struct {
		name, build, command string
		marker               string // of the story; Ctrl-C comes after that line
		also                 string // a file that appears when the moment has come
		records              bool   // there is an experiment to judge
	}{
		{name: "build", build: `"touch building; sleep 600"`, command: command, marker: "holds environment", also: "register/building"},
		{name: "start", build: build, command: `[sh, -c, "touch starting; sleep 600"]`, marker: "register built", also: "register/starting"},
		{name: "steady", build: build, command: command, marker: "A register keeps", records: true},
		{name: "fault", build: build, command: command, marker: "kill(register) on register-1", records: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			take(t, 1)
			k := &killing{t: t, binary: "assay", dir: t.TempDir(), mark: "INTERRUPT_MARK=" + strings.ReplaceAll(t.TempDir(), "/", "-")}
			k.project(t, strings.NewReplacer("BUILD", c.build, "COMMAND", c.command).Replace(compose))
			k.interrupt(c.marker, c.also, c.records)
		})
	}
}

// project writes the register with a fault that lasts longer than the test has patience.
func (k *killing) project(t *testing.T, compose string) {
	t.Helper()
	example, err := filepath.Abs("../../examples/gotest")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(k.dir, "register")
	copyRegister(t, example, dir)
	experiment, err := os.ReadFile(filepath.Join(dir, "experiments/killed.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Replace(experiment, []byte("for: 300ms"), []byte("for: 10m"), 1)
	if bytes.Equal(long, experiment) {
		t.Fatal("killed.yaml has no fault of 300ms")
	}
	err = errors.Join(os.WriteFile(filepath.Join(dir, "experiments/killed.yaml"), long, 0o644),
		os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(compose), 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

// interrupt runs the project, presses Ctrl-C when the marker and the file were seen, and looks at what is left.
func (k *killing) interrupt(marker, file string, records bool) {
	t := k.t
	t.Helper()
	cmd := k.command("run", "register")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	story := &lines{want: marker, seen: make(chan struct{})}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, story
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	k.await(story, file, done)
	pressed := time.Now()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // a terminal sends it to the whole group
	select {
	case <-done:
	case <-time.After(interruptLimit):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		t.Fatalf("it runs on %v after Ctrl-C:\n%s", interruptLimit, story)
	}
	t.Logf("ended %v after Ctrl-C", time.Since(pressed).Round(time.Millisecond))
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130\n%s%s", code, story, out.String())
	}
	if strings.Contains(out.String(), "PASS") || !strings.Contains(out.String(), "interrupted") {
		t.Errorf("the result does not say that it was interrupted:\n%s", out.String())
	}
	if left := k.left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	pages, _ := filepath.Glob(filepath.Join(k.dir, ".assay/reports/*.html"))
	if len(pages) != 1 {
		t.Fatalf("there are %d reports of the interrupted run", len(pages))
	}
	if text, err := os.ReadFile(pages[0]); err != nil || !bytes.Contains(text, []byte("This run was interrupted")) {
		t.Errorf("the report does not say that the run was interrupted: %v", err)
	}
	k.partial(records)
}

// await returns when the story has told of the moment and the file is there.
func (k *killing) await(story *lines, file string, done <-chan error) {
	k.t.Helper()
	deadline := time.After(2 * time.Minute)
	select {
	case <-story.seen:
	case err := <-done:
		k.t.Fatalf("it ended before %q: %v\n%s", story.want, err, story)
	case <-deadline:
		k.t.Fatalf("%q was not told\n%s", story.want, story)
	}
	for file != "" {
		if _, err := os.Stat(filepath.Join(k.dir, file)); err == nil {
			return
		}
		select {
		case <-deadline:
			k.t.Fatalf("%s did not appear\n%s", file, story)
		case <-time.After(10 * time.Millisecond): // polls a condition
		}
	}
}

// partial says whether the evidence of the interrupted run is there, and unknown.
func (k *killing) partial(records bool) {
	k.t.Helper()
	store, err := evidence.OpenStore(filepath.Join(k.dir, ".assay"))
	if err != nil {
		k.t.Fatal(err)
	}
	runs, err := store.List()
	if err != nil || len(runs) != 1 {
		k.t.Fatalf("the store lists %+v, %v; want one run", runs, err)
	}
	if v := ended(runs[0]); v != verdict.Unknown {
		k.t.Errorf("the run is %s, want unknown", v)
	}
	r, err := store.Open(runs[0].ID)
	if err != nil {
		k.t.Fatal(err)
	}
	if result, err := r.Result("killed"); records && (err != nil || result.Verdict != verdict.Unknown || result.Reason == "") {
		k.t.Errorf("the experiment is judged %s: %q, %v; want unknown with a reason", result.Verdict, result.Reason, err)
	}
}

// lines keeps a story and tells when a line with the wanted text was written.
type lines struct {
	want string
	seen chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
	told bool
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if !l.told && bytes.Contains(l.text.Bytes(), []byte(l.want)) {
		l.told = true
		close(l.seen)
	}
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
