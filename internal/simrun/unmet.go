package simrun

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// A helper is a site outside of tests: any test that links it may come there.
type helper struct {
	site
	met    bool
	linked []string // packages whose tests have it
}

// unmet finds what the sources promise and no seed did: simulations that never began, and assertions that were never reached.
func (x *explorer) unmet(ctx context.Context) error {
	if x.o.Replay != "" || x.o.Audit || x.stop || ctx.Err() != nil || x.bin.command == nil {
		return nil
	}
	w, err := x.sources(ctx)
	if err != nil {
		return err
	}
	if err := x.silent(ctx, w); err != nil {
		return err
	}
	if !x.o.searches() { // one seed need not come everywhere
		return nil
	}
	for _, s := range w.sites {
		switch {
		case s.test == "":
			x.helper(s, w)
		case !strings.Contains(x.o.Tests, "/"): // else some of its parts may be left out
			x.lexical(s)
		}
	}
	return nil
}

// lexical notes a site within a test function that ran and never came there.
func (x *explorer) lexical(s site) {
	family := x.family(s.test)
	if slices.ContainsFunc(family, func(t *Test) bool { return t.reached(s.name) }) {
		return
	}
	for _, t := range family {
		t.Points = append(t.Points, sim.Point{Kind: "sometimes", Name: s.name, Where: s.where})
	}
}

// family are the tests of a test function: itself, and its parts.
func (x *explorer) family(name string) (all []*Test) {
	for _, t := range x.res.Tests {
		if t.Package == x.bin.pkg && (t.Name == name || strings.HasPrefix(t.Name, name+"/")) {
			all = append(all, t)
		}
	}
	return all
}

func (t *Test) reached(name string) bool {
	return slices.ContainsFunc(t.Points, func(p sim.Point) bool { return p.Kind == "sometimes" && p.Name == name && p.Hits > 0 })
}

// helper notes a site of any other function, and whether this package's tests came there.
func (x *explorer) helper(s site, w *promises) {
	if x.o.Tests != "" || s.pkg != x.bin.pkg && w.others[s.pkg] { // that one's own tests say, where they run
		return
	}
	i := slices.IndexFunc(x.res.helpers, func(h *helper) bool { return h.site == s })
	if i < 0 {
		i = len(x.res.helpers)
		x.res.helpers = append(x.res.helpers, &helper{site: s})
	}
	h := x.res.helpers[i]
	h.linked = append(h.linked, x.bin.pkg)
	h.met = h.met || slices.ContainsFunc(x.res.Tests, func(t *Test) bool { return t.Package == x.bin.pkg && t.reached(s.name) })
}

// missed says of helpers where no test came. Tests beside them that cover cells have not shown what they are meant to.
func (r *Result) missed() {
	for _, h := range r.helpers {
		if h.met {
			continue
		}
		r.Reasons = append(r.Reasons, fmt.Sprintf("%q (%s) was never reached: no seed of any test in %s came there", h.name, h.where, strings.Join(h.linked, ", ")))
		for _, t := range r.Tests {
			if len(t.Covers) > 0 && t.Package == h.pkg {
				t.Points = append(t.Points, sim.Point{Kind: "sometimes", Name: h.name, Where: h.where})
			}
		}
	}
}

// silent finds tests, and parts of tests, that have a simulation and never began it: they were skipped before, which is noted, or returned.
func (x *explorer) silent(ctx context.Context, w *promises) error {
	some := w.skips
	for name := range w.begin {
		some = some || len(x.family(name)) == 0
	}
	if !some {
		return nil
	}
	p, err := x.bin.run(ctx, start{name: "w", tests: x.o.Tests, seed: x.o.Seed, mode: x.o.Mode, verbose: true})
	if err != nil {
		return err
	}
	for _, q := range silentTests(p.output) {
		top, _, _ := strings.Cut(q.name, "/")
		switch {
		case !w.begin[top] || len(x.family(q.name)) > 0:
		case q.skipped: // as its author meant it; what it would cover is not covered
			x.res.Notes = append(x.res.Notes, q.name+q.why())
		case q.name == top:
			x.res.Reasons = append(x.res.Reasons, q.name+q.why())
		}
	}
	return nil
}

// quiet is a test as its binary tells of it.
type quiet struct {
	name    string
	skipped bool
	reason  string
}

func (q quiet) why() string {
	switch {
	case q.skipped && q.reason != "":
		return " was skipped before its simulation began: " + q.reason
	case q.skipped:
		return " was skipped before its simulation began"
	}
	return " has a simulation, and ended without beginning it"
}

// silentTests reads the output of go test -v.
func silentTests(output string) (all []quiet) {
	skipped := map[string]string{}
	lines := strings.Split(output, "\n")
	reason, skip, run := "", regexp.MustCompile(`^ *--- SKIP: (\S+) \(`), regexp.MustCompile(`^=== RUN +(\S+)$`)
	for _, line := range lines {
		switch m := skip.FindStringSubmatch(line); {
		case m != nil:
			skipped[m[1]] = reason
		case complaint().MatchString(line):
			reason = strings.TrimSpace(line)
		case strings.HasPrefix(line, "==="):
			reason = ""
		}
	}
	for _, line := range lines {
		if m := run.FindStringSubmatch(line); m != nil {
			reason, ok := skipped[m[1]]
			all = append(all, quiet{m[1], ok, reason})
		}
	}
	return all
}
