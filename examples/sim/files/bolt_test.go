package files

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/sim/disk"
)

// An unmodified bbolt keeps over crashes at any moment all that it said was committed, in a database that is whole.
// FILES_DEFECT=no-sync lets it commit without a sync.
func TestBolt(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Disks(sim.DiskOptions{Profile: disk.Ext4Ordered}) // bbolt does not sync the directory of a new database
		h := s.Host("h")
		h.Disk().Mount("/data")
		var committed atomic.Uint64
		h.Boot(func() {
			if err := fill(&committed); err != nil {
				t.Errorf("%v", err)
			}
		})
		for range 10 {
			time.Sleep(time.Duration(s.Choose(60)) * time.Millisecond)
			h.Restart()
		}
		time.Sleep(100 * time.Millisecond)
		sim.Sometimes(committed.Load() > 20, "more than twenty were committed")
	})
}

// fill looks whether all is there that was committed, and commits more numbers, for ever.
func fill(committed *atomic.Uint64) error {
	db, err := bbolt.Open("/data/db", 0o600, &bbolt.Options{Timeout: time.Second, NoSync: os.Getenv("FILES_DEFECT") == "no-sync"})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	next, err := check(db, committed.Load())
	if err != nil {
		return err
	}
	for ; ; next++ {
		err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("numbers"))
			if err != nil {
				return err
			}
			return b.Put(binary.BigEndian.AppendUint64(nil, next), make([]byte, 300))
		})
		if err != nil {
			return fmt.Errorf("commit %d: %w", next, err)
		}
		committed.Store(next)
		time.Sleep(time.Millisecond) // or it would never end where commits take no time
	}
}

// check returns the first number that is not there.
func check(db *bbolt.DB, committed uint64) (next uint64, err error) {
	next = 1
	err = db.View(func(tx *bbolt.Tx) error {
		var broken []error
		for err := range tx.Check() {
			broken = append(broken, err)
		}
		sim.Always(len(broken) == 0, "the database is whole", errors.Join(broken...))
		b := tx.Bucket([]byte("numbers"))
		for b != nil && b.Get(binary.BigEndian.AppendUint64(nil, next)) != nil {
			next++
		}
		return nil
	})
	sim.Always(next > committed, "what was committed is kept", "number ", next, " is gone, ", committed, " were committed")
	return next, err
}
