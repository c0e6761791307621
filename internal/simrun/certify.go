package simrun

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// certify runs a failure twice more, in fresh processes: what was found in a process that had run other seeds
// may come from what those left in package variables. It reports whether it failed again at least once, or could not be run again.
func (x *explorer) certify(ctx context.Context, f *Failure, found sim.Report) (again bool, err error) {
	s := start{tests: exactly(f.Test), seed: f.Seed, run: f.Run, mode: x.o.Mode, record: true}
	if x.o.Replay != "" {
		file, n, err := overrides(x.o.Replay, x.bin.work)
		if err != nil {
			return false, err
		}
		s.replay, s.overrides = file, n
	}
	var runs [2]*sim.Report
	for i := range runs {
		s.name = string(rune('y' + i))
		p, err := x.bin.run(ctx, s)
		if err != nil {
			return false, err
		}
		runs[i] = p.of(f.subject())
		if i == 0 && runs[i] != nil {
			f.Output, f.Events, f.Trace, f.SimNS = tail(p.output), runs[i].Events, runs[i].Trace, runs[i].SimNS
			f.FailedAt, f.sign = runs[i].FailedAt, x.bin.signature(runs[i], p.output)
			f.History, f.Swarm = runs[i].History, runs[i].Swarm
			if f.Decisions, err = readDecisions(p.record); err != nil && !os.IsNotExist(err) {
				return false, err
			}
		}
	}
	f.Replay = x.replayCommand(f)
	switch a, b := runs[0], runs[1]; {
	case a == nil || b == nil:
		f.Doubt = "it did not run again by itself: does the test need another one before it?"
	case !a.Failed && !b.Failed:
		f.Doubt = "it does not fail in a fresh process: something outside the simulation is part of it"
		return false, nil
	case a.Failed != b.Failed || a.Trace != b.Trace:
		f.Doubt = "two fresh processes differ: it is not a function of the seed"
	case found.Trace != "" && a.Trace != found.Trace:
		f.Certified = true
		f.Doubt = "it fails in a fresh process, in another order of events than it was found in"
	default:
		f.Certified = true
	}
	return true, nil
}

// exactly is the expression for one test, whose name may have parts.
func exactly(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

func (x *explorer) replayCommand(f *Failure) string {
	parts := []string{"assay", "sim", fmt.Sprintf("--seed %d", f.Seed), "--seeds 1"}
	if x.o.Mode != "" {
		parts = append(parts, "--mode "+x.o.Mode)
	}
	if x.o.Replay != "" {
		parts = append(parts, "--replay "+quoted(x.o.Replay))
	}
	if x.o.NoAtomics {
		parts = append(parts, "--no-atomics")
	}
	parts = append(parts, "--run "+quoted(exactly(f.Test)), quoted(f.Package))
	if len(x.o.Flags) > 0 {
		parts = append(parts, "--")
		for _, flag := range x.o.Flags {
			parts = append(parts, quoted(flag))
		}
	}
	return strings.Join(parts, " ")
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// readDecisions reads a log of decisions: JSON lines.
func readDecisions(path string) ([]sim.Decision, error) {
	if saved, err := readSaved(path); err == nil {
		return saved.Decisions, nil
	} else if isSaved(path) {
		return nil, err
	}
	all, err := readLog(path)
	if err != nil {
		return nil, err
	}
	for i, d := range all {
		if err := checkKind(d); err != nil {
			return nil, &InputError{fmt.Sprintf("%s:%d: %v", path, i+1, err)}
		}
	}
	return all, nil
}

// readLog reads what a run recorded: decisions alone, or everything.
func readLog(path string) ([]sim.Decision, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []sim.Decision
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for line := 1; in.Scan(); line++ {
		var d sim.Decision
		if err := json.Unmarshal(in.Bytes(), &d); err != nil {
			return nil, &InputError{fmt.Sprintf("%s:%d: not a decision: %v", path, line, err)}
		}
		all = append(all, d)
	}
	return all, in.Err()
}

// kinds are those of decisions, in the order in which the runtime numbers them.
func kinds() []string { return []string{"pick", "yield", "select", "timer", "env", "disk"} }

// overrides writes a log of decisions as the runtime reads it, and returns how many they are.
func overrides(log, dir string) (file string, n int, err error) {
	all, err := readDecisions(log)
	if err != nil {
		return "", 0, err
	}
	file = filepath.Join(dir, "decisions")
	return file, len(all), os.WriteFile(file, encode(all), 0o666)
}

// mostOutput is what is kept of a process's output: all stacks of some thousand goroutines.
const mostOutput = 4 << 20

// tail is the part of an output that is kept.
func tail(out string) string {
	out = strings.TrimSpace(out)
	if len(out) > mostOutput {
		cut := strings.LastIndexByte(out[:mostOutput], '\n') + 1
		out = fmt.Sprintf("%s… %d bytes left out …", out[:cut], len(out)-cut)
	}
	return out
}
