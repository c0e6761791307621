package simrun

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// A candidate is some decisions to make, plain ones elsewhere, and what comes of them in a fresh process.
type candidate struct {
	report    *sim.Report // nil where the test did not run
	sign      string      // how it failed, "" where it did not
	decisions []sim.Decision
	output    string
	log       []sim.Decision // everything, where that was recorded
}

// A subject is one simulation: of a test with a seed that has several, one of these.
type subject struct {
	test string
	seed uint64
	run  int
}

// attempt makes decisions in one test. Files go to a folder of their own, so that several may run at once.
func (b *program) attempt(ctx context.Context, name string, of subject, decisions []sim.Decision, most limits) (candidate, error) {
	return b.replay(ctx, start{name: name, most: most}, of, decisions)
}

// traced is attempt, with a record of everything.
func (b *program) traced(ctx context.Context, name string, of subject, decisions []sim.Decision) (candidate, error) {
	return b.replay(ctx, start{name: name, trace: true}, of, decisions)
}

func (b *program) replay(ctx context.Context, s start, of subject, decisions []sim.Decision) (candidate, error) {
	s.tests, s.seed, s.run = exactly(of.test), of.seed, of.run
	dir := filepath.Join(b.work, s.name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return candidate{}, err
	}
	file := filepath.Join(dir, "decisions")
	if err := os.WriteFile(file, encode(decisions), 0o666); err != nil {
		return candidate{}, err
	}
	s.record, s.replay, s.overrides = true, file, len(decisions)
	p, err := b.run(ctx, s)
	if err != nil {
		return candidate{}, err
	}
	c := candidate{report: p.of(of), output: p.output, decisions: decisions}
	c.sign = b.signature(c.report, p.output)
	all, err := readLog(p.record)
	switch {
	case err == nil:
		c.decisions = onlyDecisions(all) // without those that it never came to
		if s.trace {
			c.log = all
		}
	case !os.IsNotExist(err): // a process that died leaves none
		return candidate{}, err
	}
	return c, nil
}

// onlyDecisions are the decisions among all that a record has.
func onlyDecisions(log []sim.Decision) []sim.Decision {
	made := make([]sim.Decision, 0, len(log))
	for _, d := range log {
		if slices.Contains(kinds(), d.Kind) {
			made = append(made, d)
		}
	}
	return made
}

// said is what a failure says of itself, in a line: the assertion with what was found, the panic, or the test's first word. Of a data race it is where:
// the test has no word of its own.
func (f *Failure) said(r *sim.Report) string {
	if strings.HasPrefix(f.sign, dataRace) {
		return f.sign
	}
	if f.LessOutput != "" && r.Trace != "" && r.Trace != f.Trace { // of the run that makes the decisions alone
		return said(r, f.LessOutput)
	}
	return said(r, f.Output)
}

func said(r *sim.Report, output string) string {
	first := firstBroken(r)
	switch {
	case first != nil && first.Broken != "":
		return fmt.Sprintf("%q does not hold: %s", first.Name, first.Broken)
	case first != nil:
		return fmt.Sprintf("%q does not hold", first.Name)
	}
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
	}
	at := r.FailedAt[strings.LastIndexByte(r.FailedAt, '/')+1:]
	for line := range strings.Lines(output) {
		if at != "" && strings.HasPrefix(strings.TrimSpace(line), at+": ") {
			return strings.TrimSpace(line)
		}
	}
	for line := range strings.Lines(output) {
		if where := complaint().FindString(line); where != "" && !strings.Contains(line, ": sim: seed ") {
			return strings.TrimSpace(line)
		}
	}
	return "it fails"
}

// firstBroken is the assertion that was the first not to hold.
func firstBroken(r *sim.Report) (first *sim.Point) {
	for i, p := range r.Points {
		if p.Kind == "always" && p.True < p.Hits && (first == nil || p.AtNS < first.AtNS) {
			first = &r.Points[i]
		}
	}
	return first
}

func complaint() *regexp.Regexp { return regexp.MustCompile(`^\s+\S+\.go:\d+: `) }
