package cli

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stubbornCompose is of a service that takes its time to stop, so that there is a teardown to interrupt.
const stubbornCompose = `services:
  stubborn: {image: x, x-assay: {process: {command: [sh, -c, "trap '' TERM; while :; do sleep 1; done"], stop: {signal: SIGTERM, grace: 3s}}}}
`

const stubbornProject = `system: stubborn
topology: compose.yaml
setup: [{exec: [sleep, "60"], timeout: 90s}]
journeys: {j: {steps: [{exec: ["true"], expect: exit == 0}]}}
experiments: [x.yaml]
`

const stubbornExperiment = `load: {j: 1/s}
steady: ['success("j") > 0.9']
method: [{at: 1s, for: 1s, fault: kill(stubborn)}]
`

// The first interrupt takes the system down, the second ends the process at once, and what it leaves the holder cleans up.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	take(t, 1)
	dir := t.TempDir()
	for name, text := range map[string]string{"compose.yaml": stubbornCompose, "assay.yaml": stubbornProject, "x.yaml": stubbornExperiment} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := assay(t, dir, "run")
	story, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told []string
	for lines := bufio.NewScanner(story); lines.Scan(); {
		told = append(told, lines.Text())
		if strings.Contains(lines.Text(), "1 setup steps") || strings.Contains(lines.Text(), "stopping the system") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("ended with %v, want the signal\n%s", err, strings.Join(told, "\n"))
	}
	cleanedUp(t, dir)
}

// assay returns a command that runs this test binary as assay.
func assay(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = append([]string{"assay"}, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ASSAY_STATE_DIR="+filepath.Join(dir, "state"))
	return cmd
}

func cleanedUp(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(dir, "state", "envs", "*"))
		if err == nil && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			out, err := assay(t, dir, "recover").CombinedOutput()
			t.Fatalf("the holder left %q; recover: %v\n%s", left, err, out)
		}
	}
}
