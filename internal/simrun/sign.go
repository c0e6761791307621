package simrun

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// signature says how a simulation failed, so that a smaller failure is not another one: the assertion; or the panic and where; or a deadlock
// and where everybody waits; or the line of the test and who called it; or the two places of a data race. It has nothing that differs from one run
// of the same failure to the next: no addresses, no numbers of goroutines.
func (b *program) signature(r *sim.Report, output string) string {
	if r == nil || !r.Failed {
		return ""
	}
	if first := firstBroken(r); first != nil {
		return fmt.Sprintf("%q does not hold", first.Name)
	}
	if line, rest := crash(output); line != "" {
		return stripNumbers(line) + b.crashedAt(line, rest)
	}
	if r.FailedAt != "" {
		return b.failedAt(r)
	}
	if race := b.race(output); race != "" {
		return race
	}
	for line := range strings.Lines(output) {
		if where := complaint().FindString(line); where != "" && !strings.Contains(line, ": sim: ") {
			return strings.TrimSpace(where)
		}
	}
	return "it fails"
}

// sameWay says whether a saved failure is the one that a signature is of. Lines move when code is edited; and
// an older file may have less of a signature.
func sameWay(saved, sign string) bool {
	return strings.HasPrefix(stripNumbers(sign), stripNumbers(saved))
}

// stripNumbers leaves out what differs from one run to the next: addresses, counts.
func stripNumbers(line string) string {
	return regexp.MustCompile(`0x[0-9a-f]+|\d+`).ReplaceAllString(line, "#")
}

// crash is the line of a panic or a fatal error, and what follows it.
func crash(output string) (line, rest string) {
	for rest = output; rest != ""; {
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSpace(line)
		if (strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")) && !strings.Contains(line, "test timed out") {
			return line, rest
		}
	}
	return "", ""
}

// crashedAt is where it panicked; of a deadlock, where each goroutine waits. Of a simulation that does not end nothing is said: where its loops
// are when a limit strikes is chance.
func (b *program) crashedAt(line, dump string) string {
	stacks := dumped(dump)
	if len(stacks) == 0 || strings.HasPrefix(line, "fatal error: assay sim: ") {
		return ""
	}
	frames := stacks[0].panicked()
	switch {
	case len(frames) > 0 && frames[0].function == "internal/synctest.Run":
		return b.blocked(stacks)
	case strings.HasSuffix(line, "stack overflow"): // which function of a recursion comes to the end is chance
		frames = slices.Clone(frames)
		slices.Reverse(frames)
	}
	if at := b.placeOf(frames); at != "" {
		return " at " + at
	}
	return ""
}

// blocked are the places where the goroutines of a simulation wait, each once.
func (b *program) blocked(stacks []stack) string {
	var all []string
	for _, s := range stacks {
		if !strings.Contains(s.state, "synctest bubble") || len(s.frames) > 0 && s.frames[0].function == "internal/synctest.Run" {
			continue
		}
		if at := b.placeOf(s.frames); at != "" {
			all = append(all, at)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return " at " + strings.Join(slices.Compact(all), ", ")
}

const dataRace = "data race: " // and where

// race is the first data race that a test binary told: the places of both accesses, in any order.
func (b *program) race(output string) string {
	_, text, ok := strings.Cut(output, "WARNING: DATA RACE\n")
	if !ok {
		return ""
	}
	text, _, _ = strings.Cut(text, "\n==================")
	var places []string
	for _, access := range strings.SplitN(text, "\n\n", 3)[:min(2, 1+strings.Count(text, "\n\n"))] {
		at := b.placeOf(framesOf(access))
		places = append(places, orElse(at, "an unknown place"))
	}
	slices.Sort(places)
	return dataRace + strings.Join(places, " and ")
}

// failedAt is the line of the test, and those of the module from which it was called: a line in a function that checks many things says little.
func (b *program) failedAt(r *sim.Report) string {
	all := []string{r.FailedAt}
	for _, text := range r.FailedBy {
		function, at, _ := strings.Cut(text, " ")
		if b.ofModule(function) && !ownFrame(function) && !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return strings.Join(all, " from ")
}

// A stack is that of a goroutine, as a process that crashed prints it.
type stack struct {
	state  string
	frames []frame
}

type frame struct{ function, file, line string }

func (f frame) at() string {
	return filepath.Join(filepath.Base(filepath.Dir(f.file)), filepath.Base(f.file)) + ":" + f.line
}

// panicked are the frames in which a goroutine panicked first: what its deferred functions did since lies on top of them.
func (s stack) panicked() []frame {
	for i, f := range slices.Backward(s.frames) {
		if f.function == "panic" {
			return s.frames[i+1:]
		}
	}
	return s.frames
}

// dumped are the stacks of all goroutines that a process prints when it crashes: that which crashed first.
func dumped(text string) (all []stack) {
	heads := regexp.MustCompile(`(?m)^goroutine \d+.*\[(.*)\]:$`).FindAllStringSubmatchIndex(text, -1)
	for _, h := range heads {
		body, _, _ := strings.Cut(text[h[1]:], "\n\n")
		all = append(all, stack{text[h[2]:h[3]], framesOf(body)})
	}
	return all
}

// framesOf reads lines of a function and of its place, one after the other. That of the go statement is the last.
func framesOf(text string) (all []frame) {
	place := regexp.MustCompile(`^\s+(\S.*\.\w+):(\d+)( \+0x[0-9a-f]+)?$`)
	function := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := place.FindStringSubmatch(line); m != nil && function != "" {
			all = append(all, frame{function, m[1], m[2]})
			function = ""
			continue
		}
		function = strings.TrimSpace(line)
		if by, ok := strings.CutPrefix(function, "created by "); ok {
			function, _, _ = strings.Cut(by, " in goroutine ")
		} else if i := strings.LastIndexByte(function, '('); i > 0 {
			function = function[:i]
		}
	}
	return all
}

// placeOf is the innermost frame outside the standard library and the simulation; where that is not of the module under test,
// with the innermost that is. It is "" where there is none.
func (b *program) placeOf(frames []frame) string {
	at := ""
	for _, f := range frames {
		switch {
		case ownFrame(f.function):
		case b.ofModule(f.function):
			if at != "" {
				return at + " from " + f.at()
			}
			return f.at()
		case at == "" && !b.standard(f):
			at = f.at()
		}
	}
	return at
}

// ofModule says whether a function is of the module under test. In names of functions the last part of a path has no dots.
func (b *program) ofModule(function string) bool {
	rest, ok := strings.CutPrefix(strings.ReplaceAll(function, "%2e", "."), b.module)
	return ok && b.module != "" && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "_test."))
}

func (b *program) standard(f frame) bool {
	if filepath.IsAbs(f.file) {
		return strings.HasPrefix(f.file, filepath.Join(b.goroot, "src")+"/")
	}
	return !userPackage(f.function) // built with -trimpath
}
