package plain

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/telemetry"
)

const (
	probeEvery = 250 * time.Millisecond
	leakEvery  = time.Second
	flushEvery = 250 * time.Millisecond // a holder that dies loses no more than this
)

// A recorder is where events go: nowhere, or to the one recording that is on.
type recorder struct {
	mu sync.Mutex
	on *recording
}

// A recording writes one set of files.
type recording struct {
	env       *Env
	now       func() time.Duration
	events    *history.Writer[history.Event]
	exchanges *history.Writer[history.Exchange]
	decisions *history.Writer[history.Decision]
	series    *telemetry.Writer
	files     []*os.File
	work      sync.WaitGroup
	end       context.CancelFunc
	lost      uint64 // exchanges that the mesh had lost before

	mu     sync.Mutex
	failed error // the first thing that could not be seen or written
}

// Record starts to write events and exchanges to dir; epoch is the run's start
// on CLOCK_MONOTONIC. Its first events are the states of all instances. A probe without an
// answer is an event without a value, whose Text says why.
func (e *Env) Record(ctx context.Context, dir string, epoch time.Duration) error {
	release, err := e.exclusive(ctx)
	if err != nil {
		return fmt.Errorf("record to %s: %w", dir, err)
	}
	defer release()
	if err := e.rec.stop(); err != nil {
		return fmt.Errorf("end the recording before: %w", err)
	}
	r := &recording{env: e, lost: e.mesh.Lost(), now: func() time.Duration { return system.Monotonic() - epoch }}
	if err := r.open(dir); err != nil {
		return fmt.Errorf("record to %s: %w", dir, err)
	}
	e.rec.begin(r, e.nodes)
	e.mesh.SetRecorder(r.now, r.exchange)
	e.mesh.SetJournal(r.now, r.decision)
	life, end := context.WithCancel(e.life)
	r.end = end
	r.work.Go(func() { r.every(life, "flush", flushEvery, r.flush) })
	r.work.Go(func() { r.watchLeaks(life) })
	r.work.Go(func() { r.watchUsage(life) })
	for _, n := range e.nodes {
		for name := range n.probes {
			r.work.Go(func() { r.watchProbe(life, n, name) })
		}
	}
	return nil
}

// StopRecording ends the recording that is on, if any. Its error says that
// something was not recorded that should have been.
func (e *Env) StopRecording(ctx context.Context) error {
	e.rec.settle(ctx)
	return e.rec.stop()
}

func (r *recording) open(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"env.jsonl", "exchanges.jsonl", "series.jsonl", "decisions.jsonl"} {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return errors.Join(err, r.close())
		}
		r.files = append(r.files, file)
	}
	r.events = history.NewWriter[history.Event](r.files[0])
	r.exchanges = history.NewWriter[history.Exchange](r.files[1])
	r.series = telemetry.NewWriter(r.files[2])
	r.decisions = history.NewWriter[history.Decision](r.files[3])
	return nil
}

func (r *recording) close() error {
	var errs error
	for _, file := range r.files {
		errs = errors.Join(errs, file.Close())
	}
	return errs
}

// begin makes r the recording that is on, with the states that instances have now.
func (c *recorder) begin(r *recording, nodes []*node) {
	// Each node's lock is held while its state is written and its later
	// changes go to r, so that none is written before or lost between.
	for _, n := range nodes {
		n.mu.Lock()
		defer n.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = r
	for _, n := range nodes {
		r.write(history.Event{Kind: history.State, Name: string(n.state), Target: n.inst.Name})
	}
}

// event writes to the recording that is on, if any.
func (c *recorder) event(event history.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on != nil {
		c.on.write(event)
	}
}

// write stamps and writes one event. The caller holds the recorder's lock, so events are in order of time.
func (r *recording) write(event history.Event) {
	event.At = r.now()
	r.fail(r.events.Write(event))
}

func (c *recorder) settle(ctx context.Context) {
	c.mu.Lock()
	r := c.on
	c.mu.Unlock()
	if r != nil {
		r.settle(ctx)
	}
}

func (c *recorder) stop() error {
	c.mu.Lock()
	r := c.on
	c.on = nil
	c.mu.Unlock()
	if r == nil {
		return nil
	}
	return r.stop()
}

func (r *recording) stop() error {
	r.end()
	r.work.Wait()
	r.env.mesh.SetRecorder(nil, nil)
	r.env.mesh.SetJournal(nil, nil)
	if lost := r.env.mesh.Lost() - r.lost; lost > 0 {
		r.fail(fmt.Errorf("%d exchanges came faster than they could be written", lost))
	}
	r.flush()
	err := r.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err = errors.Join(r.failed, err); err != nil {
		return fmt.Errorf("the recording is not complete: %w", err)
	}
	return nil
}

func (r *recording) exchange(x history.Exchange) { r.fail(r.exchanges.Write(x)) }
func (r *recording) decision(d history.Decision) { r.fail(r.decisions.Write(d)) }

func (r *recording) flush() {
	r.fail(r.events.Flush())
	r.fail(r.exchanges.Flush())
	r.fail(r.decisions.Flush())
	r.fail(r.series.Flush())
}

func (r *recording) fail(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = err
	}
}

// every runs do at once, and then in turn until ctx ends. The turns of each
// name come at a moment of their own: all at once they would take the processors from the
// load driver, four times a second.
func (r *recording) every(ctx context.Context, name string, period time.Duration, do func()) {
	do()
	if sleep(ctx, time.Duration(hash(name)%uint64(period))) != nil {
		return
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// watchProbe asks one probe and writes its first answer and every change.
func (r *recording) watchProbe(ctx context.Context, n *node, name string) {
	var last history.Event
	first := true
	r.every(ctx, n.inst.Name+"/"+name, probeEvery, func() {
		event := n.answer(ctx, name)
		if ctx.Err() != nil {
			return // the question was cut off, which says nothing of the instance
		}
		if first || event.Text != last.Text || !reflect.DeepEqual(event.Value, last.Value) {
			r.env.note(event)
		}
		last, first = event, false
	})
}

// watchLeaks writes each pair of instances that is connected past the fronts, once.
func (r *recording) watchLeaks(ctx context.Context) {
	type pair struct{ from, to string }
	seen := map[pair]bool{}
	// The scan reads all of /proc. Its thread is never unlocked, so it ends with the goroutine and takes the priority with it.
	runtime.LockOSThread()
	lowPriority()
	r.every(ctx, "leaks", leakEvery, func() {
		leaks, err := r.env.own.Leaks()
		if err != nil {
			r.fail(fmt.Errorf("look for connections past the links: %w", err))
			return
		}
		for _, leak := range leaks {
			if p := (pair{leak.FromInstance, leak.ToInstance}); !seen[p] {
				seen[p] = true
				r.env.note(history.Event{Kind: history.Leak, Name: "leak", Target: leak.FromInstance + " -> " + leak.ToInstance,
					Text: fmt.Sprintf("%s has a connection to %s that bypasses its link: %s to %s", leak.FromInstance, leak.ToInstance, leak.LocalAddr, leak.RemoteAddr)})
			}
		}
	})
}

// hash spreads names over a period, the same in every run.
func hash(name string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, name)
	return h.Sum64()
}
