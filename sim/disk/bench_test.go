package disk_test

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/assay-dev/assay/sim/disk"
)

// Each benchmark runs on the machine's files, for which TMPDIR should name a tmpfs, and on a disk of each profile.
func eachSystem(b *testing.B, run func(*testing.B, system)) {
	b.Run("os", func(b *testing.B) { cpu(b, func() { run(b, real(b.TempDir())) }) })
	for _, profile := range []disk.Profile{disk.Posix, disk.Ext4Ordered, disk.Synced} {
		b.Run(profile.String(), func(b *testing.B) {
			cpu(b, func() { run(b, simulated(disk.New(disk.Options{Profile: profile}))) })
		})
	}
}

// cpu reports the processor time of an operation, since the wall's says little on a machine that is busy.
func cpu(b *testing.B, run func()) {
	before := spent()
	run()
	b.ReportMetric(float64(spent()-before)/float64(b.N), "cpu-ns/op")
}

func spent() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func opened(b *testing.B, s system) handle {
	f, err := s.open("file", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

// Records appended to a log and synced one by one, up to 64 MiB.
func BenchmarkAppendSync(b *testing.B) {
	record := make([]byte, 128)
	eachSystem(b, func(b *testing.B, s system) {
		f := opened(b, s)
		b.ReportAllocs()
		for i := range b.N {
			if i%(64<<20/len(record)) == 0 {
				f.Truncate(0)
				f.Seek(0, 0)
			}
			f.Write(record)
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	record := make([]byte, 128)
	eachSystem(b, func(b *testing.B, s system) {
		f := opened(b, s)
		b.ReportAllocs()
		for i := range b.N {
			if i%(64<<20/len(record)) == 0 {
				f.Truncate(0)
				f.Seek(0, 0)
			}
			if _, err := f.Write(record); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Pages written in place in a file of so many MiB, with a sync after each eighth: no slower in a large file.
func BenchmarkPages(b *testing.B) {
	block := make([]byte, 4096)
	for _, mib := range []int64{1, 256} {
		b.Run(fmt.Sprint(mib, "MiB"), func(b *testing.B) {
			eachSystem(b, func(b *testing.B, s system) {
				f := opened(b, s)
				for off := int64(0); off < mib<<20; off += 4096 {
					f.WriteAt(block, off)
				}
				f.Sync()
				b.SetBytes(4096)
				b.ResetTimer()
				for i := range b.N {
					f.WriteAt(block, int64(i)*7919%(mib<<8)*4096)
					if i%8 == 7 {
						f.Sync()
					}
				}
			})
		})
	}
}

func BenchmarkReadPage(b *testing.B) {
	block := make([]byte, 4096)
	eachSystem(b, func(b *testing.B, s system) {
		f := opened(b, s)
		for off := int64(0); off < 64<<20; off += 4096 {
			f.WriteAt(block, off)
		}
		b.SetBytes(4096)
		b.ResetTimer()
		for i := range b.N {
			f.ReadAt(block, int64(i)*7919%(64<<8)*4096)
		}
	})
}

// A file made, written, renamed and removed.
func BenchmarkFiles(b *testing.B) {
	eachSystem(b, func(b *testing.B, s system) {
		for i := range b.N {
			a := fmt.Sprint("f", i%1000)
			if s.writeFile(a, []byte("text"), 0o644) != nil || s.rename(a, a+"x") != nil || s.remove(a+"x") != nil {
				b.Fatal("failed")
			}
		}
	})
}

// A crash of a disk with 1,000 files of 16 KiB, 100 of them with a page that was not synced.
func BenchmarkCrash(b *testing.B) {
	d := disk.New(disk.Options{})
	for i := range 1000 {
		d.WriteFile(fmt.Sprint(i), make([]byte, 16<<10), fs.FileMode(0o644))
		d.SyncDir(fmt.Sprint(i))
	}
	d.SyncDir("/")
	for b.Loop() {
		for i := range 100 {
			f, _ := d.OpenFile(fmt.Sprint(i), os.O_RDWR, 0)
			f.WriteAt(make([]byte, 4096), 4096)
		}
		d.Crash(func(n int) int { return n / 2 })
	}
}
