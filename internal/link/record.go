package link

import (
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// pendingExchanges is how many records wait at most for a slow receiver of them.
const pendingExchanges = 1 << 17

// A recorder hands exchanges, or decisions, to whoever records, on a goroutine of its own, so
// that a slow disk never delays a connection's bytes.
type recorder[T any] struct {
	offset time.Duration // the run's clock less the mesh's
	on     func(T)

	mu     sync.Mutex
	queue  []T
	spare  []T // an empty one, for the next batch
	lost   uint64
	closed bool
	wake   chan struct{}
	ending chan struct{} // closed when nothing more comes
	done   chan struct{}
}

func newRecorder[T any](offset time.Duration, on func(T)) *recorder[T] {
	r := &recorder[T]{offset: offset, on: on, wake: make(chan struct{}, 1), ending: make(chan struct{}), done: make(chan struct{})}
	go r.run()
	return r
}

func (r *recorder[T]) put(x T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= pendingExchanges {
		r.lost++
		return
	}
	r.queue = append(r.queue, x)
	notify(r.wake)
}

func (r *recorder[T]) run() {
	defer close(r.done)
	for {
		batch, closed := r.take()
		for _, x := range batch {
			r.on(x)
		}
		if len(batch) > 0 {
			r.reuse(batch)
			continue
		}
		if closed {
			return
		}
		<-r.wake
		r.gather()
	}
}

// gather lets some exchanges come together: to wake this goroutine for each would cost more than the exchange.
func (r *recorder[T]) gather() {
	select {
	case <-time.After(time.Millisecond):
	case <-r.ending:
	}
}

func (r *recorder[T]) take() ([]T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	batch := r.queue
	r.queue, r.spare = r.spare, nil
	return batch, r.closed
}

// reuse keeps the room of a batch that was handed over, unless it is much.
func (r *recorder[T]) reuse(batch []T) {
	if cap(batch) == 0 || cap(batch) > 4096 {
		return
	}
	clear(batch)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spare = batch[:0]
}

// close returns when all is handed over.
func (r *recorder[T]) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	close(r.ending)
	notify(r.wake)
	<-r.done
}

// SetRecorder hands every request that begins from now on, when it has ended, to on, which is
// called from one goroutine at a time. Times are read from now; nil: Options.Now.
// A nil on switches recording off. Requests in flight at the switch are handed to the recorder before
// with the error "unfinished"; it is not called any more once SetRecorder has returned.
func (m *Mesh) SetRecorder(now func() time.Duration, on func(history.Exchange)) {
	m.arming.Lock()
	defer m.arming.Unlock()
	if on == nil {
		m.swapRecorder(nil)
		return
	}
	m.swapRecorder(newRecorder(m.offset(now), on))
}

// offset returns the clock, or Options.Now, less the mesh's own.
func (m *Mesh) offset(now func() time.Duration) time.Duration {
	if now == nil {
		now = m.opts.Now
	}
	if now == nil {
		return 0
	}
	return now() - m.now()
}

// swapRecorder ends the recorder before. The caller holds arming.
func (m *Mesh) swapRecorder(next *recorder[history.Exchange]) {
	before := m.recorder.Swap(next)
	if before == nil {
		return
	}
	for _, c := range m.connections() {
		c.tap.flush(before)
	}
	before.close()
	m.mu.Lock()
	m.lost += before.lost
	m.mu.Unlock()
}

// Lost returns how many exchanges were dropped because the recorder's receiver
// did not keep up. It is updated when a recorder is switched off.
func (m *Mesh) Lost() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lost
}
