package hold

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
)

// An Env is an environment in another process, reached through its holder. It
// offers every power of package system; one that the environment itself lacks
// fails when it is used, with the *system.UnsupportedError that the holder got.
// It is safe for concurrent use.
type Env struct {
	client  *client
	welcome welcome
	life    *life // of the holder, nil for a client that is not the owner

	mu    sync.Mutex
	addrs map[addrKey]string
}

type addrKey struct {
	from, host string
	port       int
}

func newEnv(c *client, w welcome, l *life) *Env {
	return &Env{client: c, welcome: w, life: l, addrs: map[addrKey]string{}}
}

// Attach returns the environment that listens on socket, as one more client: it
// may use and break the environment. Its Close only hangs up; what it broke and did not heal is healed by the holder then, and
// just so when this process dies.
func Attach(ctx context.Context, socket string) (*Env, error) {
	if socket == "" {
		return nil, errors.New("attach to environment: it is still starting")
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("attach to environment: %w", err)
	}
	c := newClient("at "+socket, conn, func() string { return "" })
	var w welcome
	if err := c.call(ctx, "hello", helloArgs{Version: version}, &w); err != nil {
		c.hangUp()
		return nil, fmt.Errorf("attach to environment at %s: %w", socket, err)
	}
	return newEnv(c, w, nil), nil
}

// Info returns where the environment runs.
func (e *Env) Info() Info { return e.welcome.Info }

// System returns the topology that runs.
func (e *Env) System() system.System { return e.welcome.System }

// Nodes returns one node for each instance.
func (e *Env) Nodes() []system.Node {
	nodes := make([]system.Node, len(e.welcome.Nodes))
	for i, instance := range e.welcome.Nodes {
		nodes[i] = &Node{env: e, instance: instance}
	}
	return nodes
}

// Addr returns what from dials. An address is a proxy's, stable across restarts, so each is asked for once.
func (e *Env) Addr(ctx context.Context, from, host string, port int) (string, error) {
	if err := e.client.lost(); err != nil {
		return "", err
	}
	key := addrKey{from, host, port}
	e.mu.Lock()
	addr, ok := e.addrs[key]
	e.mu.Unlock()
	if ok {
		return addr, nil
	}
	if err := e.client.call(ctx, "addr", verbArgs{From: from, Host: host, Port: port}, &addr); err != nil {
		return "", err
	}
	e.mu.Lock()
	e.addrs[key] = addr
	e.mu.Unlock()
	return addr, nil
}

// SetRule implements system.Linker.
func (e *Env) SetRule(ctx context.Context, id string, links []system.Link, rule system.Rule) error {
	return e.client.call(ctx, "set-rule", verbArgs{ID: id, Links: links, Rule: rule}, nil)
}

// ClearRule implements system.Linker.
func (e *Env) ClearRule(ctx context.Context, id string) error {
	return e.client.call(ctx, "clear-rule", verbArgs{ID: id}, nil)
}

// LinkStats implements system.Linker.
func (e *Env) LinkStats(ctx context.Context) ([]system.LinkStats, error) {
	var stats []system.LinkStats
	err := e.client.call(ctx, "link-stats", verbArgs{}, &stats)
	return stats, err
}

// Broken returns what is broken in the environment now, by whomever, the oldest first.
func (e *Env) Broken(ctx context.Context) ([]Broken, error) {
	var all []Broken
	err := e.client.call(ctx, "broken", struct{}{}, &all)
	return all, err
}

// Done is closed when the environment is gone, or this client's connection to it.
func (e *Env) Done() <-chan struct{} { return e.client.first }

// Lost returns why there are no more answers, nil while there are.
func (e *Env) Lost() error { return e.client.lost() }

// Record implements system.Recorder. The holder writes the files.
func (e *Env) Record(ctx context.Context, dir string, epoch time.Duration) error {
	dir, err := filepath.Abs(dir) // the holder works in another directory
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return e.client.call(ctx, "record", verbArgs{Dir: dir, Epoch: epoch}, nil)
}

// StopRecording implements system.Recorder.
func (e *Env) StopRecording(ctx context.Context) error {
	return e.client.call(ctx, "stop-recording", verbArgs{}, nil)
}

// Checkpoint implements system.Restorer.
func (e *Env) Checkpoint(ctx context.Context) error {
	return e.client.call(ctx, "checkpoint", verbArgs{}, nil)
}

// Restore implements system.Restorer.
func (e *Env) Restore(ctx context.Context) error {
	return e.client.call(ctx, "restore", verbArgs{}, nil)
}

// Snapshot implements system.Snapshotter.
func (e *Env) Snapshot(ctx context.Context) (system.Snapshot, error) {
	var s system.Snapshot
	err := e.client.call(ctx, "snapshot", verbArgs{}, &s)
	return s, err
}

// Rewrite implements system.Rewriter.
func (e *Env) Rewrite(ctx context.Context, from, text string) (string, error) {
	var rewritten string
	err := e.client.call(ctx, "rewrite", verbArgs{From: from, Text: text}, &rewritten)
	return rewritten, err
}

// Trusted implements system.Truster.
func (e *Env) Trusted(ctx context.Context) ([]byte, error) {
	var trusted []byte
	err := e.client.call(ctx, "trusted", verbArgs{}, &trusted)
	return trusted, err
}

// Log implements system.Logger.
func (e *Env) Log(ctx context.Context, instance string, lines int) ([]string, error) {
	var log []string
	err := e.client.call(ctx, "log", verbArgs{Instance: instance, Lines: lines}, &log)
	return log, err
}

// Close ends the environment and returns when its holder has exited and its
// state is gone; for a client that attached it only hangs up. A second call
// waits for the first and returns the same.
//
// An environment that ended before, without being asked to, is an error here too, though nothing of it is left:
// what was observed of it since then is not what the caller thinks. When ctx ends first,
// the holder is left to finish by itself.
func (e *Env) Close(ctx context.Context) error {
	if e.life == nil {
		e.client.hangUp()
		return nil
	}
	return e.life.close(ctx, e.client)
}

// inspect looks for the environment's processes from here, not through the holder.
func (e *Env) inspect(instance string) (system.Inspection, error) {
	marked, err := plain.Processes(e.welcome.Info.ID, plainDir(e.welcome.Info.Dir))
	if err != nil {
		return system.Inspection{}, fmt.Errorf("inspect %s: %w", instance, err)
	}
	var i system.Inspection
	for _, p := range marked {
		if p.Instance == instance && !p.Probe {
			i.Processes = append(i.Processes, system.Proc{ID: p.ProcID, Stopped: p.Stopped, Command: p.Command})
		}
	}
	return i, nil
}

// exists says whether the folder is there.
func exists(dir string) bool {
	_, err := os.Lstat(dir)
	return !errors.Is(err, os.ErrNotExist)
}
