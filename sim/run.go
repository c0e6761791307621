package sim

import (
	"encoding/json"
	"math/rand"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
)

// Env is the environment variable by which "assay sim" tells a test binary what to run. Its value is
// settings "key=value" with ; in between. It must be there from the start of the process.
const Env = "ASSAY_SIM"

// settings of a process.
type settings struct {
	seed, step uint64 // the nth iteration of a test takes seed + n*step
	mode       string // "" for the seed's own
	report     string // file that reports are appended to, as JSON lines
	record     string // file that decisions are written to
	trace      bool   // and all that the trace is a hash of
	replay     string // file of decisions to make
	overrides  int    // how many are in it
	steps      uint64 // give up after so many goroutines were picked, where that is fewer than the test allows
	limit      uint64 // and after so much simulated time, ns
	vars       string // file of package variables to watch
	run        int    // which simulation of a test is recorded, and replayed, from 0: others go by the seed
}

func parseSettings(text string) settings {
	s := settings{step: 1}
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, ";")
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "seed":
			s.seed, _ = strconv.ParseUint(value, 10, 64)
		case "step":
			s.step, _ = strconv.ParseUint(value, 10, 64)
		case "mode":
			s.mode = value
		case "report":
			s.report = value
		case "record":
			s.record = value
		case "trace":
			s.trace = value == "1"
		case "replay":
			s.replay = value
		case "overrides":
			s.overrides, _ = strconv.Atoi(value)
		case "steps":
			s.steps, _ = strconv.ParseUint(value, 10, 64)
		case "limit":
			s.limit, _ = strconv.ParseUint(value, 10, 64)
		case "vars":
			s.vars = value
		case "run":
			s.run, _ = strconv.Atoi(value)
		}
	}
	return s
}

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

// A Report is what a test binary says of one simulation, one line of JSON.
type Report struct {
	Test       string   `json:"test"`
	Seed       uint64   `json:"seed"`
	Run        int      `json:"run,omitempty"` // among the simulations of its test with this seed, from 0
	Mode       string   `json:"mode"`
	Go         string   `json:"go,omitempty"`
	Trace      string   `json:"trace,omitempty"` // hash of all that happened in order: equal for two runs of one seed
	Failed     bool     `json:"failed,omitempty"`
	Skipped    string   `json:"skipped,omitempty"`
	Steps      uint64   `json:"steps,omitempty"`
	Yields     uint64   `json:"yields,omitempty"`
	Values     uint64   `json:"values,omitempty"` // random numbers that the program saw
	Decisions  uint64   `json:"decisions,omitempty"`
	Goroutines uint64   `json:"goroutines,omitempty"`
	SimNS      uint64   `json:"sim_ns,omitempty"`
	Diverged   uint64   `json:"diverged,omitempty"` // decisions to make that this run did not have
	Logged     uint64   `json:"logged,omitempty"`
	Dropped    uint64   `json:"dropped,omitempty"`
	Outside    *Outside `json:"outside,omitempty"` // why this run may not be the seed's
	Points     []Point  `json:"points,omitempty"`
	Events     []string `json:"events,omitempty"`    // of a failed run
	FailedAt   string   `json:"failed_at,omitempty"` // file:line of what let the test fail first
	Swarm      string   `json:"swarm,omitempty"`     // faults that the seed drew, where it drew any
	Hosts      []string `json:"hosts,omitempty"`     // of a failed run, in order of address
	Covers     []Cell   `json:"covers,omitempty"`
	Vars       []string `json:"vars,omitempty"`  // package variables that changed, of those that were to be watched
	Wrote      []string `json:"wrote,omitempty"` // real files that were opened to write to, and where
	// History are the operations of histories of which a check does not hold.
	History []history.Op `json:"history,omitempty"`
}

// end reports, and gives the outer test its word.
func (r *run) end(t *testing.T, s *Sim) {
	current.CompareAndSwap(s, nil)
	if r.controlled {
		r.write(map[string]any{"end": r.report(t, s)})
		r.record(t)
	}
	if t.Failed() && r.controlled {
		t.Logf("sim: seed %d, mode %v, %s", r.config.seed, r.mode, runtime.Version())
	}
	s.skipOuter(t)
}

// dying reports what was seen of a run that takes its process with it, and keeps its decisions: there is nobody to tell an error.
func (r *run) dying() {
	if !r.controlled || r.sim.t == nil {
		return
	}
	rep := r.report(r.sim.t, r.sim)
	rep.Failed, rep.Events, rep.Hosts = true, r.sim.eventLines(), names(r.sim.world.hosts)
	r.write(map[string]any{"dying": rep})
	if r.settings.record != "" && r.chosen() {
		r.sim.writeDecisions(r.settings.record)
	}
}

// record writes the decisions of the run, if that was asked for.
func (r *run) record(t *testing.T) {
	if !r.controlled || r.settings.record == "" || !r.chosen() {
		return
	}
	if err := r.sim.writeDecisions(r.settings.record); err != nil {
		t.Error("sim: the decisions cannot be recorded: ", err)
	}
}

func (r *run) report(t *testing.T, s *Sim) Report {
	var res result
	rtLast(&res)
	rep := Report{
		Test: t.Name(), Seed: r.config.seed, Run: r.number, Mode: r.mode.String(), Go: runtime.Version(), Trace: strconv.FormatUint(res.hash, 16),
		Failed: s.failed(t), Skipped: s.skipped(), Steps: res.steps, Yields: res.yields, Values: res.values, Goroutines: res.goroutines,
		SimNS: res.now, Diverged: res.diverged, Logged: res.logged, Dropped: res.dropped,
	}
	for _, n := range res.decisions {
		rep.Decisions += n
	}
	if res.ext > 0 {
		rep.Outside = &Outside{Count: res.ext, Why: outsideWhy(res.extWhy), Stack: outsideStack(res.extPCs[:])}
	}
	rep.Wrote = wrote()
	rep.Points, rep.Covers, rep.History, rep.Swarm = s.sortedPoints(), s.covers, s.broken, s.swarm
	if r.watch != nil {
		rep.Vars = r.watch.changed()
	}
	if rep.Failed {
		rep.Events, rep.Hosts = s.eventLines(), names(s.world.hosts)
		rep.FailedAt = failedAt(t)
	}
	return rep
}

// failedAt is the first frame outside packages testing and sim of where a test failed.
func failedAt(t *testing.T) string {
	if t == nil {
		return ""
	}
	pcs := testFailed(t)
	n := slices.Index(pcs, 0)
	if n < 0 {
		n = len(pcs)
	}
	if n == 0 {
		return ""
	}
	for it := runtime.CallersFrames(pcs[:n]); ; {
		f, more := it.Next()
		if !strings.HasPrefix(f.Function, "testing.") && !strings.HasPrefix(f.Function, "github.com/assay-dev/assay/sim.") && f.File != "" {
			return short(f.File) + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return ""
		}
	}
}

// write appends one line to the report.
func (r *run) write(v any) {
	if r.settings.report == "" {
		return
	}
	line, err := json.Marshal(v)
	if err != nil {
		panic(err) // reports are plain data
	}
	f, err := os.OpenFile(r.settings.report, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		panic("sim: the report cannot be written: " + err.Error())
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		panic("sim: the report cannot be written: " + err.Error())
	}
}
