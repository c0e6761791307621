// Package report shows what a run came to: as one HTML file that opens without a network, as text, Markdown,
// JUnit XML, GitHub annotations and JSON. All of them are drawn from one model, [Report], and it is built from
// what lies on disk: a run that failed, was interrupted or was killed is reported as well as one that passed.
//
//	r, err := report.Build(run, report.Options{})
//	err = r.HTML(file)
//
// Records are read as streams and counted in at most 600 stretches of the time axis. Only the slowest
// operations, the first that failed, one of each commonest error and the witnesses of failed checks are kept.
package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// Options decide how a report is built. The zero value reads everything.
type Options struct {
	// Folder is put before positions of the user's files, so that they are where the reader stands: "examples/shop".
	Folder string
	// Report is the command that shows this run in full, for forms that have no room for it.
	Report string
	// Gate is the command that decides about a release; "" is "assay gate".
	Gate string
	// Card is what the run proves, where it was verified just now; nil reads and verifies it.
	Card *evidence.Card
	// Cards are those of all runs of the store, newest first, and Modes the columns, in order. They make the matrix; without
	// them it is of this run alone.
	Cards []evidence.Card
	Modes []string
	Now   time.Time // of the matrix; zero is now
	// Workers is how many parts of a file are read at once; 0 is one a processor.
	Workers int
}

// A Report is what a run came to, ready to be shown.
type Report struct {
	ID          string             `json:"id"`
	System      string             `json:"system"`
	Verdict     verdict.Verdict    `json:"verdict"`
	Reason      string             `json:"reason,omitempty"` // why the run as a whole is no pass, where that is not an experiment's
	Status      evidence.Status    `json:"status"`
	Interrupted bool               `json:"interrupted,omitempty"`
	Broke       bool               `json:"broke,omitempty"`
	Refused     string             `json:"refused,omitempty"` // why nothing of it counts
	Headlines   []Headline         `json:"headlines,omitempty"`
	Matrix      matrix.Matrix      `json:"matrix"`
	Experiments []Experiment       `json:"experiments"`
	Meta        evidence.Meta      `json:"meta"`
	Ended       time.Time          `json:"ended,omitzero"`
	Subjects    []evidence.Subject `json:"subjects,omitempty"`
	Timings     []Lap              `json:"timings,omitempty"`
	Digests     map[string]string  `json:"digests,omitempty"`  // of the files that were sealed
	Problems    []string           `json:"problems,omitempty"` // what of the run cannot be read
	Dir         string             `json:"dir"`
	Command     string             `json:"command,omitempty"` // shows the run in full
	files       string             // put before positions
	gate        string             // decides about a release
	declared    evidence.Declaration
}

// A Lap is how long a part of the run took, as timings.json says it.
type Lap struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

// An Experiment is what was judged of one experiment, and what its records show.
type Experiment struct {
	evidence.ExperimentResult
	Folder     string            `json:"folder"`            // of its records, below x/
	Control    bool              `json:"control,omitempty"` // a control ran it on a worse system: its failures are meant
	Pos        string            `json:"pos,omitempty"`     // file:line:column of its file
	FaultText  string            `json:"fault,omitempty"`   // its faults in one line
	NotRun     bool              `json:"not_run,omitempty"`
	Positions  map[string]string `json:"positions,omitempty"` // of expectations, by "PHASE: EXPRESSION"
	Course     []evidence.Phase  `json:"course,omitempty"`    // the phases as the records tell them
	Faults     []Fault           `json:"faults,omitempty"`
	Lanes      []Lane            `json:"lanes,omitempty"`
	Moments    []Moment          `json:"moments,omitempty"`
	Dropped    int               `json:"dropped,omitempty"` // marks beyond what is kept
	Journeys   []Journey         `json:"journeys,omitempty"`
	Operations []Operation       `json:"operations,omitempty"`
	Damage     []Damage          `json:"damage,omitempty"`
	End        time.Duration     `json:"end"` // of the time axis
	First      uint64            `json:"first_failure,omitempty"`
	Elsewhere  bool              `json:"replay_elsewhere,omitempty"` // Replay is of the machine that ran it
}

// A Journey is what the operations of one journey came to over a whole experiment.
type Journey struct {
	Name     string        `json:"name"`
	OK       int64         `json:"ok"` // degraded ones included
	Degraded int64         `json:"degraded,omitempty"`
	Failed   int64         `json:"failed,omitempty"`
	Maybe    int64         `json:"maybe,omitempty"`
	P50      time.Duration `json:"p50"` // these three are within 1.6 %
	P95      time.Duration `json:"p95"`
	P99      time.Duration `json:"p99"`
	Max      time.Duration `json:"max"`
	Errors   []ErrorCount  `json:"errors,omitempty"` // the commonest
	Others   int64         `json:"others,omitempty"` // operations that were not ok with another error than those
	Width    time.Duration `json:"width"`            // of a point
	Points   []Point       `json:"points,omitempty"`
	Limits   []Limit       `json:"limits,omitempty"`
}

