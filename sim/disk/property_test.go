package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/sim/disk"
)

// A script is operations on a tree with directories, links and faults, which errors do not stop.
func script(t *rapid.T) []func(*disk.Disk) {
	var ops []func(*disk.Disk)
	names := rapid.SampledFrom([]string{"a", "b", "d", "d/a", "d/b", "e", "e/a", "d/e"})
	for i := range rapid.IntRange(1, 12).Draw(t, "length") {
		a, b := names.Draw(t, "a"), names.Draw(t, "b")
		off, size := rapid.IntRange(0, 1200).Draw(t, "off"), rapid.IntRange(0, 700).Draw(t, "size")
		fill := strings.Repeat(string(rune('a'+i)), size)
		do := map[string]func(d *disk.Disk){
			"mkdir":    func(d *disk.Disk) { d.Mkdir(a, 0o755) },
			"rename":   func(d *disk.Disk) { d.Rename(a, b) },
			"link":     func(d *disk.Disk) { d.Link(a, b) },
			"remove":   func(d *disk.Disk) { d.Remove(a) },
			"chmod":    func(d *disk.Disk) { d.Chmod(a, 0o600) },
			"truncate": func(d *disk.Disk) { d.Truncate(a, int64(off)) },
			"put":      func(d *disk.Disk) { d.WriteFile(a, []byte(fill), 0o644) },
			"syncdir":  func(d *disk.Disk) { d.SyncDir(path.Dir(a)) },
			"sync":     func(d *disk.Disk) { d.SyncDir(a) }, // a sync of whatever it is
			"badsync": func(d *disk.Disk) {
				in, _ := d.Inject(disk.Fault{Kind: disk.Fail, On: disk.Sync})
				d.SyncDir(a)
				in.Heal()
			},
			"lose": func(d *disk.Disk) {
				in, _ := d.Inject(disk.Fault{Kind: disk.Lose})
				writeAt(d, a, fill, off)
				in.Heal()
			},
			"misdirect": func(d *disk.Disk) {
				in, _ := d.Inject(disk.Fault{Kind: disk.Misdirect})
				writeAt(d, a, fill, off)
				in.Heal()
			},
			"write": func(d *disk.Disk) { writeAt(d, a, fill, off) },
		}
		kinds := []string{"mkdir", "rename", "rename", "link", "remove", "chmod", "truncate", "put", "put", "write", "write", "write", "syncdir", "sync", "badsync", "lose", "misdirect"}
		kind := rapid.SampledFrom(kinds).Draw(t, "op")
		ops = append(ops, do[kind])
	}
	return ops
}

func writeAt(d *disk.Disk, name, text string, off int) {
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return
	}
	f.WriteAt([]byte(text), int64(off))
	f.Close()
}

func after(profile disk.Profile, ops []func(*disk.Disk)) *disk.Disk {
	d := disk.New(disk.Options{Profile: profile, Choose: func(int) int { return 0 }})
	for _, op := range ops {
		op(d)
	}
	return d
}

func prints(states []*disk.Disk) map[string]bool {
	all := map[string]bool{}
	for _, s := range states {
		all[s.Fingerprint()] = true
	}
	return all
}

// Whatever a crash decides is among the states; what decides nothing loses nothing; what keeps least is the last of
// them; a second crash changes nothing; and a crash leaves the disk consistent with itself.
func TestCrashIsAmongTheStates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom([]disk.Profile{disk.Posix, disk.Ext4Ordered, disk.Synced}).Draw(t, "profile")
		ops := script(t)
		states, complete := after(profile, ops).States(1000)
		if !complete {
			t.Skip("too many states")
		}
		all := prints(states)
		if len(all) != len(states) {
			t.Fatalf("%d states, %d of them different", len(states), len(all))
		}
		for seed := range uint64(20) {
			d := after(profile, ops)
			d.Crash(rand.New(rand.NewPCG(seed, 1)).IntN)
			if !all[d.Fingerprint()] {
				t.Fatalf("seed %d: a crash left what is none of the %d states", seed, len(states))
			}
			before := d.Fingerprint()
			if losses := d.Crash(nil); len(losses) > 0 || d.Fingerprint() != before {
				t.Fatalf("seed %d: a second crash lost %v", seed, losses)
			}
		}
		least := after(profile, ops)
		least.Crash(nil)
		if !all[least.Fingerprint()] {
			t.Fatal("what was synced alone is none of the states")
		}
	})
}

// Same decisions, same crash: the same bytes and the same losses, in the same order.
func TestCrashIsReplayed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		profile := rapid.SampledFrom([]disk.Profile{disk.Posix, disk.Ext4Ordered}).Draw(t, "profile")
		ops := script(t)
		run := func() string {
			d := after(profile, ops)
			r := rand.New(rand.NewPCG(7, 7))
			var asked []int
			losses := d.Crash(func(n int) int { asked = append(asked, n); return r.IntN(n) })
			return fmt.Sprint(asked, losses, d.Fingerprint())
		}
		want := run()
		for range 3 {
			if got := run(); got != want {
				t.Fatalf("got %s\nwant %s", got, want)
			}
		}
	})
}

// What ext4 may leave, the standard allows too.
func TestExt4IsPosix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ops := script(t)
		posix, complete := after(disk.Posix, ops).States(3000)
		ext4, complete2 := after(disk.Ext4Ordered, ops).States(3000)
		if !complete || !complete2 {
			t.Skip("too many states")
		}
		all := prints(posix)
		for _, s := range ext4 {
			if !all[s.Fingerprint()] {
				t.Fatalf("a state of ext4 is none of the standard's %d", len(posix))
			}
		}
	})
}

