package sim

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// waiter is laid out like the struct in the overlay's runtime.
type waiter struct {
	_     uint32 // number of the goroutine: the runtime goes on from there
	host  uint32
	since int64
	pcs   [32]uintptr
}

// long is how long a goroutine waits for a lock until that is worth a word: far longer than a goroutine that is preempted holds it.
const long = time.Second

// stuck notes, at the end of a run, which goroutines have waited for a lock for long. What a host held when it crashed stays locked, and
// where that is in what outlives the crash, as a log in memory, whoever comes next waits for ever: seldom is that what a test is about. It is told of a run that fails.
func (s *Sim) stuck() {
	if !s.controlled {
		return
	}
	const most = 10
	s.pinned(func() {
		var w waiter
		for n := 0; n < most && rtWaits(&w); {
			if s.Now()-time.Duration(w.since) < long {
				continue
			}
			n++
			text := "has waited for a lock since " + time.Duration(w.since).String() + ": " + place(w.pcs[:])
			if s.crashed() {
				text += "; a crash leaves locks locked that the dead held"
			}
			s.events = append(s.events, event{at: s.Now(), host: s.hostOf(w.host), text: text})
		}
	})
}

// crashed reports whether a host has crashed so far.
func (s *Sim) crashed() bool {
	return int(s.world.booted) > len(s.world.hosts) || slices.ContainsFunc(s.world.hosts, func(h *Host) bool { return !h.Up() })
}

// place is the first frame outside of the locks' own packages.
func place(pcs []uintptr) string {
	for it := runtime.CallersFrames(pcs); ; {
		f, more := it.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "sync.") && !strings.HasPrefix(f.Function, "internal/sync.") && !strings.HasPrefix(f.Function, "runtime.") {
			return f.Function + " " + short(f.File) + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return "?"
		}
	}
}
