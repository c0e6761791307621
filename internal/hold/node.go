package hold

import (
	"context"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// A Node is one instance of an [Env].
type Node struct {
	env      *Env
	instance system.Instance
}

func (n *Node) call(ctx context.Context, verb string, result any) error {
	return n.env.client.call(ctx, verb, verbArgs{Instance: n.instance.Name}, result)
}

// Instance returns which instance it is.
func (n *Node) Instance() system.Instance { return n.instance }

// State returns what the environment believes of the instance.
func (n *Node) State(ctx context.Context) (system.State, error) {
	var s system.State
	err := n.call(ctx, "state", &s)
	return s, err
}

// Kill implements system.Killer.
func (n *Node) Kill(ctx context.Context) error { return n.call(ctx, "kill", nil) }

// Start implements system.Killer.
func (n *Node) Start(ctx context.Context) error { return n.call(ctx, "start-instance", nil) }

// Pause implements system.Pauser.
func (n *Node) Pause(ctx context.Context) error { return n.call(ctx, "pause", nil) }

// Resume implements system.Pauser.
func (n *Node) Resume(ctx context.Context) error { return n.call(ctx, "resume", nil) }

// Restart implements system.Restarter.
func (n *Node) Restart(ctx context.Context) error { return n.call(ctx, "restart", nil) }

// Probe implements system.Prober.
func (n *Node) Probe(ctx context.Context, name string) (any, error) {
	var v history.Value
	err := n.env.client.call(ctx, "probe", verbArgs{Instance: n.instance.Name, Name: name}, &v)
	if err != nil {
		return nil, err
	}
	return v.Any(), nil
}

// Inspect implements system.Inspector. It does not ask the holder, which starts
// and breaks the processes, but looks at /proc from here.
func (n *Node) Inspect(ctx context.Context) (system.Inspection, error) {
	if err := ctx.Err(); err != nil {
		return system.Inspection{}, err
	}
	return n.env.inspect(n.instance.Name)
}

// Everything a fault may ask for.
var (
	_ system.Env         = (*Env)(nil)
	_ system.Linker      = (*Env)(nil)
	_ system.Recorder    = (*Env)(nil)
	_ system.Restorer    = (*Env)(nil)
	_ system.Snapshotter = (*Env)(nil)
	_ system.Rewriter    = (*Env)(nil)
	_ system.Logger      = (*Env)(nil)
	_ system.Killer      = (*Node)(nil)
	_ system.Pauser      = (*Node)(nil)
	_ system.Restarter   = (*Node)(nil)
	_ system.Prober      = (*Node)(nil)
	_ system.Inspector   = (*Node)(nil)
)
