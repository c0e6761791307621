package register

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// WriteBehind leaves out that what a node promises is on its disk: it has entries in memory when it says that it keeps them,
// and writes them later, many at once.
const WriteBehind Defect = "write-behind"

const port = ":8300"

// Durable starts a node that keeps its log and its votes in a directory, and talks to its peers by TCP: on this host, whose address
// is ip; names of peers resolve. fatal is called where nobody knows what the disk holds, and does not return.
func Durable(name string, peers []string, ip net.IP, dir string, d Defect, fatal func(error)) (n *Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = damage(r)
		}
	}()
	bolt, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, "raft.db"), BoltOptions: &bbolt.Options{Timeout: time.Second}})
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	s := store{bolt, fatal}
	var log raft.LogStore = s
	if d == WriteBehind {
		if log, err = writeBehind(s); err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", name, err)
		}
	}
	transport, err := raft.NewTCPTransport(port, &net.TCPAddr{IP: ip, Port: 8300}, 3, 500*time.Millisecond, io.Discard)
	if err != nil {
		return nil, fmt.Errorf("listen as %s: %w", name, err)
	}
	n = &Node{defect: d}
	snapshots := raft.NewInmemSnapshotStore() // runs are too short for any
	there, err := raft.HasExistingState(log, s, snapshots)
	if err == nil && !there {
		var servers []raft.Server
		for _, p := range peers {
			servers = append(servers, raft.Server{ID: raft.ServerID(p), Address: raft.ServerAddress(p + port)})
		}
		err = raft.BootstrapCluster(config(name), log, s, snapshots, transport, raft.Configuration{Servers: servers})
	}
	if err != nil {
		return nil, fmt.Errorf("bootstrap %s: %w", name, err)
	}
	if n.Raft, err = raft.NewRaft(config(name), &n.number, log, s, snapshots, transport); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return n, nil
}

// A store ends the node where nobody knows any more what its disk holds: when a sync failed, and where bbolt panics over a file that makes
// no sense. A write that failed, since the disk is full or does not take it, was never part of a transaction: raft is
// told, steps down, and goes on.
type store struct {
	*raftboltdb.BoltStore
	fatal func(error)
}

func (s store) must(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.fatal(damage(r))
		}
	}()
	err = do()
	switch write := new(fs.PathError); {
	case err == nil, errors.Is(err, raft.ErrLogNotFound), errors.As(err, &write) && write.Op == "write":
		return err
	}
	s.fatal(err)
	return err
}

func damage(r any) error { return fmt.Errorf("its log is damaged: %v", r) }

func (s store) StoreLog(l *raft.Log) error {
	return s.must(func() error { return s.BoltStore.StoreLog(l) })
}

func (s store) StoreLogs(all []*raft.Log) error {
	return s.must(func() error { return s.BoltStore.StoreLogs(all) })
}

func (s store) GetLog(i uint64, l *raft.Log) error {
	return s.must(func() error { return s.BoltStore.GetLog(i, l) })
}

func (s store) DeleteRange(from, to uint64) error {
	return s.must(func() error { return s.BoltStore.DeleteRange(from, to) })
}

// Set and SetUint64 keep votes and terms, without which raft cannot go on: it would panic.
func (s store) Set(key, value []byte) error {
	return s.must(func() error { return whole(s.BoltStore.Set(key, value)) })
}

func (s store) SetUint64(key []byte, v uint64) error {
	return s.must(func() error { return whole(s.BoltStore.SetUint64(key, v)) })
}

// whole is an error that a node does not go on after.
func whole(err error) error {
	if err != nil {
		return fmt.Errorf("keep a vote or a term: %v", err)
	}
	return nil
}

// gathers is how long a log gathers what it writes.
const gathers = 60 * time.Millisecond

// behind is a log in memory that is written to a disk in the background.
type behind struct {
	*raft.InmemStore
	disk  store
	later chan func() error
}

func writeBehind(disk store) (*behind, error) {
	b := &behind{raft.NewInmemStore(), disk, make(chan func() error, 1024)}
	first, err := disk.FirstIndex()
	if err != nil {
		return nil, err
	}
	last, err := disk.LastIndex()
	if err != nil {
		return nil, err
	}
	for i := first; i > 0 && i <= last; i++ {
		var l raft.Log
		if err := errors.Join(disk.GetLog(i, &l), b.InmemStore.StoreLog(&l)); err != nil {
			return nil, err
		}
	}
	go func() {
		for write := range b.later {
			if len(b.later) == 0 {
				time.Sleep(gathers)
			}
			if err := write(); err != nil {
				disk.fatal(err)
			}
		}
	}()
	return b, nil
}

func (b *behind) StoreLog(l *raft.Log) error { return b.StoreLogs([]*raft.Log{l}) }

func (b *behind) StoreLogs(all []*raft.Log) error {
	b.later <- func() error { return b.disk.StoreLogs(all) }
	return b.InmemStore.StoreLogs(all)
}

func (b *behind) DeleteRange(from, to uint64) error {
	b.later <- func() error { return b.disk.DeleteRange(from, to) }
	return b.InmemStore.DeleteRange(from, to)
}
