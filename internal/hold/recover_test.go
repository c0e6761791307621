package hold

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
)

func TestHolderKilled(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "fake", testSystem(t, "child"), testOptions(t))
	killHolder(t, env.Info())
	<-env.client.first
	_, err := env.Snapshot(t.Context())
	if !errors.Is(err, ErrHolderDied) || !strings.Contains(err.Error(), "environment "+env.Info().ID+": the holder died") {
		t.Errorf("a call: got %v", err)
	}
	if _, err := env.Addr(t.Context(), "client", "child", 80); !errors.Is(err, ErrHolderDied) {
		t.Errorf("addr: got %v", err)
	}
	// Without a Close: the client recovers by itself.
	eventually(t, "nothing is left", func() bool { return len(leftovers(env.Info())) == 0 })
	if err := env.Close(t.Context()); !errors.Is(err, ErrHolderDied) {
		t.Errorf("close: got %v", err)
	}
}

func TestHolderKilledDuringACall(t *testing.T) {
	t.Parallel()
	sys := testSystem(t, "a")
	env := mustStart(t, "fake", sys, testOptions(t))
	go func() {
		eventually(t, "the probe blocks", func() bool { return strings.Contains(journal(t, sys), "probe blocks") })
		killHolder(t, env.Info())
	}()
	if _, err := env.Nodes()[0].(*Node).Probe(t.Context(), "block"); !errors.Is(err, ErrHolderDied) {
		t.Errorf("got %v", err)
	}
}

func TestHolderKilledDuringStart(t *testing.T) {
	t.Parallel()
	sys, opts := testSystem(t, "child", "slow-start"), testOptions(t)
	opts.ID = "killed-in-start"
	go func() {
		eventually(t, "it starts", func() bool { return strings.Contains(journal(t, sys), "slow-start waits") })
		entries, err := ledger.Read(ledger.Dir(opts.StateDir, opts.ID))
		if err != nil || len(entries) == 0 {
			t.Errorf("ledger: %v, %v", entries, err)
			return
		}
		var a environmentArgs
		if err := errors.Join(json.Unmarshal(entries[0].Args, &a), syscall.Kill(a.Holder, syscall.SIGKILL)); err != nil {
			t.Errorf("kill the holder named by %s: %v", entries[0].Args, err)
		}
	}()
	if _, err := start(t.Context(), "fake", sys, opts); !errors.Is(err, ErrHolderDied) {
		t.Errorf("got %v, want ErrHolderDied", err)
	}
	wantNothing(t, Info{ID: opts.ID, Dir: ledger.Dir(opts.StateDir, opts.ID)})
}

// Both die: whoever comes next, in another directory, recovers.
func TestRecoverFromElsewhere(t *testing.T) {
	t.Parallel()
	c := startController(t)
	c.signal(syscall.SIGSTOP) // it must not recover first
	killHolder(t, c.info)
	c.signal(syscall.SIGKILL)
	waitFree(t, c.info.Dir)
	if left := leftovers(c.info); len(left) != 3 {
		t.Fatalf("after both were killed: got %q, want a process, a folder and a socket", left)
	}
	cmd := exec.Command(self())
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleVar+"=recover", "ASSAY_STATE_DIR="+c.state)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "recovered "+c.info.ID+": killed 1 processes in ") {
		t.Errorf("got %q, %v", out, err)
	}
	wantNothing(t, c.info)
}

func TestStartRecoversFirst(t *testing.T) {
	t.Parallel()
	c := startController(t)
	c.signal(syscall.SIGSTOP)
	killHolder(t, c.info)
	c.signal(syscall.SIGKILL)
	waitFree(t, c.info.Dir)
	var progress []string
	mustStart(t, "fake", testSystem(t), Options{StateDir: c.state, Progress: func(line string) { progress = append(progress, line) }})
	if len(progress) == 0 || !strings.HasPrefix(progress[0], "recovered "+c.info.ID) {
		t.Errorf("progress: %q", progress)
	}
	wantNothing(t, c.info)
}

