package system

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// A Snapshotter is an Env that can say how it stands, so that a rollback can be
// verified as the absence of a difference.
type Snapshotter interface {
	Snapshot(ctx context.Context) (Snapshot, error)
}

// A Snapshot is what must be the same before a fault and after its heal. Pids
// are left out: a restart changes them and is no leftover.
type Snapshot struct {
	Instances map[string]Standing `json:"instances"`
	Rules     []string            `json:"rules,omitempty"` // rules set on links, sorted
}

// A Standing is how one instance stands.
type Standing struct {
	State   State             `json:"state"`
	Running int               `json:"running"`          // processes that carry its mark and run
	Stopped int               `json:"stopped"`          // processes that carry its mark and are stopped by a signal
	Ports   []string          `json:"ports,omitempty"`  // addresses it listens on, sorted
	Limits  map[string]string `json:"limits,omitempty"` // rlimits and cgroup limits of its processes
}

// Diff returns one sentence for each difference from before to after, sorted by instance. Nil means none.
func (before Snapshot) Diff(after Snapshot) []string {
	var diffs []string
	for _, name := range sortedKeys(before.Instances, after.Instances) {
		was, had := before.Instances[name]
		is, has := after.Instances[name]
		switch {
		case !had:
			diffs = append(diffs, fmt.Sprintf("%s: appeared", name))
		case !has:
			diffs = append(diffs, fmt.Sprintf("%s: is gone", name))
		default:
			diffs = append(diffs, was.diff(name, is)...)
		}
	}
	return append(diffs, setDiff("link rule", before.Rules, after.Rules)...)
}

func (before Standing) diff(name string, after Standing) []string {
	var diffs []string
	changed := func(what string, was, is any) {
		if was != is {
			diffs = append(diffs, fmt.Sprintf("%s: %s was %v, is %v", name, what, was, is))
		}
	}
	changed("state", before.State, after.State)
	// Where one process was, a second one is a leftover. A program that forks has as many as it has
	// clients and duties: a Postgres that took over from another runs other processes than before.
	if before.Running <= 1 || after.Running == 0 {
		changed("running processes", before.Running, after.Running)
	}
	changed("stopped processes", before.Stopped, after.Stopped)
	for _, limit := range sortedKeys(before.Limits, after.Limits) {
		if len(after.Limits) > 0 || after.Running > 0 { // what is gone has no limits, which is said above
			changed("limit "+limit, before.Limits[limit], after.Limits[limit])
		}
	}
	return append(diffs, setDiff(name+": port", before.Ports, after.Ports)...)
}

func setDiff(what string, before, after []string) []string {
	var diffs []string
	for _, x := range before {
		if !slices.Contains(after, x) {
			diffs = append(diffs, fmt.Sprintf("%s %s is gone", what, x))
		}
	}
	for _, x := range after {
		if !slices.Contains(before, x) {
			diffs = append(diffs, fmt.Sprintf("%s %s is left", what, x))
		}
	}
	return diffs
}

func sortedKeys[V any](a, b map[string]V) []string {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return slices.Sorted(maps.Keys(keys))
}