// Count is how many operations of the journey there were.
func (j Journey) Count() int64 { return j.OK + j.Failed + j.Maybe }

const (
	mostErrors   = 8     // texts shown of one journey
	tracedErrors = 4     // of which so many have an example that is shown whole
	allPoints    = 15000 // of all journeys of a report together; at least fewPoints each, and at most mostPoints
)

// Build reads a run. It gives a report whatever state the run is in; its error is that there is no run.
func Build(run *evidence.Run, opts Options) (*Report, error) {
	if opts.Workers < 1 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	card := make(chan evidence.Card, 1)
	go func() { card <- cardOf(run, opts) }()
	r := &Report{ID: run.ID(), Dir: run.Dir(), Command: opts.Report, files: opts.Folder, gate: cmp.Or(opts.Gate, "assay gate")}
	plan := r.about(run)
	folders, err := run.Experiments()
	r.problem(err)
	list := plan.order(folders)
	for _, x := range list {
		r.Experiments = append(r.Experiments, r.experiment(run, plan, x, opts, pointsEach(len(list)*len(plan.Journeys))))
	}
	own := <-card
	r.conclude(own)
	r.headlines(plan)
	r.Matrix = r.matrixOf(own, opts)
	return r, nil
}

// cardOf verifies the run where nobody has: it reads every byte once more, to compare it with the seal.
func cardOf(run *evidence.Run, opts Options) evidence.Card {
	if opts.Card != nil {
		return *opts.Card
	}
	return run.Card()
}

// pointsEach is how many points each of so many series gets, so that a run of many stays a file that opens at once.
func pointsEach(series int) int { return min(mostPoints, max(fewPoints, allPoints/max(series, 1))) }

// about reads what the run says of itself.
func (r *Report) about(run *evidence.Run) plan {
	var err error
	r.Meta, err = run.Meta()
	r.problem(err)
	r.declared, err = run.Declaration()
	r.problem(err)
	r.Subjects, err = run.Subjects()
	r.late(err)
	r.Timings, err = readFile[[]Lap](run, "timings.json")
	r.late(err)
	var p plan
	if !r.foreign() {
		p, err = readFile[plan](run, "plan.json")
		r.problem(err)
	}
	r.System = p.System.Name
	if r.System == "" {
		r.System = r.declared.System
	}
	if end, err := run.End(); err == nil {
		r.Ended, r.Interrupted, r.Digests = end.Ended, end.Interrupted, end.Files
	}
	return p
}

func (r *Report) problem(err error) {
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
}

// late is problem for files that are written towards the end: a run that was cut short has none.
func (r *Report) late(err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		r.problem(err)
	}
}

// conclude says what the run is worth. It is never better than its seal says, and a run that is not whole is unknown.
func (r *Report) conclude(card evidence.Card) {
	r.Status, r.Refused = card.Status, card.Refused
	if card.End != nil && (r.Interrupted || card.End.Reason != "") && r.early() && strings.Contains(r.Refused, subjectsFile) {
		r.Refused = "" // it ended before it knew what would run, and that is the reason to tell
	}
	var parts []verdict.Verdict
	for _, x := range r.Experiments {
		if !x.Control {
			parts = append(parts, x.Verdict)
		}
	}
	switch {
	case r.Refused != "":
		r.Verdict, r.Reason = verdict.Unknown, r.Refused
		return
	case card.End == nil:
		r.Verdict, r.Reason = verdict.Unknown, card.Reason
		return
	case r.Interrupted:
		r.Reason = "it was interrupted: its records are partial"
		parts = append(parts, verdict.Unknown)
	case card.End.Reason != "":
		r.Reason, r.Broke = "it broke: "+card.End.Reason, true
		parts = append(parts, verdict.Unknown)
	case card.End.Verdict == verdict.Unknown:
		parts = append(parts, verdict.Unknown) // judged again, it does not become more than it was whole
	}
	r.Verdict = verdict.Merge(parts...)
}

// Place puts the folder of the user's files before every position, where none was known when the report was built.
func (r *Report) Place(folder string) {
	if r.files != "" {
		return
	}
	r.files = folder
	for i := range r.Headlines {
		r.Headlines[i].Pos = r.place(r.Headlines[i].Pos)
	}
}

const subjectsFile = "subjects.json"

// early says whether the run ended before the system was up. Had the file been taken away later, the seal would tell.
func (r *Report) early() bool {
	_, sealed := r.Digests[subjectsFile]
	return !sealed && len(r.Subjects) == 0
}

// Whole says whether the run came to its end and is as it was sealed. Of one that is not, nothing counts.
func (r *Report) Whole() bool { return r.Status == evidence.Complete && r.Refused == "" }

