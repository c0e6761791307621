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
		}
	}
	if d.Kind == "disk" {
		return fmt.Sprintf("its disk took longer, or a fault struck (%d of %d)", d.Choice, d.N)
	}
	if d.N == 2 {
		return "a chance came true at " + place(d.Where)
	}
	return fmt.Sprintf("%d was drawn, of 0 to %d, at %s", d.Choice, d.N-1, place(d.Where))
}

func goroutine(n uint32, where []string) string {
	if len(where) == 0 {
		return fmt.Sprintf("goroutine %d", n)
	}
	return fmt.Sprintf("goroutine %d at %s", n, place(where))
}

// known is the frame that a user knows best: the innermost outside the standard library.
func known(where []string) string {
	for _, w := range where {
		if userPackage(w) {
			return w
		}
	}
	return where[0]
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
