// Package register is a number kept by three nodes over an unmodified hashicorp/raft. Writes go through the log. A read asks the leader,
// which proves that it leads, and waits until it has applied all it knows of (a barrier).
//
// It is an example for a search over orders: with [NoBarrier] a read waits for the proof alone. A node that has just been elected
// leads, and may not yet have applied the last write its predecessor acknowledged.
package register

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// A Defect leaves a mechanism out.
type Defect string

// NoBarrier leaves out that a leader applies all it knows of before it reads.
const NoBarrier Defect = "no-barrier"

// patience is how long a caller waits to be put into the log.
const patience = 200 * time.Millisecond

// ErrRefused says that nothing was done: this node does not lead.
var ErrRefused = errors.New("this node does not lead")

// A Node is one of those that keep the number.
type Node struct {
	Raft      *raft.Raft
	Transport *raft.InmemTransport
	defect    Defect
	number    number
}

// config is that of a node.
func config(name string) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(name)
	c.HeartbeatTimeout = 100 * time.Millisecond
	c.ElectionTimeout = 100 * time.Millisecond
	c.LeaderLeaseTimeout = 50 * time.Millisecond
	c.CommitTimeout = 20 * time.Millisecond
	c.Logger = hclog.NewNullLogger()
	return c
}

// Start starts a node among its peers. Who starts first does not matter.
func Start(name string, peers []string, t *raft.InmemTransport, d Defect) (*Node, error) {
	n := &Node{Transport: t, defect: d}
	config := config(name)
	var servers []raft.Server
	for _, p := range peers {
		servers = append(servers, raft.Server{ID: raft.ServerID(p), Address: raft.ServerAddress(p)})
	}
	store, snapshots := raft.NewInmemStore(), raft.NewInmemSnapshotStore()
	if err := raft.BootstrapCluster(config, store, store, snapshots, t, raft.Configuration{Servers: servers}); err != nil {
		return nil, fmt.Errorf("bootstrap %s: %w", name, err)
	}
	var err error
	if n.Raft, err = raft.NewRaft(config, &n.number, store, store, snapshots, t); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return n, nil
}

// Write writes the number. Where the error is not ErrRefused, it may have been written all the same.
func (n *Node) Write(value int64) error {
	err := n.Raft.Apply([]byte(strconv.FormatInt(value, 10)), patience).Error()
	if errors.Is(err, raft.ErrNotLeader) {
		return ErrRefused
	}
	return err
}

// Read returns the number, and whether there is one.
func (n *Node) Read() (value int64, known bool, err error) {
	if n.Raft.State() != raft.Leader {
		return 0, false, ErrRefused
	}
	if err := n.Raft.VerifyLeader().Error(); err != nil {
		return 0, false, err
	}
	if n.defect != NoBarrier {
		if err := n.Raft.Barrier(patience).Error(); err != nil {
			return 0, false, err
		}
	}
	value, known = n.number.get()
	return value, known, nil
}

// Stop stops the node and returns when it has stopped.
func (n *Node) Stop() error {
	return errors.Join(n.Raft.Shutdown().Error(), n.Transport.Close())
}

// A number is what the log says of it so far.
type number struct {
	mu    sync.Mutex
	value int64
	known bool
}

func (n *number) get() (int64, bool) { n.mu.Lock(); defer n.mu.Unlock(); return n.value, n.known }

// Apply implements raft.FSM.
func (n *number) Apply(l *raft.Log) any {
	value, err := strconv.ParseInt(string(l.Data), 10, 64)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.value, n.known = value, true
	return nil
}

// Snapshot implements raft.FSM. The runs of this example are too short for one.
func (n *number) Snapshot() (raft.FSMSnapshot, error) { return nil, errors.New("no snapshots") }

// Restore implements raft.FSM.
func (n *number) Restore(r io.ReadCloser) error {
	return errors.Join(errors.New("no snapshots"), r.Close())
}
