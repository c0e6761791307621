package workload

import (
	"context"
	"runtime"
	"time"
)

// A pacer waits until an instant, on an operating system thread of its own:
// Go's timers are about a millisecond late, the kernel's a few microseconds.
type pacer struct{}

// nap is the longest sleep that cannot be interrupted.
const nap = 2 * time.Millisecond

func newPacer() pacer {
	runtime.LockOSThread()
	sharpen()
	return pacer{}
}

func (pacer) close() {
	blunt()
	runtime.UnlockOSThread()
}

// wait returns true once now has reached at, and false when ctx ends before that.
func (pacer) wait(ctx context.Context, at time.Duration, now func() time.Duration) bool {
	for {
		left := at - now()
		switch {
		case left <= 0:
			return true
		case left > 2*nap:
			if !pause(ctx, left-nap) {
				return false
			}
		case ctx.Err() != nil:
			return false
		default:
			sleep(left)
		}
	}
}
