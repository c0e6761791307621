package evidence

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// inNamespace runs a shell script in a mount namespace of its own, where $1 is
// a fresh folder and $0 this test binary. It skips where the system has no such namespaces.
func inNamespace(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("/bin/sh", "-c", "mount -t tmpfs -o size=512k none \"$1\" || exit 99; "+script, os.Args[0], dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.Is(err, syscall.EPERM) || errors.As(err, &exit) && exit.ExitCode() == 99 {
		t.Skipf("this system gives no mount namespace: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	if got := inNamespace(t, constrained+`="$1/.assay" "$0"`); got != "ok" {
		t.Error(got)
	}
}

func TestReadOnlyStore(t *testing.T) {
	t.Parallel()
	got := inNamespace(t, `mount -t tmpfs -o remount,ro none "$1" && `+constrained+`="$1/.assay" "$0"`)
	for _, want := range []string{"cannot create the store", ".assay", "read-only file system"} {
		if !strings.Contains(got, want) {
			t.Errorf("the error %q does not say %q", got, want)
		}
	}
}
