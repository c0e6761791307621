package register

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// NoSync leaves out that what a node promised is on its disk: its log is written, and not synced.
const NoSync Defect = "no-sync"

const port = ":8300"

// Durable starts a node that keeps its log and its votes in a directory, and talks to its peers by TCP: on this host, whose address
// is ip; names of peers resolve. fatal is called where the disk fails, and does not return: nobody knows what such a disk holds.
func Durable(name string, peers []string, ip net.IP, dir string, d Defect, fatal func(error)) (*Node, error) {
	bolt, err := raftboltdb.New(raftboltdb.Options{
		Path: filepath.Join(dir, "raft.db"), NoSync: d == NoSync, BoltOptions: &bbolt.Options{Timeout: time.Second},
	})
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	s := store{bolt, fatal}
	transport, err := raft.NewTCPTransport(port, &net.TCPAddr{IP: ip, Port: 8300}, 3, 500*time.Millisecond, io.Discard)
	if err != nil {
		return nil, fmt.Errorf("listen as %s: %w", name, err)
	}
	n := &Node{defect: d}
	snapshots := raft.NewInmemSnapshotStore() // runs are too short for any
	there, err := raft.HasExistingState(s, s, snapshots)
	if err == nil && !there {
		var servers []raft.Server
		for _, p := range peers {
			servers = append(servers, raft.Server{ID: raft.ServerID(p), Address: raft.ServerAddress(p + port)})
		}
		err = raft.BootstrapCluster(config(name), s, s, snapshots, transport, raft.Configuration{Servers: servers})
	}
	if err != nil {
		return nil, fmt.Errorf("bootstrap %s: %w", name, err)
	}
	if n.Raft, err = raft.NewRaft(config(name), &n.number, s, s, snapshots, transport); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return n, nil
}

// A store ends the node when its disk fails.
type store struct {
	*raftboltdb.BoltStore
	fatal func(error)
}

func (s store) must(err error) error {
	if err != nil {
		s.fatal(err)
	}
	return err
}

func (s store) StoreLog(l *raft.Log) error           { return s.must(s.BoltStore.StoreLog(l)) }
func (s store) StoreLogs(all []*raft.Log) error      { return s.must(s.BoltStore.StoreLogs(all)) }
func (s store) DeleteRange(from, to uint64) error    { return s.must(s.BoltStore.DeleteRange(from, to)) }
func (s store) Set(key, value []byte) error          { return s.must(s.BoltStore.Set(key, value)) }
func (s store) SetUint64(key []byte, v uint64) error { return s.must(s.BoltStore.SetUint64(key, v)) }
