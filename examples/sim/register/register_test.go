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

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
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
		ops := c.run(t, watched)
		for _, n := range c.nodes {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
		res := linear.Check(context.Background(), linear.Register(), ops, linear.Options{})
		if res.Verdict != verdict.Pass {
			t.Errorf("%v: %s", res.Verdict, res.Reason)
			for _, i := range res.Core {
				t.Log(linear.Describe(&ops[i], res.Until))
			}
		}
		if acknowledged(ops) < 50 {
			t.Errorf("%d operations were acknowledged: too few to say anything", acknowledged(ops))
		}
	})
}

// A cluster is three nodes and what its clients saw.
type cluster struct {
	nodes []*Node
	began time.Time
	mu    sync.Mutex
	ops   []history.Op
}

func start(t *testing.T, d Defect) *cluster {
	c := &cluster{began: time.Now()}
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

// run runs the clients and the faults, and returns what the clients saw.
func (c *cluster) run(t *testing.T, watched bool) []history.Op {
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
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ops
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
			c.record(fmt.Sprintf("writer %d", client+1), "write", func(op *history.Op) error {
				op.Input = history.Int(value)
				return n.Write(value)
			})
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
	c.record(client, "read", func(op *history.Op) error {
		value, known, err := n.Read()
		if err != nil {
			return ErrRefused // a read does nothing
		}
		if known {
			op.Output = history.Int(value)
		}
		return nil
	})
}

// record runs an operation and notes what its client knows of it.
func (c *cluster) record(client, name string, do func(*history.Op) error) {
	op := history.Op{Kind: history.Model, Client: client, Name: name, Object: "number", Call: time.Since(c.began), Outcome: history.OK}
	switch err := do(&op); {
	case errors.Is(err, ErrRefused):
		op.Outcome = history.Failed
	case err != nil:
		op.Outcome, op.Error = history.Maybe, err.Error()
	}
	op.Return = time.Since(c.began)
	c.mu.Lock()
	defer c.mu.Unlock()
	op.ID = uint64(len(c.ops) + 1)
	c.ops = append(c.ops, op)
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
