package simrun

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A Step is one of the few decisions that a failure needs.
type Step struct {
	sim.Decision
	Text string   `json:"text"`
	Code []string `json:"code,omitempty"` // file:line, and what it says there
}

// tell puts a run that was recorded in full into words.
func (x *explorer) tell(ctx context.Context, f *Failure, c candidate) {
	var text *sources
	if x.bin.command != nil {
		text = newSources(ctx, x.bin.command, x.bin.listFlags, x.bin.pkg, x.bin.overlay)
	}
	f.story = newStory(c.log, text)
	f.Shrunk = f.story.steps()
	if c.log == nil { // it left none
		for _, d := range c.decisions {
			f.Shrunk = append(f.Shrunk, Step{Decision: d, Text: explain(d)})
		}
	}
}

// finish makes failures small and keeps them: the first of each test.
func (x *explorer) finish(ctx context.Context) error {
	done := map[string]bool{}
	for _, f := range x.res.Failures {
		if f.Package != x.bin.pkg || done[f.Test] || !f.Certified {
			continue
		}
		done[f.Test] = true
		if f.again || x.o.Replay != "" || x.o.NoShrink {
			continue
		}
		if err := x.small(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range x.res.Failures {
		if f.Package == x.bin.pkg && f.story != nil && x.o.Events != "" && !x.o.Audit {
			if err := f.keepEvents(x.o.Events); err != nil {
				return err
			}
		}
	}
	if f := x.res.first(x.bin.pkg); f != nil && x.o.HTML != "" && ctx.Err() == nil {
		return x.draw(ctx, f)
	}
	return nil
}

// small shrinks a failure's decisions, runs what is left twice, explains it, and keeps it.
func (x *explorer) small(ctx context.Context, f *Failure) error {
	began := time.Now()
	limit := shrinkTime
	if x.o.For > 0 {
		limit = min(limit, max(x.o.For, time.Second))
	}
	s := &shrinker{
		test: f.Test, sign: f.sign, workers: x.o.Workers, until: began.Add(limit),
		tell: func(runs, n int) {
			x.o.Progress(fmt.Sprintf("shrinking %s: %d decisions, %d left, %d runs", f.Test, len(f.Decisions), n, runs))
		},
		attempt: func(ctx context.Context, name string, d []sim.Decision, most limits) (candidate, error) {
			return x.bin.attempt(ctx, name, f.subject(), d, most)
		},
	}
	s.seek = x.seek(f, s.sign, s.until)
	s.patient()
	x.o.Story("%s: shrinking %d decisions", f.Test, len(f.Decisions))
	fails, err := s.shrink(ctx, f.Decisions)
	x.o.Progress("")
	f.ShrinkRuns, f.ShrinkSeeds, f.ShrinkMS = s.runs, s.seeds, time.Since(began).Milliseconds()
	interrupted := ctx.Err() != nil
	if f.Stopped = interrupted || !s.time(); interrupted { // what was found so far is kept
		err = nil
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
	}
	if err != nil {
		return err
	}
	if !fails {
		f.Unshrunk = "its recorded decisions alone do not make it fail again"
		switch {
		case interrupted:
			f.Unshrunk = "interrupted"
		case len(f.Decisions) == 0:
			f.Unshrunk = "it left no record of its decisions"
		}
		return nil
	}
	return x.keep(ctx, f, s)
}

func (x *explorer) keep(ctx context.Context, f *Failure, s *shrinker) error {
	a, err := x.bin.attempt(ctx, "y", f.subject(), s.best.decisions, limits{})
	if err != nil {
		return err
	}
	b, err := x.bin.traced(ctx, "z", f.subject(), s.best.decisions)
	if err != nil {
		return err
	}
	if a.sign != s.sign || b.sign != s.sign || a.report.Trace != b.report.Trace {
		f.Unshrunk = "what was left of its decisions does not fail the same way twice"
		return nil
	}
	f.Less, f.LessOutput, f.History = a.report.Events, tail(a.output), a.report.History
	if s.from.seed != 0 {
		f.From = &Origin{Seed: s.from.seed, Mode: s.from.mode, Decisions: len(s.from.decisions)}
	}
	x.tell(ctx, f, b)
	f.Failure = s.sign
	if x.o.NoSave {
		return nil
	}
	keep := &saved{
		Format: savedFormat, Test: f.Test, Seed: f.Seed, Run: f.Run, Mode: f.Mode, Go: f.Go, Platform: platform(), Flags: x.o.Flags, NoAtomics: x.o.NoAtomics,
		Failure: s.sign, Trace: a.report.Trace, Decisions: s.best.decisions,
	}
	file, err := keep.write(savedDir(x.bin))
	if err != nil {
		x.res.Notes = append(x.res.Notes, fmt.Sprintf("the failure of %s cannot be saved: %v", f.Test, err))
		return nil // a folder that cannot be written to is no reason to lose what was found
	}
	keep.file = file
	f.Saved = keep.relative(x.o.Dir)
	x.witness(f)
	return nil
}

// steps writes what a failure needs, for people.
func (f *Failure) steps(b *strings.Builder) {
	switch {
	case f.Unshrunk != "" && len(f.Decisions) == 0:
		fmt.Fprintf(b, "  not shrunk: %s\n", f.Unshrunk)
	case f.Unshrunk != "":
		fmt.Fprintf(b, "  %d decisions differ from a plain run; not shrunk: %s\n", len(f.Decisions), f.Unshrunk)
	case f.Shrunk == nil:
		fmt.Fprintf(b, "  %d decisions differ from a plain run\n", len(f.Decisions))
	case len(f.Shrunk) == 0:
		fmt.Fprintf(b, "  no decision is needed: a plain run fails, too\n")
	case f.again:
		fmt.Fprintf(b, "  %d decisions differ from a plain run:\n", len(f.Shrunk))
	default:
		f.enoughText(b)
	}
	const most = 20
	for i, s := range f.Shrunk[:min(len(f.Shrunk), most)] {
		fmt.Fprintf(b, "  %3d. %s\n", i+1, s.Text)
		for _, c := range s.Code {
			fmt.Fprintf(b, "         %s\n", c)
		}
	}
	if more := len(f.Shrunk) - most; more > 0 {
		fmt.Fprintf(b, "       and %d more (--json)\n", more)
	}
	if f.Picture != "" {
		fmt.Fprintf(b, "  picture: %s\n", f.Picture)
	}
	for _, file := range f.Files {
		fmt.Fprintf(b, "  events: %s\n", file)
	}
	if f.Saved != "" {
		fmt.Fprintf(b, "  saved: %s\n", f.Saved)
	}
	if f.SavedHistory != "" {
		fmt.Fprintf(b, "  history: %s\n", f.SavedHistory)
	}
}

// enoughText writes how few decisions are left, of whose, and what it took.
func (f *Failure) enoughText(b *strings.Builder) {
	of, runs, stopped := len(f.Decisions), plural(f.ShrinkRuns, "run"), ""
	if f.From != nil {
		of = f.From.Decisions
	}
	if f.ShrinkSeeds > 0 {
		runs += ", " + plural(f.ShrinkSeeds, "other seed")
	}
	if f.Stopped {
		stopped = ", and then stopped: fewer may do"
	}
	fmt.Fprintf(b, "  %d of %s that differ from a plain run are enough (%s, %.1f s%s):\n",
		len(f.Shrunk), plural(of, "decision"), runs, float64(f.ShrinkMS)/1000, stopped)
	if f.From != nil {
		fmt.Fprintf(b, "    seed %d (mode %s), which fails in the same way, drew them; made with seed %d they fail, too\n", f.From.Seed, f.From.Mode, f.Seed)
	}
}
