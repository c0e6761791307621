package plain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/system"
)

// Names of the environment variables that every process of an environment carries.
const (
	envVar      = "ASSAY_ENV"
	instanceVar = "ASSAY_INSTANCE"
	probeVar    = "ASSAY_PROBE" // only the environment's own questions to an instance carry it
)

// Mark returns the environment variable, "ASSAY_ENV=ID", by which every process
// of the environment is found, whatever became of its parents.
func Mark(id string) string { return envVar + "=" + id }

// A Marked is a process that belongs to an environment.
type Marked struct {
	system.ProcID
	Instance string // "" for a process that lost the name of its instance
	Stopped  bool   // by a signal
	Command  string
	Probe    bool // asks a question, and is no part of the system

	parent int
}

// Processes returns the processes of the environment, ended ones that nobody
// waited for left out. A process belongs to it when its environment carries the
// mark, or when its parent belongs: a program may clear or overwrite its environment. One that did
// belongs, too, when it works in a data folder below the environment's state folder ("" where that is not known).
func Processes(id, stateDir string) ([]Marked, error) { return scan(id, stateDir, nil) }

// KillMarked kills every process of the environment, stopped and daemonised
// ones included, and again until none is left or ctx ends. It returns how many it killed.
func KillMarked(ctx context.Context, id, stateDir string) (killed int, err error) {
	return killUntilGone(ctx, func() ([]Marked, error) { return Processes(id, stateDir) })
}

// killUntilGone kills what list returns until it returns nothing twice in a row:
// a process may fork behind the back of one listing, and end before it is looked at.
func killUntilGone(ctx context.Context, list func() ([]Marked, error)) (killed int, err error) {
	seen, empty := map[system.ProcID]bool{}, 0
	err = poll(ctx, func() (bool, error) {
		processes, err := list()
		if err != nil {
			return false, err
		}
		var failed error
		for _, p := range processes {
			seen[p.ProcID] = true
			failed = errors.Join(failed, signalProc(p.ProcID, sigKill))
		}
		if len(processes) > 0 {
			empty = 0
			return false, failed
		}
		empty++
		return empty == 2, nil
	})
	if err != nil {
		return len(seen), fmt.Errorf("kill what the environment started: %w", err)
	}
	return len(seen), nil
}

// poll asks done until it says true, fails, or ctx ends. It waits little at first:
// most of what is waited for takes a millisecond.
func poll(ctx context.Context, done func() (bool, error)) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// sleep waits, and returns early with the reason when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func sortedMarked(processes map[int]Marked) []Marked {
	return slices.SortedFunc(maps.Values(processes), func(a, b Marked) int { return a.PID - b.PID })
}
