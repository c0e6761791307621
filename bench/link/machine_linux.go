package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// processTime returns the processor time of a process, to the nanosecond: the kernel's clock of it.
func processTime(pid int) time.Duration {
	const schedulers = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulers), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// fdsOf returns how many file descriptors a process has.
func fdsOf(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries), err
}

// residentOf returns the resident memory of a process in bytes.
func residentOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm: %q", pid, text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// raiseFiles allows as many file descriptors as there may be.
func raiseFiles() {
	limit := filesLimit()
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit})
}

func filesLimit() uint64 {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil {
		return 0
	}
	return now.Max
}

// dieWithUs ends the command when this process is killed.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// A moment is what the kernel counted up to then.
type moment struct {
	at                 time.Time
	busy, idle, stolen float64 // seconds of all processors
	own                float64 // of this process and those that it waited for
	load               string
}

func machineNow() moment {
	m := moment{at: time.Now()}
	stat, _ := os.ReadFile("/proc/stat")
	fields := strings.Fields(strings.SplitN(string(stat), "\n", 2)[0])
	for i, f := range fields[min(len(fields), 1):] {
		ticks, _ := strconv.ParseFloat(f, 64)
		seconds := ticks / 100
		switch i {
		case 3, 4:
			m.idle += seconds
		case 7:
			m.stolen += seconds
		case 0, 1, 2, 5, 6:
			m.busy += seconds
		}
	}
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var used unix.Rusage
		if unix.Getrusage(who, &used) == nil {
			m.own += float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	m.load = strings.Join(strings.Fields(string(load))[:min(1, len(strings.Fields(string(load))))], "")
	return m
}
