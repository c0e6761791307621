package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim/disk"
)

// always chooses the same, or what comes nearest.
func always(i int) func(int) int {
	return func(n int) int { return min(i, n-1) }
}

func inject(t *testing.T, d *disk.Disk, f disk.Fault) *disk.Injected {
	t.Helper()
	in, err := d.Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func create(t *testing.T, d *disk.Disk, name string) *disk.File {
	t.Helper()
	f, err := d.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, d *disk.Disk, name, want string) {
	t.Helper()
	if b, err := d.ReadFile(name); err != nil || string(b) != want {
		t.Errorf("%s: got %q, %v, want %q", name, b, err, want)
	}
}

func TestFailStrikesWhatItSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault  disk.Fault
		do     func(*disk.Disk) error
		struck bool
	}{
		{disk.Fault{Kind: disk.Fail, On: disk.Mkdir}, func(d *disk.Disk) error { return d.Mkdir("d", 0o755) }, true},
		{disk.Fault{Kind: disk.Fail, On: disk.Mkdir, Path: "wal/**"}, func(d *disk.Disk) error { return d.Mkdir("d", 0o755) }, false},
		{disk.Fault{Kind: disk.Fail, On: disk.Remove}, func(d *disk.Disk) error { return d.Mkdir("d", 0o755) }, false},
		{disk.Fault{Kind: disk.Fail, Path: "wal/**"}, func(d *disk.Disk) error { return d.Rename("wal/0.log", "x") }, true},
		{disk.Fault{Kind: disk.Fail, Path: "*.log"}, func(d *disk.Disk) error { return d.Remove("/wal/0.log") }, true},
		{disk.Fault{Kind: disk.Fail, Path: "/wal/?.log"}, func(d *disk.Disk) error { return d.Chmod("wal/0.log", 0o600) }, true},
		{disk.Fault{Kind: disk.Fail, Path: "*/1.log"}, func(d *disk.Disk) error { return d.Link("wal/0.log", "y") }, false},
		{disk.Fault{Kind: disk.Fail, On: disk.List}, func(d *disk.Disk) error { _, err := d.ReadDir("wal"); return err }, true},
		{disk.Fault{Kind: disk.Fail, On: disk.Stat}, func(d *disk.Disk) error { _, err := d.Stat("wal"); return err }, true},
		{disk.Fault{Kind: disk.Fail, On: disk.Open}, func(d *disk.Disk) error { _, err := d.Open("wal"); return err }, true},
		{disk.Fault{Kind: disk.Fail, On: disk.Truncate}, func(d *disk.Disk) error { return d.Truncate("wal/0.log", 1) }, true},
		{disk.Fault{Kind: disk.Fail, On: disk.Read, Nth: 2}, func(d *disk.Disk) error { _, err := d.ReadFile("wal/0.log"); return err }, true},
		{disk.Fault{Kind: disk.Fail, On: disk.Read, Nth: 3}, func(d *disk.Disk) error { _, err := d.ReadFile("wal/0.log"); return err }, false},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			t.Parallel()
			d := disk.New(disk.Options{})
			must(t, d.Mkdir("wal", 0o755), d.WriteFile("wal/0.log", []byte("x"), 0o644))
			in := inject(t, d, test.fault)
			err := test.do(d)
			if got := errors.Is(err, syscall.EIO); got != test.struck || got != (in.Struck() == 1) {
				t.Errorf("got %v and %d strikes, want it struck: %v", err, in.Struck(), test.struck)
			}
			in.Heal()
			if err := test.do(d); errors.Is(err, syscall.EIO) {
				t.Errorf("healed: %v", err)
			}
		})
	}
}

