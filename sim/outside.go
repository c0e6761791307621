package sim

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Outside is the first thing that came from outside a simulation: somebody was woken, or took what no seed decides.
type Outside struct {
	Count uint64   `json:"count"`
	Why   string   `json:"why"`
	Stack []string `json:"stack,omitempty"` // of the goroutine of the simulation
}

// outsideWhy is the reason that the overlay's runtime gives by number, with what to do about it.
func outsideWhy(n uint64) string {
	switch n {
	case 1:
		return "a goroutine outside the simulation woke one of it: make what both use inside of sim.Run"
	case 2:
		return "real I/O: a file descriptor of the operating system was waited for: package net is simulated, and package os below a mounted disk"
	case 3:
		return "a system call took longer than half a second of real time: wait by package time, or make it before sim.Run"
	case 5:
		return "a child process: what it does, and when, no seed decides: start it before sim.Run, or let code of the test stand for it"
	case 6:
		return "C code: it knows neither simulated time nor simulated files: take an implementation in Go, or call it before sim.Run"
	case 7:
		return "the real clock was read by a system call: take time.Now, which is simulated"
	case 8:
		return "a system call waits for real time or real I/O: take packages time and net, which are simulated"
	case 9:
		return "a file of /proc, /sys or /dev says something else in each run: read it before sim.Run, or let the test say it"
	case 10:
		return "a real socket was used by a system call: take package net, which is simulated"
	case 11:
		return "random numbers of the operating system: take math/rand or crypto/rand, which the seed decides"
	}
	return "real I/O, or another wait that the operating system ended: package net is simulated, and package os below a mounted disk"
}

// outsideStack names program counters from what the code under test called on: how a library goes about it is nobody's matter.
func outsideStack(pcs []uintptr) []string {
	const most = 8
	if n := slices.Index(pcs, 0); n >= 0 {
		pcs = pcs[:n]
	}
	var all []string
	first, last := -1, -1
	it := runtime.CallersFrames(pcs)
	for more := true; more; {
		var f runtime.Frame
		if f, more = it.Next(); f.Function == "" {
			continue
		}
		if !library(f) {
			if first < 0 {
				first = len(all)
			}
			last = len(all)
		}
		all = append(all, fmt.Sprintf("%s %s:%d", f.Function, short(f.File), f.Line))
	}
	if first < 0 {
		return all[:min(len(all), most)]
	}
	all = all[max(first-1, 0) : last+1]
	return all[:min(len(all), most)]
}

// library reports whether a frame is of the standard library, or of this package.
func library(f runtime.Frame) bool {
	if strings.HasPrefix(f.Function, "github.com/assay-dev/assay/sim.") {
		return true
	}
	if strings.HasSuffix(f.File, "_cgo_gotypes.go") { // what the compiler of C makes of a package; its folder is not the package's
		return true
	}
	known := runtime.FuncForPC(reflect.ValueOf(os.Getpid).Pointer())
	file, _ := known.FileLine(known.Entry())
	if root := strings.TrimSuffix(file, "os/exec.go"); root != "" && root != file {
		return strings.HasPrefix(f.File, root)
	}
	first, _, _ := strings.Cut(f.Function, "/") // built with -trimpath
	return !strings.Contains(first, ".") || !strings.Contains(f.Function, "/")
}

// wrote are the real files that were opened to be written to, outside of the folder for temporary ones: what is left there, the next simulation finds.
func wrote() (all []string) {
	var pcs [32]uintptr
	for i := 0; ; i++ {
		name := rtWrote(i, &pcs)
		if name == "" {
			return all
		}
		for _, frame := range outsideStack(pcs[:]) {
			if i := strings.LastIndexByte(frame, ' '); !strings.HasPrefix(frame, "os.") {
				name += " (" + frame[i+1:] + ")"
				break
			}
		}
		all = append(all, name)
	}
}
