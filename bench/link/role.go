package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/pprof"
	"sync/atomic"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/link"
	"github.com/assay-dev/assay/system"
)

// be is a proxy, until the standard input ends. Its first line on the standard output is its address.
func be(name, to, profile string) error {
	target, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(fmt.Sprintf("%s/%s-%d.pprof", profile, name, os.Getpid()))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	switch name {
	case plain:
		return bePlain(target)
	case ours:
		return beOurs(target)
	}
	return fmt.Errorf("-as: no proxy is called %q (allowed: %s, %s)", name, ours, plain)
}

// bePlain copies both directions through a buffer, as a proxy must that looks at bytes.
func bePlain(target netip.AddrPort) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		for {
			caller, err := l.Accept()
			if err != nil {
				return
			}
			go copyBoth(caller.(*net.TCPConn), target)
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func copyBoth(caller *net.TCPConn, target netip.AddrPort) {
	defer caller.Close()
	server, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(target))
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	half := func(to, from *net.TCPConn) {
		_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 64<<10))
		_ = to.CloseWrite()
	}
	go func() {
		half(server, caller)
		close(done)
	}()
	half(caller, server)
	<-done
}

// An order is a line that our proxy is told. Its answer is a line, too.
type order struct {
	Set   map[string]armed `json:"set,omitempty"`   // rules by id
	Clear []string         `json:"clear,omitempty"` // rules
	Stats bool             `json:"stats,omitempty"`
	Deaf  *bool            `json:"deaf,omitempty"` // nobody records from now on, or somebody does again
}

type armed struct {
	Up   bool        `json:"up"` // dialler -> instance
	Rule system.Rule `json:"rule"`
}

type answer struct {
	Error     string `json:"error,omitempty"`
	Heap      uint64 `json:"heap,omitempty"` // bytes in use after a collection
	Stacks    uint64 `json:"stacks,omitempty"`
	Exchanges int64  `json:"exchanges,omitempty"` // that the tap has recorded
}

// beOurs is a mesh with one front, its tap and recorder on, that obeys orders.
func beOurs(target netip.AddrPort) error {
	m := link.NewMesh(link.Options{Seed: 7})
	defer m.Close()
	front, err := freeAddr()
	if err != nil {
		return err
	}
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b", target, true }
	if err := m.Listen(context.Background(), link.Front{Src: "a", Host: "b", Addr: front, Pick: pick}); err != nil {
		return err
	}
	var exchanges atomic.Int64
	record := func(history.Exchange) { exchanges.Add(1) }
	m.SetRecorder(nil, record)
	fmt.Println(front)
	orders, answers := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for {
		var o order
		if err := orders.Decode(&o); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var a answer
		if err := obey(m, o); err != nil {
			a.Error = err.Error()
		}
		if o.Deaf != nil && *o.Deaf {
			m.SetRecorder(nil, nil)
		} else if o.Deaf != nil {
			m.SetRecorder(nil, record)
		}
		if o.Stats {
			a.Heap, a.Stacks = heap()
			a.Exchanges = exchanges.Load()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

func obey(m *link.Mesh, o order) error {
	for id, a := range o.Set {
		on := system.Link{From: "b", To: "a"}
		if a.Up {
			on = system.Link{From: "a", To: "b"}
		}
		if err := m.SetRule(id, []system.Link{on}, a.Rule); err != nil {
			return err
		}
	}
	for _, id := range o.Clear {
		if err := m.ClearRule(id); err != nil {
			return err
		}
	}
	return nil
}

func heap() (inUse, stacks uint64) {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc, s.StackInuse
}

// freeAddr returns an address that nobody listens on.
func freeAddr() (netip.AddrPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer l.Close()
	return netip.ParseAddrPort(l.Addr().String())
}
