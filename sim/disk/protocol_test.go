package disk_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim/disk"
)

// A protocol is a way of programs to write files, what holds after any crash, and where it does not hold.
type protocol struct {
	name string
	// prepare is done and made durable before; run may be cut by a crash at any point.
	prepare, run func(*disk.Disk, *acked) error
	holds        func(*disk.Disk, acked) string // "" or what is wrong
	broken       []disk.Profile                 // a crash breaks it here
}

// acked is what was promised to a user when the crash came.
type acked struct{ records, saved int }

const (
	oldConfig = "the old configuration"
	newConfig = "the new configuration, which is longer"
)

func put(d *disk.Disk, name, text string, sync bool) error {
	f, err := d.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if sync {
		err = errors.Join(err, f.Sync())
	}
	return errors.Join(err, f.Close())
}

func old(d *disk.Disk, _ *acked) error {
	return errors.Join(put(d, "config", oldConfig, true), d.SyncDir("/"))
}

// oldOrNew says that a configuration is one of the two, and the new one once it was promised.
func oldOrNew(d *disk.Disk, a acked) string {
	b, err := d.ReadFile("config")
	switch {
	case err != nil:
		return err.Error()
	case string(b) == newConfig, string(b) == oldConfig && a.saved == 0:
		return ""
	}
	return "config is " + string(b)
}

func replace(syncFile, syncDir bool) func(*disk.Disk, *acked) error {
	return func(d *disk.Disk, a *acked) error {
		if err := errors.Join(put(d, "config.tmp", newConfig, syncFile), d.Rename("config.tmp", "config")); err != nil {
			return err
		}
		if syncDir {
			if err := d.SyncDir("/"); err != nil {
				return err
			}
		}
		a.saved++
		return nil
	}
}

// A log has records of a length, a sum and bytes.
func record(i int) []byte {
	b := bytes.Repeat([]byte{byte('a' + i)}, 500)
	head := binary.BigEndian.AppendUint32(nil, uint32(len(b)))
	return append(binary.BigEndian.AppendUint32(head, crc32.ChecksumIEEE(b)), b...)
}

func emptyLog(d *disk.Disk, _ *acked) error {
	return errors.Join(put(d, "log", "", true), d.SyncDir("/"))
}

func appendLog(sync bool) func(*disk.Disk, *acked) error {
	return func(d *disk.Disk, a *acked) error {
		f, err := d.OpenFile("log", os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		for i := range 3 {
			if _, err := f.Write(record(i)); err != nil {
				return err
			}
			if sync {
				if err := f.Sync(); err != nil {
					return err
				}
			}
			a.records++
		}
		return f.Close()
	}
}

// recovered returns the records of a log. sums says whether a bad record ends it.
func recovered(d *disk.Disk, a acked, sums bool) string {
	b, err := d.ReadFile("log")
	if err != nil {
		return err.Error()
	}
	n := 0
	for ; len(b) >= 8; n++ {
		size, sum := int(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])
		if size == 0 || len(b) < 8+size || sums && crc32.ChecksumIEEE(b[8:8+size]) != sum {
			break
		}
		if !bytes.Equal(b[:8+size], record(n)) {
			return "a record of other bytes was believed"
		}
		b = b[8+size:]
	}
	if n < a.records {
		return "a promised record is gone"
	}
	return ""
}

func withSums(d *disk.Disk, a acked) string    { return recovered(d, a, true) }
func withoutSums(d *disk.Disk, a acked) string { return recovered(d, a, false) }

// inPlace writes over a file that is longer than a sector.
func long(d *disk.Disk, _ *acked) error {
	return errors.Join(put(d, "config", strings.Repeat("o", 1024), true), d.SyncDir("/"))
}

