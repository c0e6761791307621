package network

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/assay-dev/assay/sim"
)

// Three nodes of hashicorp/raft over its own TCP transport. The leader is crashed, and the next one cut off: what was acknowledged
// is in every node's log at the end, and in one order.
func TestRaft(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: time.Millisecond, Jitter: 4 * time.Millisecond, Loss: 0.001})
		c := newCluster(t, s, false, "n1", "n2", "n3")
		done := make(chan struct{})
		var acknowledged []string
		go func() {
			defer close(done)
			acknowledged = c.write(20)
		}()
		time.Sleep(time.Duration(500+s.Choose(1000)) * time.Millisecond)
		if n := c.leader(); n != nil {
			n.host.Crash()
			time.Sleep(time.Duration(s.Choose(2000)) * time.Millisecond)
			n.host.Restart()
		}
		time.Sleep(time.Duration(s.Choose(1000)) * time.Millisecond)
		if n := c.leader(); n != nil {
			s.Isolate(n.host)
			time.Sleep(time.Duration(s.Choose(2000)) * time.Millisecond)
			s.Heal()
		}
		<-done
		c.judge(acknowledged)
	})
}

type cluster struct {
	s     *sim.Sim
	names []string
	nodes []*node
}

// A node keeps its log over crashes, as on a disk; all else is its host's.
type node struct {
	t        *testing.T
	name     string
	peers    []string
	host     *sim.Host
	log      *journal
	defaults bool // times as raft has them

	running atomic.Pointer[running] // nil until raft has started
}

// running is what a crash ends.
type running struct {
	*raft.Raft
	applied *applied
}

func newCluster(t *testing.T, s *sim.Sim, defaults bool, names ...string) *cluster {
	c := &cluster{s: s, names: names}
	for _, name := range names {
		n := &node{t: t, name: name, peers: names, host: s.Host(name), defaults: defaults}
		c.nodes = append(c.nodes, n)
		n.host.Boot(func() {
			if err := n.boot(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	return c
}

func (n *node) boot() error {
	n.running.Store(nil)
	n.log = n.log.reopened()
	snapshots := raft.NewDiscardSnapshotStore() // these runs are too short for any
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(n.name)
	if !n.defaults {
		config.HeartbeatTimeout, config.ElectionTimeout = 200*time.Millisecond, 200*time.Millisecond
		config.LeaderLeaseTimeout, config.CommitTimeout = 100*time.Millisecond, 20*time.Millisecond
	}
	config.Logger = hclog.NewNullLogger()
	self := &net.TCPAddr{IP: n.host.Addr().AsSlice(), Port: 8300}
	transport, err := raft.NewTCPTransport(":8300", self, 3, time.Second, io.Discard)
	if err != nil {
		return err
	}
	if there, err := raft.HasExistingState(n.log, n.log, snapshots); err != nil {
		return err
	} else if !there {
		var servers []raft.Server
		for _, p := range n.peers {
			servers = append(servers, raft.Server{ID: raft.ServerID(p), Address: raft.ServerAddress(p + ":8300")})
		}
		if err := raft.BootstrapCluster(config, n.log, n.log, snapshots, transport, raft.Configuration{Servers: servers}); err != nil {
			return err
		}
	}
	fsm := &applied{}
	r, err := raft.NewRaft(config, fsm, n.log, n.log, snapshots, transport)
	if err == nil {
		n.running.Store(&running{r, fsm})
	}
	return err
}

// leader is a node that thinks it leads.
func (c *cluster) leader() *node {
	for _, n := range c.nodes {
		if r := n.running.Load(); r != nil && n.host.Up() && r.State() == raft.Leader {
			return n
		}
	}
	return nil
}

// write writes values one after the other, each until it is acknowledged.
func (c *cluster) write(count int) (acknowledged []string) {
	for i := range count {
		value := fmt.Sprint(i)
		for !c.apply(value) {
			time.Sleep(50 * time.Millisecond)
		}
		acknowledged = append(acknowledged, value)
		time.Sleep(100 * time.Millisecond)
	}
	return acknowledged
}

func (c *cluster) apply(value string) bool {
	n := c.leader()
	if n == nil {
		return false
	}
	r := n.running.Load()
	if r == nil {
		return false
	}
	var applied error
	err := errors.New("the leader crashed")
	if n.host.Do(func() { applied = r.Apply([]byte(value), 200*time.Millisecond).Error() }) {
		err = applied
	}
	c.s.Event("%s at %s: %v", value, n.name, err)
	sim.Sometimes(err != nil, "a write is not acknowledged")
	return err == nil
}

// judge waits until all nodes have applied the last value, and holds them against what was acknowledged.
func (c *cluster) judge(acknowledged []string) {
	var logs [][]string
	for _, n := range c.nodes {
		var got []string
		for range 600 {
			if r := n.running.Load(); r != nil {
				got = r.applied.list()
			}
			if slices.Contains(got, acknowledged[len(acknowledged)-1]) {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		logs = append(logs, got)
		for _, v := range acknowledged {
			sim.Always(slices.Contains(got, v), "what was acknowledged is kept", v, " is not in ", got, " of ", n.name)
		}
	}
	for _, log := range logs[1:] {
		k := min(len(log), len(logs[0]))
		sim.Always(slices.Equal(log[:k], logs[0][:k]), "logs agree", log, " and ", logs[0])
	}
}

// applied is what the log says so far.
type applied struct {
	mu     sync.Mutex
	values []string
}

func (a *applied) list() []string { a.mu.Lock(); defer a.mu.Unlock(); return slices.Clone(a.values) }

// Apply implements raft.FSM.
func (a *applied) Apply(l *raft.Log) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.values = append(a.values, string(l.Data))
	return nil
}

// Snapshot implements raft.FSM.
func (a *applied) Snapshot() (raft.FSMSnapshot, error) { return nil, errors.New("no snapshots") }

// Restore implements raft.FSM.
func (a *applied) Restore(r io.ReadCloser) error {
	return errors.Join(errors.New("no snapshots"), r.Close())
}
