package hold

import (
	"context"
	"fmt"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// A verb does one thing to a running environment.
type verb func(ctx context.Context, env system.Env, a verbArgs) (any, error)

// verbs returns what clients may ask of an environment, by name.
func verbs() map[string]verb {
	return map[string]verb{
		"addr":           addr,
		"state":          state,
		"kill":           nodeVerb("Killer", func(ctx context.Context, n system.Killer, _ verbArgs) error { return n.Kill(ctx) }),
		"start-instance": nodeVerb("Killer", func(ctx context.Context, n system.Killer, _ verbArgs) error { return n.Start(ctx) }),
		"pause":          nodeVerb("Pauser", func(ctx context.Context, n system.Pauser, _ verbArgs) error { return n.Pause(ctx) }),
		"resume":         nodeVerb("Pauser", func(ctx context.Context, n system.Pauser, _ verbArgs) error { return n.Resume(ctx) }),
		"restart":        nodeVerb("Restarter", func(ctx context.Context, n system.Restarter, _ verbArgs) error { return n.Restart(ctx) }),
		"probe":          probe,
		"set-rule": envVerb("Linker", func(ctx context.Context, e system.Linker, a verbArgs) (any, error) {
			return nil, e.SetRule(ctx, a.ID, a.Links, a.Rule)
		}),
		"clear-rule": envVerb("Linker", func(ctx context.Context, e system.Linker, a verbArgs) (any, error) {
			return nil, e.ClearRule(ctx, a.ID)
		}),
		"link-stats": envVerb("Linker", func(ctx context.Context, e system.Linker, _ verbArgs) (any, error) {
			return e.LinkStats(ctx)
		}),
		"record": envVerb("Recorder", func(ctx context.Context, e system.Recorder, a verbArgs) (any, error) {
			return nil, e.Record(ctx, a.Dir, a.Epoch)
		}),
		"stop-recording": envVerb("Recorder", func(ctx context.Context, e system.Recorder, _ verbArgs) (any, error) {
			return nil, e.StopRecording(ctx)
		}),
		"checkpoint": envVerb("Restorer", func(ctx context.Context, e system.Restorer, _ verbArgs) (any, error) {
			return nil, e.Checkpoint(ctx)
		}),
		"restore": envVerb("Restorer", func(ctx context.Context, e system.Restorer, _ verbArgs) (any, error) {
			return nil, e.Restore(ctx)
		}),
		"snapshot": envVerb("Snapshotter", func(ctx context.Context, e system.Snapshotter, _ verbArgs) (any, error) {
			return e.Snapshot(ctx)
		}),
		"rewrite": envVerb("Rewriter", func(ctx context.Context, e system.Rewriter, a verbArgs) (any, error) {
			return e.Rewrite(ctx, a.From, a.Text)
		}),
		"trusted": trusted,
		"log": envVerb("Logger", func(ctx context.Context, e system.Logger, a verbArgs) (any, error) {
			return e.Log(ctx, a.Instance, a.Lines)
		}),
	}
}

// envVerb asks env for a power and uses it.
func envVerb[P any](power string, do func(context.Context, P, verbArgs) (any, error)) verb {
	return func(ctx context.Context, env system.Env, a verbArgs) (any, error) {
		p, ok := env.(P)
		if !ok {
			return nil, &system.UnsupportedError{Target: env.System().Name, Power: power}
		}
		return do(ctx, p, a)
	}
}

// nodeVerb asks the node of a.Instance for a power and uses it.
func nodeVerb[P any](power string, do func(context.Context, P, verbArgs) error) verb {
	return func(ctx context.Context, env system.Env, a verbArgs) (any, error) {
		n, err := nodePower[P](env, a.Instance, power)
		if err != nil {
			return nil, err
		}
		return nil, do(ctx, n, a)
	}
}

func nodePower[P any](env system.Env, instance, power string) (P, error) {
	var none P
	node, err := node(env, instance)
	if err != nil {
		return none, err
	}
	p, ok := node.(P)
	if !ok {
		return none, &system.UnsupportedError{Target: instance, Power: power}
	}
	return p, nil
}

func node(env system.Env, instance string) (system.Node, error) {
	for _, n := range env.Nodes() {
		if n.Instance().Name == instance {
			return n, nil
		}
	}
	return nil, fmt.Errorf("environment has no instance %q", instance)
}

// trusted answers with nothing where the environment ends no TLS.
func trusted(ctx context.Context, env system.Env, _ verbArgs) (any, error) {
	if e, ok := env.(system.Truster); ok {
		return e.Trusted(ctx)
	}
	return []byte{}, nil
}

func addr(ctx context.Context, env system.Env, a verbArgs) (any, error) {
	return env.Addr(ctx, a.From, a.Host, a.Port)
}

func state(ctx context.Context, env system.Env, a verbArgs) (any, error) {
	n, err := node(env, a.Instance)
	if err != nil {
		return nil, err
	}
	return n.State(ctx)
}

// probe answers with a history.Value, whose JSON keeps int64 and float64 apart.
func probe(ctx context.Context, env system.Env, a verbArgs) (any, error) {
	n, err := nodePower[system.Prober](env, a.Instance, "Prober")
	if err != nil {
		return nil, err
	}
	answer, err := n.Probe(ctx, a.Name)
	if err != nil {
		return nil, err
	}
	value, err := history.Of(answer)
	if err != nil {
		return nil, fmt.Errorf("probe %s of %s: %w", a.Name, a.Instance, err)
	}
	return value, nil
}
