package plain

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/assay-dev/assay/system"
)

// Snapshot says how every instance and the links stand. What it reads of
// instances comes from /proc, not from what the environment believes, except for State.
func (e *Env) Snapshot(ctx context.Context) (system.Snapshot, error) {
	processes, err := e.scan()
	if err != nil {
		return system.Snapshot{}, fmt.Errorf("snapshot: %w", err)
	}
	sockets, err := listeners()
	if err != nil {
		return system.Snapshot{}, fmt.Errorf("snapshot: %w", err)
	}
	snapshot := system.Snapshot{Instances: map[string]system.Standing{}, Rules: e.mesh.Rules()}
	slices.Sort(snapshot.Rules)
	for _, n := range e.nodes {
		snapshot.Instances[n.inst.Name] = n.standing(ctx, processes, sockets)
	}
	return snapshot, nil
}

func (n *node) standing(ctx context.Context, all []Marked, sockets []listener) system.Standing {
	state, _ := n.State(ctx)
	s := system.Standing{State: state}
	for _, addr := range n.listensOn(all, sockets) {
		s.Ports = append(s.Ports, addr.String())
	}
	for _, p := range all {
		switch {
		case p.Instance != n.inst.Name || p.Probe:
		case p.Stopped:
			s.Stopped++
		default:
			s.Running++
		}
	}
	if p := n.running(); p != nil {
		s.Limits = limitsOf(p.id.PID)
	}
	return s
}

// listensOn returns the addresses at which the instance's processes listen, sorted.
func (n *node) listensOn(all []Marked, sockets []listener) []netip.AddrPort {
	var found []netip.AddrPort
	for _, p := range all {
		if p.Instance != n.inst.Name || p.Probe {
			continue
		}
		open := socketsOf(p.PID)
		for _, socket := range sockets {
			if open[socket.Inode] && !slices.Contains(found, socket.Addr) {
				found = append(found, socket.Addr)
			}
		}
	}
	slices.SortFunc(found, netip.AddrPort.Compare)
	return found
}

// checkBinds finds a program that listens on every address of this machine.
// It would take what is meant for other instances and for the fronts.
func (e *Env) checkBinds() error {
	processes, err := e.scan()
	if err != nil {
		return err
	}
	sockets, err := listeners()
	if err != nil {
		return err
	}
	for _, n := range e.nodes {
		for _, addr := range n.listensOn(processes, sockets) {
			if addr.Addr().IsUnspecified() && (n.svc.Replicas > 1 || n.declares(int(addr.Port()))) {
				return fmt.Errorf("%s listens on %s, on every address of this machine: make it bind {{ip}}:%d, its own address (or run it in an environment with networks of its own, the lab)",
					n.inst.Name, addr, addr.Port())
			}
		}
	}
	return nil
}

func (n *node) declares(port int) bool {
	return slices.Contains(n.svc.Ports, port) || n.svc.Ready.TCP == port || leadingNumber(n.svc.Ready.HTTP) == port
}

func leadingNumber(text string) int {
	number := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		number = number*10 + int(c-'0')
	}
	return number
}
