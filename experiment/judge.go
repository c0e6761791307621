package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/slo"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// MaxLateness is how late the driver may start operations (p99) before what it measured says nothing about the system.
const MaxLateness = 10 * time.Millisecond

// Names of the parts of a judgement, in the order of a result.
const (
	PartRecords      = "records"
	PartDriver       = "driver"
	PartSteadyBefore = "steady before"
	PartEffect       = "effect"
	PartStop         = "stop"
	PartDuring       = "during"
	PartSteadyAfter  = "steady after"
	PartExpect       = "expect"
	PartGuard        = "guard"
	PartRollback     = "rollback"
	PartCovers       = "covers"
)

// judgement gathers what is concluded.
type judgement struct {
	ctx    context.Context
	x      Experiment
	in     check.Input
	t      timeline
	result evidence.ExperimentResult
}

// Judge concludes from the records that an experiment left behind. problems are what could not be read of them.
// It is pure: the same records give the same result, on any machine and at any time.
func Judge(ctx context.Context, x Experiment, in check.Input, problems []string) evidence.ExperimentResult {
	if in.Service == nil {
		in.Service = func(name string) string { return name }
	}
	history.NumberAttempts(in.Exchanges, in.Service)
	j := &judgement{ctx: ctx, x: x, in: in, t: readTimeline(x, in.Events)}
	j.result = evidence.ExperimentResult{Name: x.Name, Title: x.Title, Owner: x.Owner, Problems: problems}
	j.records()
	j.driver()
	j.expectations(PartSteadyBefore, x.Steady, j.t.between(phaseBefore, phaseFault))
	j.effects()
	j.stop()
	j.expectations(PartDuring, x.During, j.t.during())
	j.expectations(PartSteadyAfter, x.Steady, j.t.between(phaseAfter, phaseDrain))
	j.expectations(PartExpect, x.Expect, j.t.whole())
	j.expectations(PartGuard, x.Guard, j.t.whole())
	j.final()
	j.rollback()
	j.modes()
	j.recovery()
	j.conclude()
	return j.result
}

func (j *judgement) add(part string, r check.Result) {
	j.result.Checks = append(j.result.Checks, evidence.Checked{Phase: part, Result: r})
}

// records says whether the records are whole: a run cut short proves nothing beyond the cut.
func (j *judgement) records() {
	for _, problem := range j.result.Problems {
		j.add(PartRecords, check.Result{Check: "records are whole", Reason: problem})
	}
	if _, ended := j.t.phases[phaseEnd]; !ended {
		j.add(PartRecords, check.Result{Check: "records are whole", Reason: "the experiment did not reach its end"})
	}
	for _, e := range j.in.Events {
		if e.Kind == history.Leak {
			j.add(PartRecords, check.Result{Check: "no leak", Reason: fmt.Sprintf("a connection bypassed the links: %s %s", e.Target, e.Text)})
		}
	}
	j.result.Phases = j.t.list()
}

// driver says whether the driver kept its schedule, and whether what it drove is what was recorded.
func (j *judgement) driver() {
	result := check.Result{Check: "driver kept its schedule", Limit: "p99 <= " + ms(MaxLateness), Reason: "the driver did not say how late it was"}
	for _, e := range j.in.Events {
		if e.Kind == history.Note && e.Name == "driver" {
			j.judgeDriver(&result, e.Value)
		}
	}
	j.add(PartDriver, result)
}

func (j *judgement) judgeDriver(result *check.Result, said history.Value) {
	late, okLate := entry(said, "lateness_p99_ns")
	runs, okRuns := entry(said, "runs")
	saturated, okSaturated := entry(said, "saturated")
	if !okLate || !okRuns || !okSaturated {
		return
	}
	recorded := int64(0)
	for _, op := range j.in.Ops {
		if op.Kind == history.Journey {
			recorded++
		}
	}
	result.Verdict = verdict.Unknown
	result.Measured = fmt.Sprintf("%.1f ms", float64(late)/1e6)
	switch {
	case recorded != runs:
		result.Reason = fmt.Sprintf("%d operations were driven, and %d are recorded", runs, recorded)
	case saturated > 0:
		result.Reason = fmt.Sprintf("%d operations found the driver saturated, so the figures say nothing about the system", saturated)
	case time.Duration(late) > MaxLateness:
		result.Reason = fmt.Sprintf("operations started %s late at p99: the load driver was overloaded, so the figures say nothing about the system%s", result.Measured, robbed(said))
	default:
		result.Verdict = verdict.Pass
		result.Reason = fmt.Sprintf("operations started %s late at p99", result.Measured)
	}
}

