package link

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timerfd is a kernel timer that the runtime's poller waits for like for a socket. A locked thread that waits for it instead was
// tried: on two processors that were busy with other work, a delay of 5 ms was 0.15 ms later with it (docs/benchmarks.md).
type timerfd struct {
	file *os.File
	fd   int
}

func newTicker() ticker {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return newGoTicker()
	}
	return &timerfd{os.NewFile(uintptr(fd), "timerfd"), fd}
}

// set is never called after close: the alarm outlives whoever calls it.
func (t *timerfd) set(d time.Duration) {
	_ = unix.TimerfdSettime(t.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
}

func (t *timerfd) wait() bool {
	var count [8]byte
	_, err := t.file.Read(count[:])
	return err == nil
}

func (t *timerfd) close() { t.file.Close() }