func TestRecoverLeavesHeldOnesAlone(t *testing.T) {
	t.Parallel()
	opts := testOptions(t)
	env := mustStart(t, "fake", testSystem(t, "child"), opts)
	report, err := RecoverIn(t.Context(), opts.StateDir)
	if err != nil || len(report.Swept) != 0 || !report.Clean() {
		t.Errorf("got %+v, %v", report, err)
	}
	if len(leftovers(env.Info())) != 3 {
		t.Errorf("it took from a running environment: only %q is there", leftovers(env.Info()))
	}
}

// A folder whose maker died before it wrote anything.
func TestRecoverEmptyFolder(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	dir := ledger.Dir(state, "e1")
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	report, err := RecoverIn(t.Context(), state)
	if err != nil || len(report.Swept) != 1 || !report.Clean() || exists(dir) {
		t.Errorf("got %+v, %v", report, err)
	}
}

// deadEnvironment leaves the folder of an environment whose holder wrote one entry and died.
func deadEnvironment(t *testing.T, verb string, args any) (state, dir string) {
	t.Helper()
	state = t.TempDir()
	dir = ledger.Dir(state, newID("dead"))
	log, err := ledger.Open(dir)
	if err == nil {
		_, err = log.Intend(verb, args)
	}
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	return state, dir
}

func TestRecoverKeepsWhatItCannotUndo(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for name, c := range map[string]struct {
		verb string
		args any
		want string
	}{
		"a later version's verb":  {"mount", pathArgs{"/x"}, `ledger entry 1 of DIR says "mount", which this version cannot undo`},
		"a path that is not ours": {"dir", pathArgs{home}, "is neither under the state directory nor named for the environment"},
		"a relative path":         {"dir", pathArgs{"data"}, "is neither under the state directory nor named for the environment"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, dir := deadEnvironment(t, c.verb, c.args)
			report, err := RecoverIn(t.Context(), state)
			lines := strings.Join(report.Lines(), "\n")
			if err != nil || report.Clean() || report.ExitCode() != 4 || !strings.Contains(lines, strings.ReplaceAll(c.want, "DIR", dir)) {
				t.Errorf("got %d, %s, %v; want 4 and %s", report.ExitCode(), lines, err, c.want)
			}
			if entries, err := ledger.Read(dir); err != nil || len(entries) != 1 || !exists(home) {
				t.Errorf("the ledger was not kept: %v, %v", entries, err)
			}
		})
	}
}

func TestRecoverDamagedLedger(t *testing.T) {
	t.Parallel()
	state, dir := deadEnvironment(t, "start", nil)
	id := filepath.Base(dir)
	if err := os.WriteFile(filepath.Join(dir, ledger.FileName), []byte("garbage\n{}\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self())
	child.Env = append(os.Environ(), roleVar+"=sleeper", plain.Mark(id))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	report, err := RecoverIn(t.Context(), state)
	child.Wait()
	if err != nil || report.ExitCode() != 4 || len(report.Swept) != 1 || report.Swept[0].Killed != 1 || !exists(dir) {
		t.Errorf("got %+v, %v; want the process killed and the folder kept", report, err)
	}
}

// A mark must be equal, not alike.
func TestRecoverKillsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	state, dir := deadEnvironment(t, "start", nil)
	other := filepath.Base(dir) + "2"
	child := exec.Command(self())
	child.Env = append(os.Environ(), roleVar+"=sleeper", plain.Mark(other))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	report, err := RecoverIn(t.Context(), state)
	if err != nil || !report.Clean() || report.Swept[0].Killed != 0 {
		t.Errorf("got %+v, %v", report, err)
	}
	if left, err := plain.Processes(other, ""); err != nil || len(left) != 1 {
		t.Errorf("another environment's process: got %v, %v", left, err)
	}
}

func TestSweepRemovesUnwritableFolders(t *testing.T) {
	t.Parallel()
	state, dir := deadEnvironment(t, "start", nil)
	locked := filepath.Join(dir, "data", "pg", "inner")
	if err := os.MkdirAll(locked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(locked), 0o500); err != nil {
		t.Fatal(err)
	}
	report, err := RecoverIn(t.Context(), state)
	if err != nil || !report.Clean() || exists(dir) {
		t.Errorf("got %+v, %v", report, err)
	}
}