// robbed says that it may have been the machine's host and not the machine that made the driver late.
func robbed(said history.Value) string {
	stolen, _ := entry(said, "stolen_ns")
	if time.Duration(stolen) < 100*time.Millisecond {
		return ""
	}
	return fmt.Sprintf(" (the host of this virtual machine gave its processors to others for %.1f s of that time: run it again)", time.Duration(stolen).Seconds())
}

func entry(v history.Value, key string) (int64, bool) {
	for _, e := range v.Entries() {
		if name, _ := e.Key.AsString(); name == key {
			return e.Val.AsInt()
		}
	}
	return 0, false
}

// final says whether the final steps ended well. One whose expectation was not
// met is the system's failure; one that nobody answered leaves open what it would have shown.
func (j *judgement) final() {
	for _, e := range j.in.Events {
		if e.Kind != history.Note || e.Name != phaseFinal {
			continue
		}
		result := check.Result{Check: "final steps", Reason: e.Text}
		for _, op := range j.in.Ops {
			if op.Kind == history.Step && op.Journey == "" && op.Call >= j.t.phases[phaseFinal] && op.Outcome == history.Failed {
				result.Verdict, result.Witness = verdict.Fail, []history.Op{op}
			}
		}
		j.add(PartExpect, result)
	}
}

// expectations judges one list in one window. Before and after, what is
// expected and not measured is unknown; nothing expected adds nothing.
func (j *judgement) expectations(part string, list []Expectation, w window) {
	for _, e := range list {
		if w.empty() {
			j.add(part, check.Result{Check: e.Text, Reason: "the experiment did not get that far"})
			continue
		}
		in := j.exposed(part)
		in.From, in.To = w.from, w.to
		s := &signals{ctx: j.ctx, in: in, whole: j.in, t: j.t, journeys: j.journeys()}
		for _, r := range s.answer(ask(e)) {
			j.add(part, r)
		}
	}
}

// exposed returns the input with the operations that were under way at the first inject
// counted to the fault and not to the time before it: it is the fault that they met. An operation
// that had already taken longer than nearly all that ended before stays where it is, so
// that a system which hung by itself is not excused.
func (j *judgement) exposed(part string) check.Input {
	in := j.in
	inject, ok := j.t.phases[phaseFault]
	if !ok || part != PartSteadyBefore && part != PartDuring {
		return in
	}
	usual := j.usual(inject)
	in.Ops = slices.Clone(in.Ops)
	for i, op := range in.Ops {
		if op.Kind == history.Journey && op.Scheduled < inject && op.Return > inject && inject-op.Scheduled <= usual[op.Journey] {
			// All three move, so that its latency stays.
			by := inject - op.Scheduled
			in.Ops[i].Scheduled, in.Ops[i].Call, in.Ops[i].Return = inject, op.Call+by, op.Return+by
		}
	}
	return in
}

// usual returns how long nearly all (p99) operations took that ended before t, by journey.
func (j *judgement) usual(t time.Duration) map[string]time.Duration {
	took := map[string][]time.Duration{}
	for _, op := range j.in.Ops {
		if op.Kind == history.Journey && op.Return <= t {
			took[op.Journey] = append(took[op.Journey], op.Latency())
		}
	}
	usual := map[string]time.Duration{}
	for journey, latencies := range took {
		slices.Sort(latencies)
		usual[journey] = latencies[(len(latencies)-1)*99/100]
	}
	return usual
}

func (j *judgement) journeys() []string { return journeyNames(j.x) }

func journeyNames(x Experiment) []string {
	var names []string
	for _, load := range x.Load {
		names = append(names, load.Journey)
	}
	return names
}

// effects says of each fault whether it was seen to bite.
func (j *judgement) effects() {
	for i, s := range j.t.spans {
		result := check.Result{Check: j.x.Method[i].Fault.String()}
		switch {
		case !s.injected:
			result.Reason = "it was not injected"
		case s.observed():
			result.Verdict = verdict.Pass
			result.Reason = fmt.Sprintf("it was observed on %s", strings.Join(s.observedOn(), ", "))
		default:
			result.Reason = "no effect was observed" + missingEffects(s)
		}
		for _, e := range s.effects {
			j.result.Effects = append(j.result.Effects, evidence.Effect{Fault: s.fault, Target: e.Target, Observed: e.OK, Text: e.Text})
		}
		j.add(PartEffect, result)
	}
	j.outside()
	if len(j.t.spans) == 0 {
		j.add(PartEffect, check.Result{Check: "a fault", Reason: "the method has no fault"})
	}
}

