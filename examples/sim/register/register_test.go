package register

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/sim"
)

var names = []string{"n1", "n2", "n3"}

// TestTheRegisterIsLinearizable cuts the leader off three times while two clients write and one reads. REGISTER_DEFECT leaves a
// mechanism out; here that is seen only where the reader comes just as a node is elected.
func TestTheRegisterIsLinearizable(t *testing.T) { linearizable(t, false) }

// TestForced has a client besides that asks each node as soon as it is elected: the bad order is likely.
func TestForced(t *testing.T) {
	if os.Getenv("CATALOGUE_FORCED") == "" {
		t.Skip("CATALOGUE_FORCED is not set")
	}
	linearizable(t, true)
}

func linearizable(t *testing.T, watched bool) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		c := start(t, Defect(os.Getenv("REGISTER_DEFECT")))
		c.history = s.History("number")
		c.history.Check(consistency.Linearizable)
		c.run(t, watched)
		for _, n := range c.nodes {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
		ops := c.history.Ops()
		if acknowledged(ops) < 50 {
			t.Errorf("%d operations were acknowledged: too few to say anything", acknowledged(ops))
		}
	})
}

// A cluster is three nodes and what its clients saw.
type cluster struct {
	nodes   []*Node
	history *sim.History
}

func start(t *testing.T, d Defect) *cluster {
	c := &cluster{}
	var transports []*raft.InmemTransport
	for _, name := range names {
		_, transport := raft.NewInmemTransport(raft.ServerAddress(name))
		transports = append(transports, transport)
	}
	for i, name := range names {
		connect(transports[i], transports)
		n, err := Start(name, names, transports[i], d)
		if err != nil {
			t.Fatal(err)
		}
		c.nodes = append(c.nodes, n)
	}
	return c
}

func connect(one *raft.InmemTransport, all []*raft.InmemTransport) {
	for _, other := range all {
		if other != one {
			one.Connect(other.LocalAddr(), other)
			other.Connect(one.LocalAddr(), one)
		}
	}
}

// run runs the clients and the faults.
func (c *cluster) run(t *testing.T, watched bool) {
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 2 {
		clients.Go(func() { c.write(ctx, i) })
	}
	clients.Go(func() { c.read(ctx) })
	for i, n := range c.nodes {
		if watched {
			clients.Go(func() { c.watch(ctx, n, names[i]) })
		}
	}
	for range 3 {
		time.Sleep(400 * time.Millisecond)
		leader := c.leader()
		if leader == nil {
			continue
		}
		var transports []*raft.InmemTransport
		for _, n := range c.nodes {
			transports = append(transports, n.Transport)
			n.Transport.Disconnect(leader.Transport.LocalAddr())
		}
		leader.Transport.DisconnectAll()
		time.Sleep(400 * time.Millisecond)
		connect(leader.Transport, transports)
	}
	time.Sleep(400 * time.Millisecond)
	stop()
	clients.Wait()
}

func (c *cluster) leader() *Node {
	for _, n := range c.nodes {
		if n.Raft.State() == raft.Leader {
			return n
		}
	}
	return nil
}

func (c *cluster) write(ctx context.Context, client int) {
	for i := int64(1); ctx.Err() == nil; i++ {
		if n := c.leader(); n != nil {
			value := int64(client+1)*1000 + i
			op := c.history.Begin(fmt.Sprintf("writer %d", client+1), "write", value)
			switch err := n.Write(value); {
			case err == nil:
				op.OK(nil)
			case errors.Is(err, ErrRefused):
				op.Failed(err)
			default:
				op.Maybe(err)
			}
		}
		time.Sleep(time.Duration(5+client) * time.Millisecond)
	}
}

func (c *cluster) read(ctx context.Context) {
	for ctx.Err() == nil {
		for _, n := range c.nodes {
			c.ask(n, "reader")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// watch asks a node as soon as it is elected.
func (c *cluster) watch(ctx context.Context, n *Node, name string) {
	for {
		select {
		case leads := <-n.Raft.LeaderCh():
			if leads {
				c.ask(n, "watcher of "+name)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (c *cluster) ask(n *Node, client string) {
	if n.Raft.State() != raft.Leader {
		return
	}
	op := c.history.Begin(client, "read", nil)
	switch value, known, err := n.Read(); {
	case err != nil:
		op.Failed(err) // a read does nothing
	case known:
		op.OK(value)
	default:
		op.OK(nil)
	}
}

func acknowledged(ops []history.Op) int {
	n := 0
	for i := range ops {
		if ops[i].Outcome == history.OK {
			n++
		}
	}
	return n
}
