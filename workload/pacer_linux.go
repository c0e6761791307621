package workload

import (
	"time"

	"golang.org/x/sys/unix"
)

// sharpen asks the kernel to wake this thread on time: by default it may batch
// wake-ups within 50 µs. Where that is refused, the pacer is later, and Stats say so.
func sharpen() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

// blunt undoes sharpen before the thread is used for other goroutines.
func blunt() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }

// sleep may return early, when a signal arrives.
func sleep(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&left, nil)
}