// experiment reads one experiment's judgement and records.
func (r *Report) experiment(run *evidence.Run, plan plan, x ordered, opts Options, points int) Experiment {
	e := Experiment{Folder: x.folder, Control: x.control}
	planned := plan.experiment(x.name)
	e.Pos, e.FaultText, e.Positions = planned.Pos, planned.faults(), planned.positions()
	if x.folder == "" {
		e.NotRun = true
		e.ExperimentResult = evidence.ExperimentResult{Reason: "it was not run"}
	} else {
		e.ExperimentResult = r.judgement(run, x)
		dir := filepath.Join(run.Dir(), "x", x.folder)
		if !r.foreign() {
			e.read(dir, plan, opts, points)
		}
	}
	e.Name = x.name
	if x.control {
		e.Name = x.folder
	}
	if e.Title == "" {
		e.Title, e.Owner = planned.Title, planned.Owner
	}
	for i := range e.Faults {
		if n := e.Faults[i].Index; n >= 1 && n <= len(planned.Method) {
			e.Faults[i].Pos = planned.Method[n-1].Pos
		}
	}
	return e
}

func (r *Report) judgement(run *evidence.Run, x ordered) evidence.ExperimentResult {
	result, err := run.Result(x.folder)
	switch {
	case err == nil:
		return result
	case errors.Is(err, fs.ErrNotExist):
		return evidence.ExperimentResult{Reason: "the run ended before it was judged"}
	}
	r.problem(err)
	return evidence.ExperimentResult{Reason: "no judgement can be read: " + err.Error()}
}

// read draws everything from the records of an experiment.
func (e *Experiment) read(dir string, plan plan, opts Options, points int) {
	course, damage := readCourse(dir, e.Folder)
	e.Course, e.Faults, e.Lanes, e.Moments, e.Dropped, e.End = course.phases, course.faults, course.lanes, course.moments, course.dropped, course.end
	e.Damage = damage
	ops, opsDamage := countOps(filepath.Join(dir, "ops.jsonl"), e.Folder+"/ops.jsonl", opts.Workers)
	e.Damage = append(e.Damage, damages(opsDamage)...)
	usage, usageDamage := readUsage(dir, e.Folder)
	e.Damage = append(e.Damage, damages(usageDamage)...)
	e.use(usage)
	trail := newTrail()
	var first kept
	for _, name := range sortedNames(ops) {
		c := ops[name]
		e.End = max(e.End, c.last)
		e.Journeys = append(e.Journeys, c.journey(name, points))
		trail.wantAll(c, name)
		if len(c.failed) > 0 && (first.id == 0 || earlier(c.failed[0], first) < 0) {
			first = c.failed[0]
		}
	}
	if n := len(e.Course); n > 0 {
		e.Course[n-1].To = e.End // where the events were cut, operations go on
	}
	e.First = first.id
	e.wantWitnesses(trail)
	var trailDamage []Damage
	e.Operations, trailDamage = trail.follow(dir, e.Folder, opts.Workers, plan.System.serviceOf)
	e.Damage = append(e.Damage, trailDamage...)
	e.limits()
}

func (c *counted) journey(name string, points int) Journey {
	j := Journey{Name: name, OK: c.ops.ok, Degraded: c.ops.degraded, Failed: c.ops.failed, Maybe: c.ops.maybe, Max: c.max,
		P50: c.latency.quantile(0.50), P95: c.latency.quantile(0.95), P99: c.latency.quantile(0.99)}
	j.Errors = c.commonest()
	j.Others = c.more
	for _, e := range j.Errors[min(mostErrors, len(j.Errors)):] {
		j.Others += e.Count
	}
	j.Errors = j.Errors[:min(mostErrors, len(j.Errors))]
	j.Points = c.slots.points(points)
	j.Width = c.slots.width
	return j
}

func (t *trail) wantAll(c *counted, journey string) {
	for _, k := range c.slowest {
		t.want(k.id, "among the slowest of "+journey)
	}
	for _, k := range c.failed {
		t.want(k.id, "among the first of "+journey+" that were not ok")
	}
	for i, e := range c.commonest() {
		if i < tracedErrors {
			t.want(e.First, "first with a commonest error of "+journey)
		}
	}
}

// mostWitnesses is how many witnesses of one check are followed.
const mostWitnesses = 5

func (e *Experiment) wantWitnesses(t *trail) {
	for _, c := range e.Checks {
		if c.Verdict == verdict.Pass {
			continue
		}
		for _, w := range c.Witness[:min(len(c.Witness), mostWitnesses)] {
			switch {
			case w.Parent != 0:
				t.want(w.Parent, "witness of "+c.Check)
			case w.ID != 0:
				t.want(w.ID, "witness of "+c.Check)
			}
		}
	}
}

// Failed returns the checks that are not pass, failures first, and then those that are.
func (e Experiment) Failed() []evidence.Checked {
	checks := slices.Clone(e.Checks)
	slices.SortStableFunc(checks, func(a, b evidence.Checked) int { return order(a.Verdict) - order(b.Verdict) })
	return checks
}

// order puts failures first and passes last.
func order(v verdict.Verdict) int {
	switch v {
	case verdict.Fail:
		return 0
	case verdict.Pass:
		return 2
	}
	return 1
}

// at writes a time of the axis for a reader.
func at(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
