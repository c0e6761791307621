package simrun

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/assay-dev/assay/sim"
)

const savedFormat = "assay-sim/1"

// A saved failure lies beside the test that found it, and is tried first the next time.
type saved struct {
	Format    string         `json:"format"`
	Test      string         `json:"test"`
	Seed      uint64         `json:"seed"`
	Run       int            `json:"run,omitempty"` // among the simulations of the test with this seed, from 0
	Mode      string         `json:"mode"`          // that the seed was found with
	Go        string         `json:"go"`
	Platform  string         `json:"platform"`
	Flags     []string       `json:"flags,omitempty"`      // of go test: another set of them is another schedule
	NoAtomics bool           `json:"no_atomics,omitempty"` // so are operations of sync/atomic
	Failure   string         `json:"failure"`
	Trace     string         `json:"trace"` // of the decisions made again
	Decisions []sim.Decision `json:"decisions"`

	file string
}

func (s *saved) subject() subject { return subject{s.Test, s.Seed, s.Run} }

func savedDir(bin *program) string { return filepath.Join(bin.dir, "testdata", "assay-sim") }

func readSaved(path string) (*saved, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &saved{file: path}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, notJSON(path, text, err)
	}
	if s.Format != savedFormat {
		return nil, &InputError{fmt.Sprintf("%s:1: format is %q, want %q: delete the file, or use the assay that wrote it", path, s.Format, savedFormat)}
	}
	for i, d := range s.Decisions {
		if err := checkKind(d); err != nil {
			return nil, &InputError{fmt.Sprintf("%s:%d: decision %d: %v", path, lineOf(text, `"kind"`, i), i+1, err)}
		}
	}
	return s, nil
}

// write is atomic: a process that is stopped leaves the file before or the file after.
func (s *saved) write(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, url.PathEscape(s.Test)+".json")
	tmp := fmt.Sprintf("%s.%d", file, os.Getpid())
	defer os.Remove(tmp)
	if err := os.WriteFile(tmp, append(text, '\n'), 0o666); err != nil {
		return "", err
	}
	return file, os.Rename(tmp, file)
}

// again tries what earlier searches found in this package, before any seed. Who asks for a single seed gets that.
func (x *explorer) again(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(savedDir(x.bin), "*.json"))
	one := x.o.Seeds == 1 && x.o.For == 0
	if err != nil || one || x.o.Replay != "" || x.o.NoSave {
		return err
	}
	only, err := regexp.Compile(strings.ReplaceAll(x.o.Tests, "/", "|"))
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	for _, file := range files {
		s, err := readSaved(file)
		if err != nil {
			return err
		}
		if !only.MatchString(s.Test) {
			continue
		}
		if err := x.retry(ctx, s); err != nil {
			return err
		}
		if x.stop {
			return nil
		}
	}
	return nil
}

