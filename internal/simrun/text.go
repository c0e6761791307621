package simrun

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/verdict"
)

// Text writes the result for people: the verdict and the reason first.
func (r *Result) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", strings.ToUpper(r.Verdict.String()), r.headline())
	for _, f := range r.Failures {
		f.text(&b)
	}
	for _, q := range r.Plain {
		q.text(&b)
	}
	for _, d := range r.Differences {
		d.text(&b)
	}
	if r.Verdict == verdict.Fail { // else they are the headline
		for _, reason := range r.beside() {
			fmt.Fprintf(&b, "\nunknown, too: %s\n", reason)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	for _, t := range r.Tests {
		t.text(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// beside are the reasons without those that a failure tells of itself.
func (r *Result) beside() []string {
	told := r.uncertain()
	return slices.DeleteFunc(slices.Clone(r.Reasons), func(reason string) bool { return slices.Contains(told, reason) })
}

func (r *Result) headline() string {
	if f := r.first(""); f != nil && f.Certified {
		return fmt.Sprintf("%s fails with seed %d: %s", f.Test, f.Seed, f.said(f.report()))
	}
	if len(r.Plain) > 0 {
		return fmt.Sprintf("%s fails, beside the simulations", r.Plain[0].Test)
	}
	if len(r.Reasons) > 0 {
		return strings.Join(r.Reasons, "\n  ")
	}
	seeds := 0
	for _, t := range r.Tests {
		seeds += t.Seeds
	}
	text := fmt.Sprintf("%s of %s", plural(seeds, "simulation"), plural(len(r.Tests), "test"))
	if r.Saved.Passed > 0 {
		text += fmt.Sprintf("; %s no longer found", plural(r.Saved.Passed, "saved failure"))
	}
	return text
}

// first is the first failure that is certain, or the first where none is: of a package, "" for any.
func (r *Result) first(pkg string) (first *Failure) {
	for _, f := range r.Failures {
		if (pkg == "" || f.Package == pkg) && (first == nil || f.Certified && !first.Certified) {
			first = f
		}
	}
	return first
}

func (f *Failure) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s %s\n  seed %d, mode %s, %s, after %v of simulated time\n", f.Package, f.Test, f.Seed, f.Mode, f.Go, time.Duration(f.SimNS))
	if f.Swarm != "" {
		fmt.Fprintf(b, "  faults of this seed: %s\n", f.Swarm)
	}
	if f.Certified {
		fmt.Fprintf(b, "  reproduced twice in fresh processes (trace %s)\n", word(f.Trace))
	}
	if f.Doubt != "" {
		fmt.Fprintf(b, "  not certain: %s\n", f.Doubt)
	}
	f.steps(b)
	fmt.Fprintf(b, "  replay: %s\n", f.Replay)
	events, output := f.Events, f.Output
	if f.LessOutput != "" {
		events, output = f.Less, f.LessOutput
		fmt.Fprintf(b, "  with these decisions alone%s:\n", f.alone())
	}
	for _, e := range events[max(0, len(events)-20):] {
		fmt.Fprintf(b, "  | %s\n", e)
	}
	writeOutput(b, output)
}

// alone is the command that makes what is left of its decisions, in brackets, "" where they were not saved.
func (f *Failure) alone() string {
	if f.Saved == "" {
		return ""
	}
	return " (" + f.SmallReplay() + ")"
}

// SmallReplay is the command that makes the decisions that were saved.
func (f *Failure) SmallReplay() string {
	return "assay sim --replay " + quoted(f.Saved) + " " + quoted(f.Package)
}

// writeOutput writes what a process said, as far as a terminal should have it.
func writeOutput(b *strings.Builder, output string) {
	lines, more := strings.Split(output, "\n"), 0
	if len(lines) > 120 {
		lines, more = lines[:100], len(lines)-100
	}
	for _, line := range lines {
		fmt.Fprintf(b, "  > %s\n", line)
	}
	if more > 0 {
		fmt.Fprintf(b, "  > … and %d lines more (--json)\n", more)
	}
}

func (t *Test) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s %s: %s, %d failed, %v simulated\n", t.Package, t.Name, plural(t.Seeds, "seed"), t.Failed, time.Duration(t.SimNS).Round(time.Millisecond))
	if t.Failed > 1 {
		var found []string
		for _, mode := range slices.Sorted(maps.Keys(t.Modes)) {
			found = append(found, fmt.Sprintf("%s %d of %d", mode, t.Found[mode], t.Modes[mode]))
		}
		fmt.Fprintf(b, "  failed by mode: %s\n", strings.Join(found, ", "))
	}
	switch {
	case t.Carried > 0:
		fmt.Fprintf(b, "  each seed in a process of its own, since seed %d failed only where others had run before: package variables\n", t.Carried)
	case t.Fresh:
		fmt.Fprintf(b, "  each seed in a process of its own\n")
	}
	for _, p := range t.Points {
		if p.Hits == 0 && p.Where != "" {
			fmt.Fprintf(b, "  %-10s %s: never reached (%s)\n", p.Kind, p.Name, p.Where)
			continue
		}
		fmt.Fprintf(b, "  %-10s %s: true %d of %d\n", p.Kind, p.Name, p.True, p.Hits)
	}
	t.varsText(b)
	if t.Outside != nil {
		for i, line := range t.Outside.Stack {
			fmt.Fprintf(b, "  %-13s %s\n", map[bool]string{true: "from outside:"}[i == 0], line)
		}
	}
	for _, file := range t.Wrote {
		fmt.Fprintf(b, "  a real file was opened to write to, which neither a crash nor the next seed resets: %s\n", file)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
