package register

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/sim/disk"
)

// TestTheRegisterSurvives has three hosts that keep their logs in bbolt on disks of their own, crashes, partitions, and disks that fail, are
// full or slow. In the end nobody writes any more, and in most seeds the power fails everywhere at once. What two writers and a reader saw is
// linearizable. With REGISTER_DEFECT=write-behind it is not always: nodes that acknowledged a write forget it in a crash, and are read without it.
func TestTheRegisterSurvives(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		// Drawn first, so that what is left out of a failure later does not move it.
		powerFails := s.Choose(4) > 0 // in most seeds
		s.Disks(sim.DiskOptions{Profile: disk.Ext4Ordered})
		h := s.History("number")
		h.Check(consistency.Linearizable)
		var members []*member
		var hosts []*sim.Host
		for _, name := range names {
			m := &member{s: s, host: s.Host(name)}
			m.host.Disk().Mount("/var/lib/register")
			m.host.Boot(m.boot)
			members, hosts = append(members, m), append(hosts, m.host)
		}
		clients := s.Host("clients")
		var over atomic.Bool
		for i := range 2 {
			clients.Go(func() { write(members, h, &over, fmt.Sprintf("writer %d", i+1), int64(i+1)*1000) })
		}
		clients.Go(func() { read(members, h) })
		clients.Go(func() { supervise(hosts) })
		time.Sleep(500 * time.Millisecond)
		s.Swarm(sim.Swarm{Kinds: []string{"crash", "partition", "disk"}, Hosts: hosts, For: time.Second, Every: 100 * time.Millisecond})
		time.Sleep(time.Duration(200+s.Choose(100)) * time.Millisecond)
		over.Store(true)
		if powerFails {
			s.Event("the power fails everywhere")
			for _, host := range hosts {
				host.Crash()
			}
		}
		cut := len(h.Ops())
		time.Sleep(2 * time.Second)
		sim.Sometimes(acknowledged(h.Ops()[cut:]) > 0, "when the power is back the number is read")
		sim.Sometimes(acknowledged(h.Ops()) > 20, "more than twenty operations are acknowledged")
	})
}

var errCrashed = errors.New("the node crashed, or does not answer")

// A member is a host, and the node that runs on it.
type member struct {
	s    *sim.Sim
	host *sim.Host
	node atomic.Pointer[Node]
}

func (m *member) boot() {
	m.node.Store(nil)
	n, err := Durable(m.host.Name(), names, m.host.Addr().AsSlice(), "/var/lib/register", Defect(os.Getenv("REGISTER_DEFECT")), m.fatal)
	if err != nil {
		m.fatal(err)
	}
	m.node.Store(n)
}

// fatal ends the host, on which it is called.
func (m *member) fatal(err error) {
	m.s.Event("%s gives up: %v", m.host.Name(), err)
	sim.Reachable("a disk failed")
	m.host.Crash()
}

// leads is the node, if it thinks that it leads.
func (m *member) leads() *Node {
	n := m.node.Load()
	if n == nil || !m.host.Up() || n.Raft.State() != raft.Leader {
		return nil
	}
	return n
}

// ask does something on the host, and reports whether it was done within a second: a host that has just started again may still have
// the node that died with it, which answers nobody.
func (m *member) ask(f func()) bool {
	done := make(chan bool, 1)
	go func() { done <- m.host.Do(f) }()
	select {
	case ok := <-done:
		return ok
	case <-time.After(time.Second):
		return false
	}
}

// supervise starts hosts again that are down for long.
func supervise(hosts []*sim.Host) {
	down := map[*sim.Host]int{}
	for {
		time.Sleep(100 * time.Millisecond)
		for _, h := range hosts {
			if down[h]++; h.Up() {
				down[h] = 0
			} else if down[h] > 3 {
				h.Restart()
			}
		}
	}
}

func write(members []*member, h *sim.History, over *atomic.Bool, client string, value int64) {
	for ; !over.Load(); time.Sleep(50 * time.Millisecond) {
		for _, m := range members {
			n := m.leads()
			if n == nil {
				continue
			}
			value++
			op := h.Begin(client, "write", value)
			var err error
			switch done := m.ask(func() { err = n.Write(value) }); {
			case !done:
				op.Maybe(errCrashed)
			case err == nil:
				op.OK(nil)
			case errors.Is(err, ErrRefused):
				op.Failed(err)
			default:
				op.Maybe(err)
			}
		}
	}
}

func read(members []*member, h *sim.History) {
	for ; ; time.Sleep(40 * time.Millisecond) {
		for _, m := range members {
			n := m.leads()
			if n == nil {
				continue
			}
			op := h.Begin("reader", "read", nil)
			var value int64
			var known bool
			var err error
			switch done := m.ask(func() { value, known, err = n.Read() }); {
			case !done:
				op.Failed(errCrashed)
			case err != nil:
				op.Failed(err) // a read does nothing
			case known:
				op.OK(value)
			default:
				op.OK(nil)
			}
		}
	}
}

// TestMain lets the codec of raft's messages learn their types. It keeps what it learned for the whole process: otherwise the
// first simulation in a process would do what later ones need not, and be another one than the same seed's later. For the same reason
// one mapping stays in the map that package unix has of them: a map that becomes empty draws a random number.
func TestMain(m *testing.M) {
	if _, err := unix.Mmap(-1, 0, 1, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		panic(err)
	}
	header := raft.RPCHeader{ID: []byte("n1"), Addr: []byte("n1")}
	entry := raft.Log{Data: []byte("1"), Extensions: []byte("1"), AppendedAt: time.Unix(1, 0)}
	for _, message := range []any{
		&raft.Configuration{Servers: []raft.Server{{ID: "n1", Address: "n1"}}}, &entry,
		&raft.AppendEntriesRequest{RPCHeader: header, Entries: []*raft.Log{&entry}}, &raft.AppendEntriesResponse{RPCHeader: header},
		&raft.RequestVoteRequest{RPCHeader: header}, &raft.RequestVoteResponse{RPCHeader: header},
		&raft.RequestPreVoteRequest{RPCHeader: header}, &raft.RequestPreVoteResponse{RPCHeader: header},
		&raft.TimeoutNowRequest{RPCHeader: header}, &raft.TimeoutNowResponse{RPCHeader: header},
	} {
		var text bytes.Buffer
		err := codec.NewEncoder(&text, &codec.MsgpackHandle{}).Encode(message)
		if err := errors.Join(err, codec.NewDecoder(&text, &codec.MsgpackHandle{}).Decode(message)); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
