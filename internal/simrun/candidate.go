package simrun

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// A candidate is some decisions to make, plain ones elsewhere, and what comes of them in a fresh process.
type candidate struct {
	report    *sim.Report // nil where the test did not run
	sign      string      // how it failed, "" where it did not
	decisions []sim.Decision
	output    string
}

// attempt makes decisions in one test. Files go to a folder of their own, so that several may run at once.
func (b *program) attempt(ctx context.Context, name, test string, seed uint64, decisions []sim.Decision, most limits) (candidate, error) {
	dir := filepath.Join(b.work, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return candidate{}, err
	}
	file := filepath.Join(dir, "decisions")
	if err := os.WriteFile(file, encode(decisions), 0o666); err != nil {
		return candidate{}, err
	}
	if err := os.Remove(filepath.Join(dir, "record")); err != nil && !os.IsNotExist(err) {
		return candidate{}, err
	}
	p, err := b.run(ctx, start{name: name, tests: exactly(test), seed: seed, record: true, replay: file, overrides: len(decisions), most: most})
	if err != nil {
		return candidate{}, err
	}
	c := candidate{report: p.of(test, seed), output: p.output, decisions: decisions}
	c.sign = signature(c.report, p.output)
	made, err := readDecisions(p.record)
	switch {
	case err == nil:
		c.decisions = made // without those that it never came to
	case !os.IsNotExist(err): // a process that died leaves none
		return candidate{}, err
	}
	return c, nil
}

// signature says how a simulation failed, so that a smaller failure is not another one: the assertion, or the
// panic, or the line of the test.
func signature(r *sim.Report, output string) string {
	if r == nil || !r.Failed {
		return ""
	}
	var first *sim.Point
	for i, p := range r.Points {
		if p.Kind == "always" && p.True < p.Hits && (first == nil || p.AtNS < first.AtNS) {
			first = &r.Points[i]
		}
	}
	if first != nil {
		return fmt.Sprintf("%q does not hold", first.Name)
	}
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		for _, p := range []string{"panic: ", "fatal error: "} {
			if strings.HasPrefix(line, p) && !strings.Contains(line, "test timed out") {
				return stripNumbers(line)
			}
		}
	}
	for line := range strings.Lines(output) {
		if where := complaint().FindString(line); where != "" && !strings.Contains(line, ": sim: ") {
			return strings.TrimSpace(where)
		}
	}
	return "it fails"
}

func complaint() *regexp.Regexp { return regexp.MustCompile(`^\s+\S+\.go:\d+: `) }

// stripNumbers leaves out what differs from one run to the next: addresses, counts.
func stripNumbers(line string) string {
	return regexp.MustCompile(`0x[0-9a-f]+|\d+`).ReplaceAllString(line, "#")
}