// retry tries one saved failure: its decisions, then its seed.
func (x *explorer) retry(ctx context.Context, s *saved) error {
	name := filepath.Base(s.file)
	x.o.Story("%s: %s: seed %d, which failed before", x.bin.pkg, name, s.Seed)
	c, err := x.bin.attempt(ctx, "s", s.subject(), s.Decisions, limits{})
	if err != nil {
		return err
	}
	note := func(format string, args ...any) {
		x.res.Notes = append(x.res.Notes, fmt.Sprintf("%s: %s", s.relative(x.o.Dir), fmt.Sprintf(format, args...)))
	}
	changed := s.changed(c, x.res.Go, x.o)
	x.res.Saved.Tried++
	switch {
	case c.report == nil:
		note("%s did not run: was it renamed? If so, delete the file", s.Test)
		return nil
	case c.sign != "":
		if changed != "" {
			note("seed %d still fails, in another order: %s", s.Seed, changed)
		}
		if !sameWay(s.Failure, c.sign) {
			note("seed %d was saved with the failure %s, and fails now with %s", s.Seed, s.Failure, c.sign)
		}
		x.res.Saved.Failed++
		return x.failsAgain(ctx, s, c)
	}
	p, err := x.bin.run(ctx, start{name: "s", tests: exactly(s.Test), seed: s.Seed, mode: s.Mode})
	if err != nil {
		return err
	}
	if r := p.of(s.subject()); r != nil && r.Failed {
		note("%s: its decisions no longer replay what it found, its seed %d still fails", orElse(changed, "the failure is another"), s.Seed)
		x.res.Saved.Failed++
		x.fill()
		x.take(p, job{})
		_, err := x.failures(ctx, p, job{})
		return err
	}
	x.res.Saved.Passed++
	if changed == "" {
		note("seed %d makes the same order of events, and it does not fail any more", s.Seed)
	} else {
		note("%s: this seed no longer replays what it found (%s)", changed, s.Failure)
	}
	return nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// changed says why a saved failure's order of events is another now, "" where it is the same.
func (s *saved) changed(c candidate, version string, o *Options) string {
	switch {
	case c.report != nil && c.report.Trace == s.Trace:
		return ""
	case s.Go != version:
		return fmt.Sprintf("it was found with %s, this is %s", s.Go, version)
	case s.Platform != platform():
		return fmt.Sprintf("it was found on %s, this is %s", s.Platform, platform())
	case !slices.Equal(s.Flags, o.Flags):
		return fmt.Sprintf("it was found with flags %q", s.Flags)
	case s.NoAtomics && !o.NoAtomics:
		return "it was found with --no-atomics"
	case !s.NoAtomics && o.NoAtomics:
		return "it was found without --no-atomics"
	}
	return "the code changed"
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

func (s *saved) relative(dir string) string { return relativeTo(s.file, dir) }

// relativeTo is a path as it is seen from a folder, "" for the current one.
func relativeTo(path, dir string) string {
	if dir == "" {
		dir, _ = os.Getwd()
	}
	if abs, err := filepath.Abs(dir); err == nil {
		if rel, err := filepath.Rel(abs, path); err == nil {
			return rel
		}
	}
	return path
}

// failsAgain keeps a saved failure that is still one, run a second time.
func (x *explorer) failsAgain(ctx context.Context, s *saved, c candidate) error {
	x.fill()
	second, err := x.bin.traced(ctx, "t", s.subject(), s.Decisions)
	if err != nil {
		return err
	}
	f := &Failure{
		Package: x.bin.pkg, Test: s.Test, Seed: s.Seed, Run: s.Run, Mode: s.Mode, Go: x.res.Go,
		Trace: c.report.Trace, SimNS: c.report.SimNS, Events: c.report.Events, Points: c.report.Points,
		FailedAt: c.report.FailedAt, Output: tail(c.output),
		Decisions: c.decisions, Saved: s.relative(x.o.Dir), again: true, sign: c.sign,
	}
	f.Less = c.report.Events
	x.tell(ctx, f, second)
	f.Certified = second.report != nil && second.report.Trace == c.report.Trace && second.sign == c.sign
	if !f.Certified {
		f.Doubt = "two fresh processes differ: it is not a function of its decisions"
	}
	f.Replay = f.SmallReplay()
	x.test(s.Test).add(*c.report)
	x.res.Failures = append(x.res.Failures, f)
	x.stop = f.Certified && !x.o.All
	return nil
}

// fill makes the books of an explorer that did not begin yet.
func (x *explorer) fill() {
	if x.tests == nil {
		x.tests = map[string]*Test{}
	}
}

// replaySaved takes the test and the seed from a saved failure that is to be replayed.
func (o *Options) replaySaved() {
	if o.Replay == "" {
		return
	}
	if s, err := readSaved(o.Replay); err == nil { // else it is a log, or refused when it is read
		o.Seed, o.Seeds, o.Tests, o.run, o.NoAtomics = s.Seed, 1, exactly(s.Test), s.Run, s.NoAtomics
		if len(o.Flags) == 0 {
			o.Flags = s.Flags
		}
	}
}