func missingEffects(s span) string {
	var texts []string
	for _, e := range s.effects {
		texts = append(texts, e.Text)
	}
	if len(texts) == 0 {
		return ": nobody looked"
	}
	return ": " + strings.Join(texts, "; ")
}

func (j *judgement) stop() {
	e := j.t.stopped
	if e == nil {
		return
	}
	result := check.Result{Check: e.Name, Reason: e.Text}
	if e.OK { // the system's doing, not ours or the user's
		result.Verdict = verdict.Fail
	}
	j.add(PartStop, result)
}

// rollback says whether the environment stood after the heal as before the first fault.
func (j *judgement) rollback() {
	result := check.Result{Check: "the environment is as before", Reason: "nobody compared it"}
	for _, e := range j.in.Events {
		if e.Kind != history.Snapshot {
			continue
		}
		result.Reason, result.Verdict = e.Text, verdict.Fail
		if e.OK {
			result.Verdict = verdict.Pass
		}
	}
	j.add(PartRollback, result)
}

// modes derives cells from proof. What the experiment claims and did not prove is unknown, aloud.
func (j *judgement) modes() {
	j.result.Modes = map[string][]evidence.Mode{}
	for _, journey := range j.journeys() {
		claimed, narrowed := j.x.Covers[journey]
		for _, mode := range Modes() {
			if narrowed && !slices.Contains(claimed, mode) || len(j.x.Covers) > 0 && !narrowed {
				continue
			}
			p := prove(mode, journey, j.in, j.t)
			if !p.proved && !narrowed {
				continue
			}
			j.result.Modes[journey] = append(j.result.Modes[journey], evidence.Mode{Name: mode, Proved: p.proved, Text: p.text})
			if narrowed {
				j.claim(journey, mode, p)
			}
		}
	}
}

func (j *judgement) claim(journey, mode string, p proof) {
	result := check.Result{Check: journey + ": " + mode, Reason: p.text}
	if p.proved {
		result.Verdict = verdict.Pass
	}
	j.add(PartCovers, result)
}

// recovery notes how long the journeys took, whether or not anything was expected of it.
func (j *judgement) recovery() {
	inject, injected := j.t.firstInject()
	heal, healed := j.t.lastHeal()
	if !injected || !healed {
		return
	}
	r, err := slo.Recover(j.in, j.journeys(), inject, heal, j.t.whole().to)
	j.result.Recovery = &evidence.Recovery{Recovered: err == nil, FromInject: r.FromInject, FromHeal: r.FromHeal}
	if err != nil {
		j.result.Recovery.Text = err.Error()
	}
}

// conclude merges the checks into one verdict, and names the first that decided it.
func (j *judgement) conclude() {
	r := &j.result
	if bad := first(r.Checks, func(c evidence.Checked) bool { return c.Phase == PartSteadyBefore && c.Verdict != verdict.Pass }); bad != nil {
		r.Verdict, r.Reason = verdict.Unknown, "not healthy before the fault: "+bad.Reason
		return
	}
	if len(j.x.Steady)+len(j.x.During)+len(j.x.Expect) == 0 {
		r.Verdict, r.Reason = verdict.Unknown, "the experiment expects nothing"
		return
	}
	var verdicts []verdict.Verdict
	for _, c := range r.Checks {
		verdicts = append(verdicts, c.Verdict)
	}
	r.Verdict = verdict.Merge(verdicts...)
	if r.Verdict == verdict.Pass {
		r.Reason = fmt.Sprintf("%d of %d checks hold", len(r.Checks), len(r.Checks))
		return
	}
	bad := first(r.Checks, func(c evidence.Checked) bool { return c.Verdict == r.Verdict })
	r.Reason = bad.Phase + ": " + bad.Reason
}

func first(checks []evidence.Checked, is func(evidence.Checked) bool) *evidence.Checked {
	if i := slices.IndexFunc(checks, is); i >= 0 {
		return &checks[i]
	}
	return nil
}
