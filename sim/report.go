package sim

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
)

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
	FailedAt   string   `json:"failed_at,omitempty"` // file:line of what let the test fail first; "" of a data race
	FailedBy   []string `json:"failed_by,omitempty"` // that frame, and those that called it: function file:line
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
	if current.CompareAndSwap(s, nil) {
		ended.Store(s)
	}
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
		rep.FailedAt, rep.FailedBy = failedAt(t)
	}
	return rep
}

// failedAt is where a test failed: the first frame outside packages testing and sim and outside helpers, as package testing tells it, and those
// that called it. The test that a simulation sees has its helpers in common with the outer one. A data race is noticed at no place of the test.
func failedAt(t *testing.T) (at string, by []string) {
	if t == nil {
		return "", nil
	}
	pcs := testFailed(t)
	if n := slices.Index(pcs, 0); n >= 0 {
		pcs = pcs[:n]
	}
	helpers := testHelpers(t)
	it := runtime.CallersFrames(pcs)
	for more := len(pcs) > 0; more; {
		var f runtime.Frame
		if f, more = it.Next(); strings.HasSuffix(f.Function, ".checkRaces") {
			return "", nil
		}
		if f.File == "" || harness(f.Function) {
			continue
		}
		where := short(f.File) + ":" + strconv.Itoa(f.Line)
		if by = append(by, f.Function+" "+where); at == "" && !slices.Contains(helpers, f.Function) {
			at, by = where, by[len(by)-1:]
		}
	}
	if at == "" && len(by) > 0 { // all of them are helpers
		_, at, _ = strings.Cut(by[len(by)-1], " ")
	}
	return at, by
}

// harness says whether a function is of what runs tests.
func harness(function string) bool {
	return slices.ContainsFunc([]string{"testing.", "testing/", "runtime.", "internal/synctest.", "github.com/assay-dev/assay/sim."}, func(p string) bool { return strings.HasPrefix(function, p) })
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
