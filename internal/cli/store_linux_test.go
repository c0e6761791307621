package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/evidence"
)

// TestDiskFull stores evidence on a file system that is too small for it.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, size string }{{"at once", "4k"}, {"later", "256k"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			take(t, 1)
			k := &killing{t: t, binary: "assay", dir: t.TempDir(), mark: "DISK_MARK=" + strings.ReplaceAll(t.TempDir(), "/", "-")}
			example, err := filepath.Abs("../../examples/gotest")
			if err != nil {
				t.Fatal(err)
			}
			copyRegister(t, example, filepath.Join(k.dir, "register"))
			small := filepath.Join(k.dir, "small")
			if err := os.Mkdir(small, 0o755); err != nil {
				t.Fatal(err)
			}
			mount := `mount -t tmpfs -o size=` + c.size + ` small "$1" || exit 77; shift; exec "$@"`
			run := k.command("run", "register", "--store", filepath.Join(small, "store"))
			cmd := exec.Command("unshare", append([]string{"--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", small}, run.Args...)...)
			cmd.Dir, cmd.Env = run.Dir, run.Env
			var out, story bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &story
			err = cmd.Run()
			code := cmd.ProcessState.ExitCode()
			if code == 77 || strings.HasPrefix(story.String(), "unshare:") {
				t.Skipf("a file system of our own cannot be mounted here: %v: %s", err, story.String())
			}
			if code != 4 || strings.Contains(out.String(), "PASS") {
				t.Errorf("exit %d, want 4 and no pass\n%s%s", code, story.String(), out.String())
			}
			if said := story.String() + out.String(); !strings.Contains(said, "no space left on device") {
				t.Errorf("nothing is said of a full disk:\n%s", said)
			}
			if left := k.left(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestTwoRunsAtOnce runs the same project twice in the same folder at the same time.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	take(t, 2)
	k := &killing{t: t, binary: "assay", dir: t.TempDir(), mark: "TWICE_MARK=" + strings.ReplaceAll(t.TempDir(), "/", "-")}
	example, err := filepath.Abs("../../examples/gotest")
	if err != nil {
		t.Fatal(err)
	}
	copyRegister(t, example, filepath.Join(k.dir, "register"))
	var runs sync.WaitGroup
	for range 2 {
		runs.Go(func() {
			out, err := k.command("run", "register").CombinedOutput()
			// A driver that was late says that the machine is busy, and nothing of two runs.
			if err != nil && !strings.Contains(string(out), "the load driver was overloaded") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	runs.Wait()
	store, err := evidence.OpenStore(filepath.Join(k.dir, ".assay"))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.List()
	if err != nil || len(stored) != 2 || stored[0].ID == stored[1].ID {
		t.Fatalf("the store lists %+v, %v; want two runs", stored, err)
	}
	for _, s := range stored {
		if r, err := store.Open(s.ID); err != nil || r.Verify() != nil {
			t.Errorf("run %s is not whole: %v", s.ID, errors.Join(err, r.Verify()))
		}
	}
	if left := k.left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