func TestFaultsPrint(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]disk.Fault{
		"fail(sync wal/**, EIO, nth=3)":       {Kind: disk.Fail, On: disk.Sync, Path: "wal/**", Nth: 3},
		"fail(any *, ENOSPC)":                 {Kind: disk.Fail, Errno: syscall.ENOSPC},
		"full(write *, 8192 bytes)":           {Kind: disk.Full, Bytes: 8192},
		"slow(read|write *, 50ms, one_in=10)": {Kind: disk.Slow, On: disk.Read | disk.Write, Delay: 50 * time.Millisecond, OneIn: 10},
		"misdirect(write db, times=1)":        {Kind: disk.Misdirect, Path: "db", Times: 1},
	} {
		if got := f.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	for want, f := range map[string]disk.Fault{
		"no kind":                      {},
		"cannot strike":                {Kind: disk.Flip, On: disk.Write},
		"Options.Choose":               {Kind: disk.Short},
		"give the disk Options.Choose": {Kind: disk.Fail, OneIn: 2},
		"Options.Sleep":                {Kind: disk.Slow, Delay: 1},
		"negative":                     {Kind: disk.Fail, Nth: -1},
		"exclude":                      {Kind: disk.Fail, Nth: 1, OneIn: 2},
		"syntax error":                 {Kind: disk.Fail, Path: "["},
	} {
		if _, err := d.Inject(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q in it", f, err, want)
		}
	}
	if _, err := disk.New(disk.Options{Sleep: time.Sleep}).Inject(disk.Fault{Kind: disk.Slow}); err == nil {
		t.Error("slow without a delay was taken")
	}
}

func TestOneInIsChosen(t *testing.T) {
	t.Parallel()
	var asked []int
	d := disk.New(disk.Options{Choose: func(n int) int { asked = append(asked, n); return len(asked) % n }})
	in := inject(t, d, disk.Fault{Kind: disk.Fail, On: disk.Mkdir, OneIn: 3})
	for i := range 9 {
		_ = d.Mkdir(fmt.Sprint(i), 0o755) // some fail
	}
	if in.Struck() != 3 || in.Seen() != 9 || len(asked) != 9 || asked[0] != 3 {
		t.Errorf("struck %d of %d, asked %v; want 3 of 9, asked 9 times among 3", in.Struck(), in.Seen(), asked)
	}
}

// A full disk takes what fits, and has room again when something goes.
func TestFull(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	must(t, d.WriteFile("old", make([]byte, 4096), 0o644))
	in := inject(t, d, disk.Fault{Kind: disk.Full, Bytes: 3 * 4096})
	f := create(t, d, "new")
	if n, err := f.Write(make([]byte, 9000)); n != 8192 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %d, %v, want 8192 and ENOSPC", n, err)
	}
	if n, err := f.WriteAt([]byte("over"), 100); n != 4 || err != nil {
		t.Errorf("in place: got %d, %v, want it written", n, err)
	}
	if n, err := f.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %d, %v, want 0 and ENOSPC", n, err)
	}
	held, err := d.Open("old")
	must(t, err, d.Remove("old"))
	if _, err := f.Write([]byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("removed but open: got %v, want ENOSPC", err)
	}
	must(t, held.Close())
	if n, err := f.Write([]byte("x")); n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1", n, err)
	}
	if in.Struck() != 3 {
		t.Errorf("struck %d times, want 3", in.Struck())
	}
	d.Crash(nil) // nothing was synced, so all has room
	if err := d.WriteFile("all", make([]byte, 3*4096), 0o644); err != nil {
		t.Error("after the crash:", err)
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{Choose: always(2)})
	f := create(t, d, "a")
	in := inject(t, d, disk.Fault{Kind: disk.Short, Times: 1})
	if n, err := f.Write([]byte("12345")); n != 2 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %d, %v, want 2 and a short write", n, err)
	}
	if n, err := f.Write([]byte("345")); n != 3 || err != nil || in.Struck() != 1 {
		t.Errorf("got %d, %v after %d strikes", n, err, in.Struck())
	}
	holds(t, d, "a", "12345")
}

