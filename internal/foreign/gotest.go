package foreign

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"time"
)

// goEvent is a line of go test -json.
type goEvent struct {
	Time, Action, Package, ImportPath, Test, Output, FailedBuild string
}

// goTests follows the events of go test -json. Of tests that ended well it keeps a
// hash each, so that one that fails as well is found; of those that run, the end of what they said.
type goTests struct {
	*tally
	seed     maphash.Seed
	ended    map[uint64]bool             // tests that passed or were skipped
	failures map[string]goFailure        // by full name: one may pass yet
	running  map[string]map[string]*said // by package and test
	packages map[string]*goPackage
}

type goFailure struct{ pkg, test, text string }

type goPackage struct {
	done     bool
	failures int
}

// said is the end of what a test printed.
type said struct{ text []byte }

func (s *said) add(text string) {
	const most = 2 * longestText
	if s.text = append(s.text, text...); len(s.text) > most {
		s.text = append(s.text[:0], s.text[len(s.text)-most/2:]...)
	}
}

func readGoTest(in *bounded, t *tally) error {
	g := &goTests{tally: t, seed: maphash.MakeSeed(), ended: map[uint64]bool{}, failures: map[string]goFailure{},
		running: map[string]map[string]*said{}, packages: map[string]*goPackage{}}
	for n := 1; ; n++ {
		line, err := in.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			g.problem("line %d: %v", n, err)
			break
		}
		var e goEvent
		line = bytes.TrimSpace(line)
		switch decodeErr := json.Unmarshal(line, &e); {
		case len(line) == 0:
		case decodeErr != nil:
			g.problem("line %d is no event of go test: %s", n, cut(string(line), 200))
		default:
			g.event(e)
		}
	}
	g.finish()
	return nil
}

func (g *goTests) event(e goEvent) {
	if at, err := time.Parse(time.RFC3339Nano, e.Time); err == nil {
		g.during(at, at)
	}
	if e.Action == "build-fail" {
		g.problem("%s failed to build", e.ImportPath)
	}
	if e.Package == "" {
		return
	}
	p := g.packages[e.Package]
	if p == nil {
		p = &goPackage{}
		g.packages[e.Package] = p
	}
	if e.Test == "" {
		g.packageEvent(e, p)
		return
	}
	p.done = false
	running := g.running[e.Package]
	if running == nil {
		running = map[string]*said{}
		g.running[e.Package] = running
	}
	switch e.Action {
	case "run":
		running[e.Test] = &said{}
	case "output":
		if s := running[e.Test]; s != nil {
			s.add(e.Output)
		}
	case "pass", "skip", "fail":
		text := ""
		if s := running[e.Test]; s != nil {
			text = string(s.text)
		}
		delete(running, e.Test)
		if e.Action == "fail" {
			p.failures++
		}
		g.end(e, text)
	case "bench":
		delete(running, e.Test) // a benchmark that printed: it proves nothing
	}
}

// end counts a test that ended. One that failed waits for the end of the file: it may be run again.
func (g *goTests) end(e goEvent, text string) {
	name := e.Package + "." + e.Test
	hash := maphash.String(g.seed, name)
	_, failedBefore := g.failures[name]
	switch {
	case e.Action == "fail" && g.ended[hash], e.Action != "fail" && failedBefore:
		delete(g.failures, name)
		g.ended[hash] = true
		g.count(e.Package, e.Test, flaky, text)
	case e.Action == "fail":
		if len(g.failures) >= mostChecks {
			text = ""
		}
		g.failures[name] = goFailure{e.Package, e.Test, text}
	default:
		g.ended[hash] = true
		g.count(e.Package, e.Test, map[string]status{"pass": passed, "skip": skipped}[e.Action], text)
	}
}

// count selects a subtest with the tests above it: a test whose subtests were all skipped passes, and proves nothing.
func (g *goTests) count(pkg, test string, s status, text string) {
	var above []string
	for i, c := range test {
		if c == '/' {
			above = append(above, pkg+"."+test[:i])
		}
	}
	g.add(pkg+"."+test, s, text, above...)
}

func (g *goTests) packageEvent(e goEvent, p *goPackage) {
	switch e.Action {
	case "start":
		*p = goPackage{}
		return
	case "fail":
		switch {
		case e.FailedBuild != "":
			g.problem("%s failed to build, so its tests did not run", e.Package)
		case p.failures == 0:
			g.problem("%s failed, and no test of it did: it did not build, or ended early", e.Package)
		}
	case "pass", "skip":
	default:
		return
	}
	p.done = true
	for _, test := range slices.Sorted(maps.Keys(g.running[e.Package])) {
		g.problem("%s.%s began and did not end", e.Package, test)
	}
	delete(g.running, e.Package)
}

// finish counts what failed, and finds what did not end.
func (g *goTests) finish() {
	for _, name := range slices.Sorted(maps.Keys(g.failures)) {
		f := g.failures[name]
		g.count(f.pkg, f.test, failed, f.text)
	}
	for _, name := range slices.Sorted(maps.Keys(g.packages)) {
		if !g.packages[name].done {
			g.problem("the file ends before %s did", name)
		}
	}
}
