package simrun

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/assay-dev/assay/sim"
)

// explain says in a line what a decision did: when, who, where, and instead of whom.
func explain(d sim.Decision) string {
	at, who := time.Duration(d.AtNS), goroutine(d.Goroutine, d.Where)
	other := goroutine(d.Other, d.OtherWhere)
	switch d.Kind {
	case "pick":
		return fmt.Sprintf("at %v %s ran before %s, which had waited longer", at, who, other)
	case "yield":
		if d.Other == 0 {
			return fmt.Sprintf("at %v %s was preempted", at, who)
		}
		return fmt.Sprintf("at %v %s was preempted, and %s ran", at, who, other)
	case "select":
		return fmt.Sprintf("at %v %s looked at the cases of its select in another order than written", at, who)
	case "timer":
		return fmt.Sprintf("at %v %s set a timer that fires ahead of others of its instant", at, who)
	}
	if d.Note != "" {
		return fmt.Sprintf("at %v %s", at, d.Note)
	}
	return fmt.Sprintf("at %v %s: %s", at, who, drawn(d))
}

// drawn says what the simulated world drew.
func drawn(d sim.Decision) string {
	what := "what it sent"
	if d.From != "" {
		what = fmt.Sprintf("what %s sent to %s", d.From, d.To)
	}
	for _, w := range d.Where {
		switch {
		case strings.Contains(w, "simWorld).delay"):
			return fmt.Sprintf("%s took %d/%d of the link's jitter longer", what, d.Choice, d.N-1)
		case strings.Contains(w, "simWorld).lost"):
			return what + " was lost"
		case strings.Contains(w, "simFD).send"):
			return what + " came late, or twice"
		case strings.Contains(w, "sim/disk.(*Injected).strikes"):
			return "its disk's fault struck, at " + place(d.Where)
		case strings.Contains(w, "sim/disk.(*Disk).enter"):
			return fmt.Sprintf("its disk took longer (%d of %d), at %s", d.Choice, d.N-1, place(d.Where))
		}
		if text := swarmed(d, w); text != "" {
			return text
		}
	}
	if d.N == 2 {
		return "a chance came true at " + place(d.Where)
	}
	return fmt.Sprintf("%d was drawn, of 0 to %d, at %s", d.Choice, d.N-1, place(d.Where))
}

// swarmed says what a swarm drew in one of its functions.
func swarmed(d sim.Decision, frame string) string {
	function, _, _ := strings.Cut(frame, " ")
	name, of := strings.CutPrefix(function, simPath+".")
	switch {
	case !of:
	case name == "(*Sim).Swarm":
		return "the swarm waited longer for its next fault"
	case name == "(*swarm).draw":
		return "the swarm has one kind of fault, which strikes " + []string{"never", "never", "never", "rarely", "now and then", "often"}[min(d.Choice, 5)]
	case name == "(*swarm).lasts":
		return fmt.Sprintf("the swarm's fault lasts longer (%d of %d)", d.Choice, d.N-1)
	case name == "(*swarm).strike":
		return "the swarm lets a fault strike"
	case strings.HasPrefix(name, "(*swarm)."), strings.HasPrefix(name, "kindsOfFaults"):
		return fmt.Sprintf("the swarm's fault strikes another than the first, or another way (%d of %d)", d.Choice, d.N-1)
	}
	return ""
}

func goroutine(n uint32, where []string) string {
	if len(where) == 0 {
		return fmt.Sprintf("goroutine %d", n)
	}
	return fmt.Sprintf("goroutine %d at %s", n, place(where))
}

// known is the frame that a user knows best: the innermost outside the standard library and the simulation.
func known(where []string) string {
	for _, w := range where {
		if userPackage(w) && !ownFrame(w) {
			return w
		}
	}
	return where[0]
}

// ownFrame reports whether a frame is the simulation's own.
func ownFrame(frame string) bool {
	return strings.HasPrefix(frame, simPath+".") || strings.HasPrefix(frame, simPath+"/disk.")
}

// place says where that is.
func place(where []string) string {
	if len(where) == 0 {
		return "an unknown place"
	}
	function, at, _ := strings.Cut(known(where), " ")
	return fmt.Sprintf("%s (%s)", at, path.Base(function))
}

// userPackage reports whether the import path of a function has a dot before its first slash, which those of the
// standard library do not.
func userPackage(frame string) bool {
	function, _, _ := strings.Cut(frame, " ")
	first, _, more := strings.Cut(function, "/")
	return more && strings.Contains(first, ".")
}
