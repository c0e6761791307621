package sim

import (
	"math/rand"
	"os"
	"sync"
	"testing"
	"time"
)

// result is laid out like the struct in the overlay's runtime.
type result struct {
	hash, steps, yields, values uint64
	decisions                   [6]uint64
	now                         uint64
	goroutines                  uint64
	diverged                    uint64
	logged, dropped             uint64
	ext                         uint64
	extWhy                      uint64
	extPCs                      [32]uintptr
}

// process is what is kept from one run to the next: which iteration of a test this is (go test -count).
var process struct {
	sync.Mutex
	loaded bool
	settings
	tests map[string]*iteration
	turns turns
}

type iteration struct {
	t    *testing.T
	n    uint64
	runs int  // that began
	last *run // that began
}

// A run is one bubble from outside.
type run struct {
	controlled bool
	config     config
	mode       mode
	settings   settings
	sim        *Sim
	watch      *watch // nil for none
	number     int    // among those of its test with this seed, from 0
	late       bool   // its test had failed before it
}

// begin sets the runtime up for the next bubble.
func begin(t *testing.T, o Options) *run {
	t.Helper()
	r := &run{controlled: built && rtEnabled()}
	if !r.controlled {
		t.Log("sim: run by go test alone: time is simulated, and the order of events is unseeded and not varied; for that: assay sim")
		return r
	}
	r.settings = r.next(t)
	r.mode = modeOf(r.config.seed)
	if r.settings.mode != "" {
		m, err := parseMode(r.settings.mode)
		if err != nil {
			t.Fatal("sim: ", err)
		}
		r.mode = m
	}
	if r.settings.replay != "" && r.chosen() {
		r.mode = mode{kind: replay}
	}
	o.fill(&r.config)
	c := &r.config
	c.maxSteps, c.maxTime = lower(c.maxSteps, r.settings.steps), lower(c.maxTime, r.settings.limit)
	c.mode, c.yieldN, c.points, c.length = r.mode.kind, r.mode.yieldN, r.mode.points, r.mode.length
	if r.settings.record != "" && r.chosen() {
		c.record = 1
		if r.settings.trace {
			c.record = 2
		}
		rtReserve(1 << 19)
	}
	rtDying(r.dying) // recorded or not: a run that is has the same heap
	r.write(map[string]any{"begin": Report{Test: t.Name(), Seed: c.seed, Run: r.number, Mode: r.mode.String()}})
	if r.settings.vars != "" {
		var err error
		if r.watch, err = newWatch(r.settings.vars); err != nil {
			t.Fatal("sim: ", err)
		}
	}
	rtTemp(os.TempDir())
	rtConfigure(c)
	return r
}

// next takes the seed of this iteration of a test, and the run's number in it. It returns the settings.
func (r *run) next(t *testing.T) settings {
	process.Lock()
	defer process.Unlock()
	if !process.loaded {
		process.loaded = true
		rand.Int() // its source is made at the first use
		holdMappings()
		osFind(findDisk)
		osHostname(hostname)
		syscallHook(simCall)
		process.settings = parseSettings(os.Getenv(Env))
		process.tests = map[string]*iteration{}
		if process.replay != "" && rtLoad(process.replay, process.overrides) < 0 {
			t.Fatalf("sim: the decisions in %s cannot be read", process.replay)
		}
	}
	it := process.tests[t.Name()]
	if it == nil {
		it = &iteration{t: t}
		process.tests[t.Name()] = it
	} else if it.t != t {
		*it = iteration{t: t, n: it.n + 1}
	}
	r.number, r.late = it.runs, t.Failed()
	r.config.seed = process.seed + it.n*process.step
	it.runs, it.last = it.runs+1, r
	if r.number == 0 {
		r.after(t, it)
	}
	return process.settings
}

func (o Options) fill(c *config) {
	or := func(d, def time.Duration) uint64 {
		if d == 0 {
			d = def
		}
		return uint64(max(d, 0))
	}
	c.quantum = or(o.Quantum, time.Millisecond)
	c.maxTime = or(o.Limit, 24*time.Hour)
	c.stall = or(o.Stall, 2*time.Minute)
	if c.maxSteps = o.Steps; c.maxSteps == 0 {
		c.maxSteps = 20e6
	}
}

// lower is the lower of two limits, where 0 is none.
func lower(a, b uint64) uint64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
