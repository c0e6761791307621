package simrun

import (
	"os"
	"path/filepath"
	"testing"
)

// A link is made once, and found again; what else has its name is left alone.
func TestLinked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "link")
	for range 2 {
		if !linked(name, "/proc/self/fd/9") {
			t.Error("no link")
		}
	}
	if linked(name, "/proc/self/fd/8") {
		t.Error("it leads elsewhere")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if linked(file, "/proc/self/fd/9") {
		t.Error("it is a file")
	}
	if linked(filepath.Join(dir, "nowhere", "link"), "/proc/self/fd/9") {
		t.Error("it cannot be made")
	}
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Lchown(name, 1, 1); err != nil {
		t.Skip(err)
	}
	if linked(name, "/proc/self/fd/9") {
		t.Error("it is somebody else's")
	}
}
