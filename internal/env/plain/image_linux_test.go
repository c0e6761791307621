package plain_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
)

// withImage is a service whose data begins with a file that counts how often its image was made.
func withImage(cache, name string) system.Service {
	s := serve("api", 2)
	s.Process.Image = &system.Image{Name: name, Make: []string{"sh", "-c", `echo made >>"` + cache + `/count"; mkdir "$ASSAY_DATA/in"; echo "$WHAT" >"$ASSAY_DATA/in/first"`}, Env: map[string]string{"WHAT": "content"}}
	return s
}

// Not parallel: the cache's folder comes from the environment of the process.
func TestImage(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ASSAY_CACHE_DIR", cache)
	sys := of(withImage(cache, "one"))
	left := filepath.Join(cache, "images", "one.new")
	if err := os.MkdirAll(left, 0o755); err != nil { // of a run that died
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := plain.Build(t.Context(), sys, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if text, err := os.ReadFile(filepath.Join(cache, "count")); err != nil || string(text) != "made\n" {
		t.Errorf("made %q, %v; want once", text, err)
	}
	opts := options(t)
	env := startWith(t, sys, opts)
	first := filepath.Join(opts.StateDir, "data", "api-2", "in", "first")
	if text, err := os.ReadFile(first); err != nil || string(text) != "content\n" {
		t.Errorf("the data begins with %q, %v", text, err)
	}
	if err := os.WriteFile(first, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := node(t, env, "api-2").(system.Restarter).Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(first); string(text) != "changed" {
		t.Errorf("a restart put the image back: %q", text)
	}
	if err := env.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(first); string(text) != "content\n" {
		t.Errorf("restored to nothing, the data begins with %q", text)
	}
}

func TestImageFails(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ASSAY_CACHE_DIR", cache)
	s := withImage(cache, "bad")
	s.Process.Image.Make = []string{"sh", "-c", "echo no disk; exit 3"}
	err := plain.Build(t.Context(), of(s), nil)
	if err == nil || !strings.Contains(err.Error(), "make bad") || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("got %v", err)
	}
	if entries, _ := filepath.Glob(filepath.Join(cache, "images", "bad*")); len(entries) > 0 {
		t.Errorf("left are %v", entries)
	}
}

// What overwrote its environment and lost its parent is found by the folder it works in, also when it is stopped. Whoever
// has an environment and works there, too, is left alone.
func TestFoundByFolder(t *testing.T) {
	t.Parallel()
	opts := options(t)
	folder := filepath.Join(opts.StateDir, "data", "db-1", "pg")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	blank := exec.Command("env", "-i", "sleep", "1000")
	visitor := exec.Command("sleep", "1000")
	elsewhere := exec.Command("env", "-i", "sleep", "1000")
	blank.Dir, visitor.Dir = folder, folder
	for _, cmd := range []*exec.Cmd{blank, visitor, elsewhere} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = cmd.Wait() }()
		defer cmd.Process.Kill()
	}
	eventually(t, "the one without an environment is found", func() bool {
		found, err := plain.Processes(opts.ID, opts.StateDir)
		return err == nil && len(found) == 1 && found[0].PID == blank.Process.Pid && found[0].Instance == "db-1"
	})
	if err := blank.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if killed, err := plain.KillMarked(ctx, opts.ID, opts.StateDir); killed != 1 || err != nil {
		t.Errorf("killed %d, %v; want 1", killed, err)
	}
}

// A segment is removed when its key is the inode of a folder and nobody is attached; others stay.
func TestRemoveShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours, used := filepath.Join(dir, "a", "pg"), filepath.Join(dir, "b", "pg")
	segment := func(folder string) int {
		t.Helper()
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		var stat unix.Stat_t
		if err := unix.Stat(folder, &stat); err != nil {
			t.Fatal(err)
		}
		id, err := unix.SysvShmGet(int(int32(stat.Ino)), 64, unix.IPC_CREAT|0o600)
		if err != nil {
			t.Skipf("no shared memory here: %v", err)
		}
		t.Cleanup(func() { unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
		return id
	}
	gone, attached, other := segment(ours), segment(used), segment(t.TempDir())
	memory, err := unix.SysvShmAttach(attached, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.SysvShmDetach(memory)
	if err := plain.RemoveShared(dir); err != nil {
		t.Fatal(err)
	}
	exists := func(id int) bool {
		var desc unix.SysvShmDesc
		_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &desc)
		return err == nil && desc.Perm.Key != 0 // one that is removed while in use has no key any more
	}
	if exists(gone) || !exists(attached) || !exists(other) {
		t.Errorf("exist: the unused one %v, the used one %v, another folder's %v; want false, true, true", exists(gone), exists(attached), exists(other))
	}
}

// Root runs a program that refuses root as somebody else, who can still be read and killed.
func TestNotRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root is somebody else")
	}
	s := serve("api", 1)
	s.Process.NotRoot = true
	s.Process.Command = []string{"sh", "-c", `test "$(id -u)" != 0 || exit 9; echo mine >"$ASSAY_DATA/file"; exec ` + echo()}
	opts := options(t)
	env := startWith(t, of(s), opts)
	if _, err := os.ReadFile(filepath.Join(opts.StateDir, "data", "api-1", "file")); err != nil {
		t.Error(err)
	}
	found, err := plain.Processes(opts.ID, "")
	if err != nil || len(found) != 1 {
		t.Errorf("found %v, %v; want one", found, err)
	}
	began := time.Now()
	if err := env.Close(t.Context()); err != nil || time.Since(began) > patience {
		t.Errorf("close: %v after %v", err, time.Since(began))
	}
	mustBeGone(t, opts.ID)
}
