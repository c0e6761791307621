package disk_test

import (
	"os"
	"testing"

	"github.com/assay-dev/assay/sim/disk"
)

// A watcher always has what processes read, until its handle is closed.
func TestWatch(t *testing.T) {
	d := disk.New(disk.Options{})
	if err := d.WriteFile("file", make([]byte, 5000), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := d.OpenFile("file", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var seen []byte
	if err := f.Watch(func(b []byte, off, size int64) {
		seen = append(seen, make([]byte, max(0, size-int64(len(seen))))...)[:size]
		copy(seen[off:], b)
	}); err != nil {
		t.Fatal(err)
	}
	same := func(when string) {
		t.Helper()
		if want, err := d.ReadFile("file"); err != nil || string(seen) != string(want) {
			t.Errorf("%s: the watcher has %d bytes, the file %d, and they differ (%v)", when, len(seen), len(want), err)
		}
	}
	same("at first")
	if _, err := f.WriteAt([]byte("later"), 4998); err != nil {
		t.Error(err)
	}
	same("after a write")
	if err := d.Truncate("file", 100); err != nil {
		t.Error(err)
	}
	same("after a truncation")
	in, err := d.Inject(disk.Fault{Kind: disk.Lose})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("lost"), 0); err != nil {
		t.Error(err)
	}
	in.Heal()
	same("after a lost write")
	d.Evict()
	same("after an eviction")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := d.WriteFile("file", []byte("unseen"), 0o666); err != nil {
		t.Error(err)
	}
	if len(seen) != 100 {
		t.Errorf("a closed handle was told: %d bytes, want 100", len(seen))
	}
}

// What was settled is there after any crash, and nothing is settled that came later.
func TestSettle(t *testing.T) {
	d := disk.New(disk.Options{})
	if err := d.MkdirAll("a/b", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFile("a/b/file", []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	if err := d.WriteFile("a/later", []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if lost := d.Crash(nil); len(lost) != 1 {
		t.Errorf("lost %v, want a/later alone", lost)
	}
	if got, err := d.ReadFile("a/b/file"); err != nil || string(got) != "text" {
		t.Errorf("got %q, %v", got, err)
	}
}
