package system

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic returns the time on CLOCK_MONOTONIC, which all processes of a
// machine share, so that the holder and the controller write on one axis.
func Monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic("system: CLOCK_MONOTONIC cannot be read: " + err.Error())
	}
	return time.Duration(t.Nano())
}
