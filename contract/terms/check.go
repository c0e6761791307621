package terms

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// DefaultAmplification is how many calls one call may come to on a path, unless options say otherwise.
const DefaultAmplification = 10

// CheckOptions are how terms are held against each other.
type CheckOptions struct {
	Contract      string // the name that findings carry
	Amplification int    // the most calls of one operation that one call may come to on a path; 0 takes DefaultAmplification
}

// A Result is what the terms of a system come to.
type Result struct {
	Contract string             `json:"contract"`
	Findings []contract.Finding `json:"findings"`
	Gaps     []contract.Gap     `json:"gaps,omitempty"`
	Proofs   []contract.Proof   `json:"proofs,omitempty"` // what was computed and holds
	Times    []Time             `json:"times,omitempty"`
	Paths    []Path             `json:"paths,omitempty"`
}

// A Time is how long an operation takes at worst.
type Time struct {
	Operation string        `json:"operation"`
	Deadline  time.Duration `json:"deadline_ns"` // 0: none is declared
	Worst     time.Duration `json:"worst_ns"`
	Sum       string        `json:"sum"`                 // how it comes to that
	Unbounded bool          `json:"unbounded,omitempty"` // then Worst is the part that has a bound
}

// A Path is the chain of calls from an operation that nothing declared calls on which another is called most often.
type Path struct {
	Operations []string `json:"operations"`
	Calls      int      `json:"calls"` // of the last for one of the first; 0: without limit
	Product    string   `json:"product"`
}

// Verdict returns Fail where something breaks, else Unknown where something is undeclared or nothing was there, else Pass.
func (r Result) Verdict() verdict.Verdict {
	return contract.Diff{Findings: r.Findings, Gaps: r.Gaps, Proofs: r.Proofs}.Verdict()
}

// Check holds the terms of services against the calls that they make of each other. What is needed for that and declared nowhere is a gap.
func Check(ctx context.Context, systems []Terms, opts CheckOptions) (Result, error) {
	if opts.Amplification <= 0 {
		opts.Amplification = DefaultAmplification
	}
	systems, err := united(systems)
	if err != nil {
		return Result{}, err
	}
	g := newGraph(systems)
	c := &checker{Result: Result{Contract: opts.Contract}, graph: g, opts: opts}
	c.cycles()
	for _, n := range g.nodes {
		if err := ctx.Err(); err != nil {
			return c.Result, err
		}
		before := len(c.Findings) + len(c.Gaps)
		c.times(n)
		for _, e := range n.calls {
			found := len(c.Findings)
			c.call(n, e)
			c.end(found, e.to)
		}
		c.events(n)
		c.load(n)
		if len(c.Findings)+len(c.Gaps) == before {
			c.Proofs = append(c.Proofs, contract.Proof{Contract: opts.Contract, Subject: n.name, By: "rule: its calls fit its terms, and theirs"})
		}
	}
	c.paths()
	c.sort()
	return c.Result, nil
}

// A checker gathers what the rules of Check say.
type checker struct {
	Result
	graph *graph
	opts  CheckOptions
}

func (c *checker) breaks(rule string, n *node, path, modes, text, try string, at contract.Place, s *schedule) {
	f := contract.Finding{Rule: rule, Kind: contract.Terms, Severity: contract.Break, Contract: c.opts.Contract, Subject: n.name, Path: path,
		Text: text, Try: try, New: at, Modes: strings.Fields(modes)}
	if s != nil {
		f.Witness = &contract.Witness{What: "call", Encoding: "text", Document: s.String(), Allowed: "the caller's terms", Refused: "what must hold", Reason: text}
		if s.events() {
			f.Witness.What, f.Witness.Allowed = "event", "the sender's terms"
		}
	}
	c.Findings = append(c.Findings, f)
}

func (c *checker) gap(n *node, path string, at contract.Place, format string, args ...any) {
	c.Gaps = append(c.Gaps, contract.Gap{Contract: c.opts.Contract, Subject: n.name, Path: path, Why: fmt.Sprintf(format, args...), At: at})
}

func (c *checker) sort() {
	d := contract.Diff{Findings: c.Findings}
	d.Sort()
	c.Findings = d.Findings
	slices.SortStableFunc(c.Gaps, func(a, b contract.Gap) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Path, b.Path))
	})
}

// cycles adds each cycle of calls once: nothing on one has a bound.
func (c *checker) cycles() {
	for _, cycle := range c.graph.cycles() {
		n := cycle[0]
		var names []string
		for _, one := range cycle {
			names = append(names, one.name)
		}
		names = append(names, n.name)
		c.breaks("call-cycle", n, "calls", "timeout retry", "calls itself, so that no time and no number of calls is the most: "+strings.Join(names, " → "),
			"break the cycle, or send an event in place of one of its calls", n.At, nil)
		for _, one := range cycle[1:] {
			c.end(len(c.Findings)-1, one)
		}
	}
}

// times holds the worst case of an operation against its deadline.
func (c *checker) times(n *node) {
	if len(n.calls) == 0 && n.Work == 0 {
		return
	}
	t := Time{Operation: n.name, Deadline: n.Deadline}
	t.Worst, t.Sum, t.Unbounded = n.worst()
	c.Times = append(c.Times, t)
	switch {
	case t.Unbounded: // said of the call that has no bound
	case n.Deadline == 0 && n.channelAction() == "":
		c.gap(n, "deadline", n.At, "declares no deadline, and its calls take up to %s = %s", t.Sum, short(t.Worst))
	case n.Deadline > 0 && t.Worst > n.Deadline:
		found := len(c.Findings)
		c.breaks("deadline-exceeded", n, "deadline", "timeout retry",
			fmt.Sprintf("promises %s, and takes up to %s = %s", short(n.Deadline), t.Sum, short(t.Worst)),
			fmt.Sprintf("give its calls %s less, or promise %s", short(t.Worst-n.Deadline), short(t.Worst)), n.at("deadline"), n.slowest())
		c.endCalls(found, n)
	}
}

// paths adds on which path each operation is called most often, and refuses what is too often.
func (c *checker) paths() {
	for _, n := range c.graph.nodes {
		p, ok := n.path()
		if !ok {
			continue
		}
		c.Paths = append(c.Paths, p)
		if p.Calls > c.opts.Amplification {
			found := len(c.Findings)
			c.breaks("amplification", n, "calls", "retry redelivery",
				fmt.Sprintf("is called up to %d times for one call of %s (%s), and %d is the limit: %s", p.Calls, p.Operations[0], p.Product, c.opts.Amplification, strings.Join(p.Operations, " → ")),
				"retry at one layer only, the one next to what fails, or with a budget", n.At, nil)
			c.endWay(found, n.way())
		}
	}
}

// slowest is the worst case of the operation, attempt by attempt, where one call is made at a time.
func (n *node) slowest() *schedule {
	s := &schedule{}
	at, number := n.Work, 0
	for i := range n.Stages {
		var slow *edge
		var most time.Duration
		for _, e := range n.calls {
			if d, _ := e.worst(); e.stage == i && (slow == nil || d > most) {
				slow, most = e, d
			}
		}
		for a := 1; a <= slow.call.Attempts(); a++ {
			number++
			s.add(moment{at: at, what: calls, call: number, to: slow.call.Target()})
			if at = plus(at, slow.call.Timeout); a == slow.call.Attempts() { // just in time, or the operation would end here
				s.add(moment{at: at, what: answers, call: number, code: "OK"})
				continue
			}
			s.add(moment{at: at, what: leaves, call: number})
			at = plus(at, slow.wait(a))
		}
	}
	return s
}