func TestFlip(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{Choose: always(9)})
	must(t, d.WriteFile("a", []byte("aaa"), 0o644))
	inject(t, d, disk.Fault{Kind: disk.Flip, Nth: 1})
	holds(t, d, "a", "aca")
	holds(t, d, "a", "aaa")
}

// A lost write can be read, was synced without an error, and is gone.
func TestLose(t *testing.T) {
	t.Parallel()
	for _, profile := range []disk.Profile{disk.Posix, disk.Ext4Ordered, disk.Synced} {
		d := disk.New(disk.Options{Profile: profile})
		f := create(t, d, "a")
		_, err := f.WriteString("first")
		must(t, err, f.Sync(), d.SyncDir("/"))
		in := inject(t, d, disk.Fault{Kind: disk.Lose, Times: 1})
		_, err = f.WriteAt([]byte("SECOND"), 0)
		must(t, err, f.Sync())
		holds(t, d, "a", "SECOND")
		losses := d.Crash(always(0))
		holds(t, d, "a", "first\x00") // the size is the journal's
		if in.Struck() != 1 || len(losses) != 1 || losses[0].String() != "a: 1 pages had never reached the disk" {
			t.Errorf("%v: struck %d times, losses %v", profile, in.Struck(), losses)
		}
	}
}

// The next write of the page takes what was lost along, as a page is written whole.
func TestLostBytesComeBackWithTheirPage(t *testing.T) {
	t.Parallel()
	for _, profile := range []disk.Profile{disk.Synced, disk.Posix} {
		d := disk.New(disk.Options{Profile: profile})
		must(t, d.WriteFile("a", bytes.Repeat([]byte("."), 10000), 0o644), d.SyncDir("a"), d.SyncDir("/"))
		inject(t, d, disk.Fault{Kind: disk.Lose, Times: 2})
		f, err := d.OpenFile("a", os.O_RDWR, 0)
		must(t, err)
		for _, off := range []int64{10, 5000, 20} {
			_, err := f.WriteAt([]byte("x"), off)
			must(t, err)
		}
		losses := d.Crash(always(0))
		b, err := d.ReadFile("a")
		must(t, err)
		if string(b[9:22]) != ".x.........x." || b[5000] != '.' {
			t.Errorf("%v: got %q and %q at 5000, want both of the first page and none of the second", profile, b[9:22], b[5000])
		}
		if len(losses) != 1 || losses[0].What != "1 pages had never reached the disk" {
			t.Errorf("%v: losses %v", profile, losses)
		}
	}
}

func TestMisdirect(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{Choose: always(1)})
	f := create(t, d, "a")
	_, err := f.Write(bytes.Repeat([]byte("."), 3*512))
	must(t, err, f.Sync(), d.SyncDir("/"))
	in := inject(t, d, disk.Fault{Kind: disk.Misdirect, Times: 1})
	_, err = f.WriteAt([]byte("x"), 513)
	must(t, err, f.Sync())
	b, err := d.ReadFile("a")
	must(t, err)
	if b[513] != 'x' || bytes.Count(b, []byte("x")) != 1 {
		t.Error("what was written cannot be read")
	}
	d.Evict()
	b, err = d.ReadFile("a")
	must(t, err)
	if at := bytes.IndexByte(b, 'x'); at != 1025 || in.Struck() != 1 {
		t.Errorf("got it at %d, want it in the third sector, at 1025", at)
	}
	before := d.Fingerprint()
	if d.Crash(nil); d.Fingerprint() != before {
		t.Error("a crash finds other bytes than a read without the cache")
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	var slept time.Duration
	d := disk.New(disk.Options{Sleep: func(by time.Duration) { slept += by }})
	in := inject(t, d, disk.Fault{Kind: disk.Slow, On: disk.Mkdir, Delay: time.Second})
	must(t, d.Mkdir("a", 0o755), d.Mkdir("b", 0o755), d.Remove("a"))
	if slept != 2*time.Second || in.Struck() != 2 {
		t.Errorf("slept %v in %d strikes, want 2s in 2", slept, in.Struck())
	}
}