func inPlace(d *disk.Disk, _ *acked) error {
	f, err := d.OpenFile("config", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(bytes.Repeat([]byte("n"), 1024), 0)
	return errors.Join(err, f.Sync(), f.Close())
}

func oneValue(d *disk.Disk, _ acked) string {
	b, err := d.ReadFile("config")
	if err != nil {
		return err.Error()
	}
	if len(b) != 1024 || bytes.Count(b, b[:1]) != 1024 {
		return "half old, half new"
	}
	return ""
}

// forgiving runs on when a sync fails, and tries it again.
func forgiving(d *disk.Disk, a *acked) error {
	f, err := d.OpenFile("log", os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write(record(0)); err != nil {
		return err
	}
	if f.Sync() != nil {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	a.records++
	return f.Close()
}

func failingSync(run func(*disk.Disk, *acked) error) func(*disk.Disk, *acked) error {
	return func(d *disk.Disk, a *acked) error {
		in, err := d.Inject(disk.Fault{Kind: disk.Fail, On: disk.Sync, Path: "log", Times: 1})
		if err != nil {
			return err
		}
		defer in.Heal()
		return run(d, a)
	}
}

func protocols() []protocol {
	posix, both, none := []disk.Profile{disk.Posix}, []disk.Profile{disk.Posix, disk.Ext4Ordered}, []disk.Profile(nil)
	return []protocol{
		{"replace, all synced", old, replace(true, true), oldOrNew, none},
		{"replace without a sync of the file", old, replace(false, true), oldOrNew, posix},
		{"replace without a sync of the directory", old, replace(true, false), oldOrNew, both},
		{"log with sums, synced", emptyLog, appendLog(true), withSums, none},
		{"log with sums, not synced", emptyLog, appendLog(false), withSums, both},
		{"log without sums, synced", emptyLog, appendLog(true), withoutSums, posix},
		{"overwrite in place", long, inPlace, oneValue, both},
		{"a failed sync tried again", emptyLog, failingSync(forgiving), withSums, both},
		{"a failed sync is the end", emptyLog, failingSync(appendLog(true)), withSums, none},
	}
}

// Programs that are known to be wrong are found wrong in some state, and programs that are right hold in every state of
// a crash after every operation.
func TestProtocols(t *testing.T) {
	t.Parallel()
	for _, p := range protocols() {
		for _, profile := range []disk.Profile{disk.Posix, disk.Ext4Ordered, disk.Synced} {
			t.Run(p.name+"/"+profile.String(), func(t *testing.T) {
				t.Parallel()
				want := false
				for _, b := range p.broken {
					want = want || b == profile
				}
				if wrong := explore(t, p, profile); (wrong != "") != want {
					t.Errorf("got %q, want it broken: %v", wrong, want)
				}
				if wrong := random(t, p, profile); (wrong != "") != want {
					t.Errorf("at random: got %q, want it broken: %v", wrong, want)
				}
			})
		}
	}
}

// began lets before run whenever an operation begins, with the disk unlocked.
func began(t *testing.T, p protocol, profile disk.Profile, a *acked, before func(*disk.Disk)) *disk.Disk {
	t.Helper()
	var d *disk.Disk
	d = disk.New(disk.Options{Profile: profile, Sleep: func(time.Duration) { before(d) }})
	if err := p.prepare(d, a); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Inject(disk.Fault{Kind: disk.Slow, Delay: 1}); err != nil {
		t.Fatal(err)
	}
	return d
}

// explore crashes before each operation and after the last, into each state, and returns the first thing that is wrong.
func explore(t *testing.T, p protocol, profile disk.Profile) string {
	t.Helper()
	var a acked
	wrong := ""
	check := func(d *disk.Disk) {
		states, complete := d.States(5000)
		if !complete {
			t.Error("more than 5000 states")
		}
		for _, s := range states {
			if wrong == "" {
				wrong = p.holds(s, a)
			}
		}
	}
	d := began(t, p, profile, &a, check)
	if err := p.run(d, &a); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	check(d)
	return wrong
}

// random crashes at some operation, into some state.
func random(t *testing.T, p protocol, profile disk.Profile) string {
	t.Helper()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 0))
		left := r.IntN(12)
		var a acked
		d := began(t, p, profile, &a, func(d *disk.Disk) {
			if left--; left < 0 {
				d.Halt()
			}
		})
		if err := p.run(d, &a); err != nil && !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		d.Crash(r.IntN)
		left = 1 << 30
		if wrong := p.holds(d, a); wrong != "" {
			return wrong
		}
	}
	return ""
}

// A file that was renamed without a sync has no bytes after a crash, though the name is there.
func TestZeroLengthAfterRename(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	if err := errors.Join(old(d, nil), put(d, "config.tmp", newConfig, false), d.Rename("config.tmp", "config"), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	losses := d.Crash(nil)
	b, err := d.ReadFile("config")
	if err != nil || len(b) != 0 {
		t.Errorf("got %q, %v, want an empty file", b, err)
	}
	if len(losses) != 1 || losses[0].String() != "config: 0 bytes long, was 38" {
		t.Errorf("losses: got %v", losses)
	}
	if _, err := d.Stat("config.tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("config.tmp: got %v, want it gone", err)
	}
}
