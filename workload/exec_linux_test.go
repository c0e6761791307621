package workload_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// A command that is out of time takes its children along.
func TestExecTimeoutKillsChildren(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	op, _ := one(t, workload.Options{}, workload.Step{Timeout: 2 * time.Second, Expect: "exit == 0",
		Exec: []string{"sh", "-c", `sleep 1000 & echo $! > ` + file + `; echo waiting >&2; wait`}})
	if op.Outcome != history.Maybe || !strings.Contains(op.Error, "no answer within 2s: waiting") {
		t.Errorf("got %v %s", op.Outcome, op.Error)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); running(pid); {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("child %d outlived its command", pid)
		}
	}
}

// running says whether a process runs; a zombie that nobody reaped does not.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