// After a failed sync the bytes are read, never written, and the next sync says nothing: but another handle, open
// at the time, is told once.
func TestFailedSyncGivesUpItsBytes(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{Profile: disk.Ext4Ordered})
	f, other := create(t, d, "a"), create(t, d, "a")
	_, err := f.WriteString("kept")
	must(t, err, f.Sync())
	inject(t, d, disk.Fault{Kind: disk.Fail, On: disk.Sync, Nth: 1})
	_, err = f.WriteString(" lost")
	must(t, err)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v, want EIO", err)
	}
	late, err := d.Open("a")
	must(t, err, f.Sync(), late.Sync())
	if err := other.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("a handle open at the time: got %v, want EIO once", err)
	}
	must(t, other.Sync())
	holds(t, d, "a", "kept lost")
	d.Evict()
	holds(t, d, "a", "kept\x00\x00\x00\x00\x00")
	d.Crash(nil)
	holds(t, d, "a", "kept\x00\x00\x00\x00\x00")
}

func TestOSync(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	f, err := d.OpenFile("a", os.O_RDWR|os.O_CREATE|os.O_SYNC, 0o644)
	must(t, err, d.SyncDir("/"))
	_, err = f.WriteString("durable")
	must(t, err)
	inject(t, d, disk.Fault{Kind: disk.Fail, On: disk.Sync})
	if _, err := f.WriteString(" no more"); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want EIO", err)
	}
	d.Crash(nil)
	holds(t, d, "a", "durable")
}

func TestHandlesEndWithTheirBoot(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{Profile: disk.Synced})
	f := create(t, d, "a")
	must(t, f.Lock(true))
	d.Halt()
	if err := d.Remove("a"); !errors.Is(err, syscall.EIO) {
		t.Errorf("without power: got %v, want EIO", err)
	}
	d.Crash(nil)
	_, err := f.WriteString("x")
	for what, err := range map[string]error{"write": err, "sync": f.Sync(), "close": f.Close(), "lock": f.Lock(false)} {
		if !errors.Is(err, syscall.EIO) && !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s after the crash: got %v, want EIO", what, err)
		}
	}
	holds(t, d, "a", "")
	g, err := d.Open("a")
	must(t, err, g.TryLock(true))
}

func TestLocks(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	a, b := create(t, d, "l"), create(t, d, "l")
	must(t, a.TryLock(false), b.TryLock(false))
	if err := a.TryLock(true); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("shared by two: got %v, want EWOULDBLOCK", err)
	}
	must(t, b.Unlock(), b.Unlock(), a.TryLock(true))
	if err := b.TryLock(false); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("held: got %v, want EWOULDBLOCK", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Lock(true); err != nil {
			t.Error("waiting:", err)
		}
	})
	must(t, a.Close())
	wg.Wait()
	c := create(t, d, "l")
	waited := make(chan error)
	go func() { waited <- c.Lock(true) }()
	d.Crash(nil)
	if err := <-waited; !errors.Is(err, syscall.EIO) {
		t.Errorf("waiting in a crash: got %v, want EIO", err)
	}
}

// Many goroutines at once: for the race detector.
func TestParallel(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{Profile: disk.Ext4Ordered})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprint(i)
			f, err := d.Create(name)
			if err != nil {
				t.Error(err)
				return
			}
			for j := range 50 {
				_, err1 := f.Write(make([]byte, 100*j))
				_, err2 := d.ReadFile(name)
				if err := errors.Join(err1, err2, d.Rename(name, name+"x"), d.Rename(name+"x", name)); err != nil {
					t.Error(err)
				}
				if j%10 == 0 {
					states, _ := d.States(3)
					for _, s := range states {
						wg.Go(func() { s.WriteFile("new", make([]byte, 5000), 0o644) })
					}
					if err := f.Sync(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}
