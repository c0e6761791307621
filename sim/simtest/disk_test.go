package simtest

import (
	"encoding/binary"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/sim/disk"
)

// A log that is synced before it is acknowledged keeps over crashes all that it acknowledged, in order, whatever else they take.
func TestDisk(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("h")
		d := h.Disk()
		if err := errors.Join(d.WriteFile("log", nil, 0o666), d.SyncDir("/")); err != nil {
			t.Fatal(err)
		}
		acked := uint32(0)
		h.Boot(func() {
			if err := appendNumbers(d, &acked); err != nil {
				t.Errorf("append: %v", err)
			}
		})
		for range 20 {
			time.Sleep(time.Duration(s.Choose(20)) * time.Millisecond)
			h.Crash()
			if _, err := d.ReadFile("log"); !errors.Is(err, syscall.EIO) {
				t.Errorf("the disk of a host that is down: %v, want EIO", err)
			}
			before := acked
			h.Restart()
			kept := readNumbers(t, d)
			sim.Always(kept >= before, "what was acknowledged is kept", kept, " of ", before)
			sim.Sometimes(kept > before, "more is kept than was acknowledged")
		}
		sim.Sometimes(acked > 20, "some was acknowledged")
	})
}

func appendNumbers(d *sim.Disk, acked *uint32) error {
	f, err := d.OpenFile("log", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	var b [4]byte
	for off := int64(0); ; off += 4 {
		if n, _ := f.ReadAt(b[:], off); n == 4 && binary.LittleEndian.Uint32(b[:]) == uint32(off/4+1) {
			continue
		}
		binary.LittleEndian.PutUint32(b[:], uint32(off/4+1))
		if _, err := f.WriteAt(b[:], off); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		*acked = max(*acked, uint32(off/4+1))
	}
}

// readNumbers is how many numbers in order the log begins with.
func readNumbers(t *testing.T, d *sim.Disk) uint32 {
	b, err := d.ReadFile("log")
	if err != nil {
		t.Error(err)
	}
	n := uint32(0)
	for len(b) >= 4 && binary.LittleEndian.Uint32(b) == n+1 {
		n, b = n+1, b[4:]
	}
	return n
}

// Faults strike until they are healed, take simulated time where they are slow, and are their host's alone.
func TestDiskFaults(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Disks(sim.DiskOptions{Profile: disk.Ext4Ordered, Sync: -1})
		d, other := s.Host("h").Disk(), s.Host("other").Disk()
		write := func(d *sim.Disk) error { return d.WriteFile("file", make([]byte, 8192), 0o666) }
		for _, tt := range []struct {
			name   string
			inject func() func()
			want   error
		}{
			{"fail", func() func() { return d.Fail(disk.Write, "file") }, syscall.EIO},
			{"quota", func() func() { return d.Quota(4096) }, syscall.ENOSPC},
		} {
			heal := tt.inject()
			if err := write(d); !errors.Is(err, tt.want) {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
			}
			if err := write(other); err != nil {
				t.Errorf("%s: the other host's disk: %v", tt.name, err)
			}
			heal()
			if err := write(d); err != nil {
				t.Errorf("%s, healed: %v", tt.name, err)
			}
		}
		heal, began := d.Slow(10*time.Millisecond), s.Now()
		if err := write(d); err != nil { // open, write
			t.Error(err)
		}
		heal()
		if took := s.Now() - began; took != 20*time.Millisecond {
			t.Errorf("slow: it took %v, want 20ms", took)
		}
	})
}