func list(d *disk.Disk) string {
	var names []string
	fs.WalkDir(d.FS(), ".", func(at string, _ fs.DirEntry, _ error) error {
		names = append(names, at)
		return nil
	})
	return strings.Join(names[1:], " ")
}

// A rename between directories is two changes for the standard, and one for ext4's journal.
func TestRenameBetweenDirectories(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile disk.Profile
		sync    string
		want    []string
	}{
		{disk.Posix, "", []string{"d d/f e", "d d/f e e/f", "d e", "d e e/f"}},
		{disk.Posix, "d", []string{"d e", "d e e/f"}},
		{disk.Posix, "e", []string{"d d/f e e/f", "d e e/f"}},
		{disk.Ext4Ordered, "", []string{"d d/f e", "d e e/f"}},
		{disk.Ext4Ordered, "d", []string{"d e e/f"}},
		{disk.Synced, "", []string{"d e e/f"}},
	} {
		d := disk.New(disk.Options{Profile: test.profile})
		must(t, d.Mkdir("d", 0o755), d.Mkdir("e", 0o755), d.WriteFile("d/f", nil, 0o644), d.SyncDir("d"), d.SyncDir("/"), d.Rename("d/f", "e/f"))
		if test.sync != "" {
			must(t, d.SyncDir(test.sync))
		}
		states, _ := d.States(100)
		var got []string
		for _, s := range states {
			got = append(got, list(s))
		}
		if slices.Sort(got); !slices.Equal(got, test.want) {
			t.Errorf("%v, %q synced: got %q, want %q", test.profile, test.sync, got, test.want)
		}
	}
}

// Half-kept renames of directories leave neither a loop nor a directory of two names.
func TestDirectoriesKeepOneName(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	must(t, d.Mkdir("a", 0o755), d.Mkdir("b", 0o755), d.SyncDir("/"), d.Rename("a", "b/a"), d.Rename("b/a", "a"), d.Rename("b", "a/b"))
	states, complete := d.States(1000)
	if !complete {
		t.Fatal("more than 1000 states")
	}
	for _, s := range states {
		names := strings.Fields(list(s))
		for _, dir := range []string{"a", "b"} {
			n := 0
			for _, name := range names {
				if path.Base(name) == dir {
					n++
				}
			}
			if n > 1 {
				t.Errorf("%s has %d names in %q", dir, n, names)
			}
		}
	}
}

func TestSectorsOf4K(t *testing.T) {
	t.Parallel()
	count := func(opts disk.Options) int {
		d := disk.New(opts)
		must(t, d.WriteFile("a", make([]byte, 4096), 0o644), d.SyncDir("/"), d.SyncDir("a"))
		f, err := d.OpenFile("a", os.O_RDWR, 0)
		must(t, err)
		_, err = f.Write([]byte(strings.Repeat("x", 4096)))
		must(t, err)
		states, _ := d.States(1 << 10)
		return len(states)
	}
	if got := count(disk.Options{}); got != 256 {
		t.Errorf("512: got %d states of eight sectors, want 256", got)
	}
	if got := count(disk.Options{Sector4K: true}); got != 2 {
		t.Errorf("4096: got %d states of one sector, want 2", got)
	}
}

// A limit is kept and said.
func TestStatesAreLimited(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	must(t, d.WriteFile("a", make([]byte, 1<<20), 0o644))
	states, complete := d.States(10)
	if len(states) != 10 || complete {
		t.Errorf("got %d states, all of them: %v; want 10 of more", len(states), complete)
	}
	if states, complete = disk.New(disk.Options{}).States(1); len(states) != 1 || !complete {
		t.Errorf("an empty disk: got %d states, all of them: %v", len(states), complete)
	}
}

// What is never synced goes to the disk by and by, and costs no more memory than the limit.
func TestMuchThatIsNotSynced(t *testing.T) {
	t.Parallel()
	for _, profile := range []disk.Profile{disk.Posix, disk.Ext4Ordered} {
		d := disk.New(disk.Options{Profile: profile})
		f := create(t, d, "a")
		must(t, d.SyncDir("/"))
		block := []byte(strings.Repeat("x", 1<<20))
		for range 40 {
			if _, err := f.Write(block); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 70000 {
			must(t, d.Mkdir(fmt.Sprint(i), 0o755))
		}
		d.Crash(nil)
		info, err := d.Stat("a")
		must(t, err)
		if got := info.Size() >> 20; got < 24 || got > 40 {
			t.Errorf("%v: %d MiB of 40 are durable, want all but the last 16", profile, got)
		}
		if _, err := d.Stat("0"); err != nil {
			t.Errorf("%v: the first directory: %v", profile, err)
		}
		if _, err := d.Stat("69999"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: the last directory: got %v, want it lost", profile, err)
		}
	}
}

func TestTemporaryNamesAreCounted(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	must(t, d.MkdirAll("/tmp/x", 0o755))
	a, err := d.CreateTemp("", "a*.db")
	must(t, err)
	b, err := d.MkdirTemp("/tmp/x", "b")
	must(t, err)
	if a.Name() != "/tmp/a1.db" || b != "/tmp/x/b2" {
		t.Errorf("got %s and %s", a.Name(), b)
	}
}
