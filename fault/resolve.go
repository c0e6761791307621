package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/system"
)

const (
	roleWait  = 5 * time.Second        // how long a role may be held by nobody: an election is on
	roleRound = time.Second            // how long one round of questions may take
	rolePause = 100 * time.Millisecond // between rounds
)

// resolve returns the sorted names of the instances that s selects. A role is
// asked of env now; with a nil env it stands for itself.
func resolve(ctx context.Context, sys system.System, env system.Env, s selector) ([]string, error) {
	found, wrong := s.match(sys)
	if wrong != nil {
		return nil, errors.New(strings.TrimPrefix(wrong.Error(), ": "))
	}
	all := names(found)
	if s.role != "" && env == nil {
		all = roleNames(s, found)
	} else if s.role != "" {
		var err error
		if all, err = holders(ctx, env, s, all); err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// roleNames writes "db[role=leader]" for each service whose instances may be meant.
func roleNames(s selector, found []system.Instance) []string {
	all := make([]string, len(found))
	for i, instance := range found {
		s.name = instance.Service
		all[i] = s.String()
	}
	return all
}

// holders asks the named nodes who has the role, until somebody has.
func holders(ctx context.Context, env system.Env, s selector, names []string) ([]string, error) {
	nodes, err := nodesOf(env, names)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, roleWait)
	defer cancel()
	var last []answer
	for {
		answers := askRoles(ctx, nodes)
		if have := withRole(nodes, answers, s.role); len(have) > 0 {
			return have, nil
		}
		// A round that the deadline cut off knows less than the one before.
		if ctx.Err() == nil || last == nil {
			last = answers
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no instance of %s has the role %s (%s)", s.noun(), s.role, told(nodes, last))
		case <-time.After(rolePause):
		}
	}
}

// An answer is what a node said of its role, or why it did not.
type answer struct {
	role any
	err  error
}

func askRoles(ctx context.Context, nodes []system.Node) []answer {
	ctx, cancel := context.WithTimeout(ctx, roleRound)
	defer cancel()
	answers := make([]answer, len(nodes))
	each(nodes, func(i int, node system.Node) error {
		prober, ok := node.(system.Prober)
		if !ok {
			answers[i].err = &system.UnsupportedError{Target: node.Instance().Name, Power: "Prober"}
			return nil
		}
		answers[i].role, answers[i].err = prober.Probe(ctx, roleProbe)
		return nil
	})
	return answers
}

func withRole(nodes []system.Node, answers []answer, role string) []string {
	var have []string
	for i, a := range answers {
		if a.err == nil && a.role != nil && fmt.Sprint(a.role) == role {
			have = append(have, nodes[i].Instance().Name)
		}
	}
	return have
}

// told lists who answered what: "db-1: follower, db-2: no answer: connection refused".
func told(nodes []system.Node, answers []answer) string {
	parts := make([]string, len(nodes))
	for i, a := range answers {
		text := fmt.Sprint(a.role)
		if a.err != nil {
			text = "no answer: " + a.err.Error()
		}
		parts[i] = nodes[i].Instance().Name + ": " + text
	}
	return strings.Join(parts, ", ")
}
