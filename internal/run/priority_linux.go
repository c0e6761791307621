package run

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// prefer gives the driver, and the holder that it starts, precedence over the
// system they measure and over whatever else the machine does: a late driver
// makes every verdict unknown. Services are started at ordinary priority. Without the permission nothing
// happens. Priorities are of threads, and new threads take over their maker's.
func prefer() {
	const nice = -5
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, task := range tasks {
		if tid, err := strconv.Atoi(task.Name()); err == nil {
			unix.Setpriority(unix.PRIO_PROCESS, tid, nice)
		}
	}
}
