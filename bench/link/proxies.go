package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

// The ways to a server that are compared.
const (
	direct    = "direct" // without a proxy
	plain     = "plain"
	toxiproxy = "toxiproxy"
	ours      = "ours"
)

// A fault is one in our words and in Toxiproxy's.
type fault struct {
	up         bool // dialler -> instance
	rule       system.Rule
	kind       string // of the toxic
	attributes map[string]int64
}

// A proxy is one way to a server. It is used from one goroutine but for addr.
type proxy struct {
	name string
	addr string // to dial
	pid  int    // 0: none
	arm  func(...fault) error
	heal func() error
	stop func()
	tell func(order) (answer, error) // ours alone
}

// ways starts the named proxies in front of a server, those that there are.
func (b *bench) ways(server string, names ...string) ([]*proxy, error) {
	var all []*proxy
	for _, name := range names {
		if name == toxiproxy && b.toxiproxy == "" {
			continue
		}
		p, err := b.start(name, server)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", name, err)
		}
		b.proxies = append(b.proxies, p)
		all = append(all, p)
	}
	return all, nil
}

func (b *bench) start(name, server string) (*proxy, error) {
	switch name {
	case direct:
		return &proxy{name: direct, addr: server, stop: func() {}}, nil
	case toxiproxy:
		return startToxiproxy(b.toxiproxy, server)
	}
	return startSelf(name, server, b.profile)
}

func (b *bench) stopAll() {
	for _, p := range b.proxies {
		p.stop()
	}
	b.proxies = nil
}

// startSelf starts this program as a proxy.
func startSelf(name, server, profile string) (*proxy, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-as", name, "-to", server, "-profile", profile)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	out := bufio.NewReader(pipe)
	stop := func() {
		in.Close()
		_ = cmd.Wait()
	}
	addr, err := out.ReadString('\n')
	if err != nil {
		stop()
		return nil, fmt.Errorf("it did not say its address: %w", err)
	}
	p := &proxy{name: name, addr: strings.TrimSpace(addr), pid: cmd.Process.Pid, stop: stop}
	if name == ours {
		p.obeyOrders(in, out)
	}
	return p, nil
}

// obeyOrders lets a proxy of ours be told what to do.
func (p *proxy) obeyOrders(in io.Writer, out io.Reader) {
	orders, answers := json.NewEncoder(in), json.NewDecoder(out)
	p.tell = func(o order) (answer, error) {
		var a answer
		err := errors.Join(orders.Encode(o), answers.Decode(&a))
		if a.Error != "" {
			err = errors.New(a.Error)
		}
		return a, err
	}
	var set []string
	p.arm = func(faults ...fault) error {
		o := order{Set: map[string]armed{}}
		for i, f := range faults {
			id := fmt.Sprint("f", i)
			set = append(set, id)
			o.Set[id] = armed{f.up, f.rule}
		}
		_, err := p.tell(o)
		return err
	}
	p.heal = func() error {
		_, err := p.tell(order{Clear: set})
		set = nil
		return err
	}
}

// cpu returns the processor time that the proxy has used so far.
func (p *proxy) cpu() time.Duration {
	if p.pid == 0 {
		return 0
	}
	return processTime(p.pid)
}

// compare lets each way take its turn in each round, and returns what they measured: the i-th samples are of the i-th value. The
// round before the first is not counted. Every other round is in the opposite order, so that nobody always follows the same.
func (b *bench) compare(ways []*proxy, values int, measure func(*proxy) ([]float64, error)) ([]samples, error) {
	all := make([]samples, values)
	for i := range all {
		all[i] = samples{}
	}
	for round := range b.rounds + 1 {
		for i := range ways {
			if round%2 == 1 {
				i = len(ways) - 1 - i
			}
			got, err := measure(ways[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", ways[i].name, err)
			}
			for v := range got {
				if round > 0 {
					all[v][ways[i].name] = append(all[v][ways[i].name], got[v])
				}
			}
		}
	}
	return all, nil
}
