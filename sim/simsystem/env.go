// Package simsystem lets the faults and plans of package fault act on a simulation, in simulated time and decided by the seed.
//
//	env := simsystem.New(s, sys)                     // instances of sys are hosts of the simulation
//	plan, err := simsystem.ParsePlan(`
//		{at: 2s, for: 3s, fault: "kill(orders, mode=one)"}
//		{at: 9s, for: 1s, fault: "cut(db <-> orders)"}`)
//	done, err := env.Run(plan)                       // an error names what a simulation cannot do, before anything begins
//	…
//	done.Wait()
//
// It is a system.Env whose nodes can be killed and restarted, and whose links can be delayed, throttled, cut, and lose chunks. The same words mean
// the same as on real systems; what it lacks is refused by name.
package simsystem

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/system"
)

// Env is a simulation as an environment. It belongs to the simulation, and to nothing after it.
type Env struct {
	s     *sim.Sim
	sys   system.System
	nodes []system.Node
	links *links
}

// New returns the environment of a system whose instances are the hosts of those names, and whose load driver is the host
// system.Client. Hosts that are not there yet are made. What an instance does when it starts, Host.Boot says.
func New(s *sim.Sim, sys system.System) *Env {
	e := &Env{s: s, sys: sys}
	for _, i := range sys.Instances() {
		e.nodes = append(e.nodes, &node{instance: i, host: s.Host(i.Name)})
	}
	s.Host(system.Client)
	e.links = newLinks(s)
	return e
}

// System returns the topology.
func (e *Env) System() system.System { return e.sys }

// Nodes returns the instances.
func (e *Env) Nodes() []system.Node { return slices.Clone(e.nodes) }

// Addr returns what to dial: names of hosts resolve in a simulation. Of a service it is one of the instances that are up, as the seed says.
func (e *Env) Addr(_ context.Context, from, host string, port int) (string, error) {
	if _, ok := e.sys.Instance(from); !ok && from != system.Client {
		return "", fmt.Errorf("there is no instance %s that could dial", from)
	}
	if service, ok := e.sys.Service(host); ok {
		var up []string
		for _, i := range service.Instances() {
			if e.s.Host(i.Name).Up() {
				up = append(up, i.Name)
			}
		}
		if len(up) == 0 {
			return "", fmt.Errorf("no instance of %s is up", host)
		}
		host = up[e.s.Choose(len(up))]
	} else if _, ok := e.sys.Instance(host); !ok {
		return "", fmt.Errorf("there is no service or instance %s", host)
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}

// Close clears all rules and starts what is down.
func (e *Env) Close(ctx context.Context) error {
	e.links.clear()
	for _, n := range e.nodes {
		if n := n.(*node); !n.host.Up() {
			n.host.Restart()
		}
	}
	return ctx.Err()
}

// SetRule arms a rule. Only delay, throttle, drop and cut can be simulated, of all that passes and always: package sim has no connections
// to pick from.
func (e *Env) SetRule(_ context.Context, id string, on []system.Link, rule system.Rule) error {
	if err := supported(rule); err != nil {
		return err
	}
	for _, l := range on {
		for _, name := range []string{l.From, l.To} {
			if _, ok := e.sys.Instance(name); !ok && name != system.Client {
				return fmt.Errorf("there is no instance %s, so no link %v", name, l)
			}
		}
	}
	e.links.set(id, on, rule)
	return nil
}

// ClearRule removes a rule.
func (e *Env) ClearRule(_ context.Context, id string) error {
	e.links.drop(id)
	return nil
}

// LinkStats returns what the simulated network counted. It counts where chunks are sent and where they arrive, and not where rules are set.
func (e *Env) LinkStats(context.Context) ([]system.LinkStats, error) {
	var names []string
	for _, i := range e.sys.Instances() {
		names = append(names, i.Name)
	}
	return e.links.stats(append(names, system.Client)), nil
}

// A node is a host.
type node struct {
	instance system.Instance
	host     *sim.Host
}

func (n *node) Instance() system.Instance { return n.instance }

// State is ready or exited: a simulation does not know when a program is ready.
func (n *node) State(context.Context) (system.State, error) {
	if n.host.Up() {
		return system.IsReady, nil
	}
	return system.Exited, nil
}

// Kill crashes the host.
func (n *node) Kill(context.Context) error {
	n.host.Crash()
	return nil
}

// Start starts the host, if it is down.
func (n *node) Start(context.Context) error {
	if !n.host.Up() {
		n.host.Restart()
	}
	return nil
}

// Restart crashes the host and starts it again: nobody asks a simulated program to end.
func (n *node) Restart(context.Context) error {
	n.host.Restart()
	return nil
}

// Inspect tells runs of the host apart: each start has a number of its own.
func (n *node) Inspect(context.Context) (system.Inspection, error) {
	id := n.host.Incarnation()
	if id == 0 {
		return system.Inspection{}, nil
	}
	return system.Inspection{Processes: []system.Proc{{ID: system.ProcID{Boot: "sim", PID: id, Start: uint64(id)}, Command: n.instance.Name}}}, nil
}
