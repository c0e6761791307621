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
	for _, w := range d.Where {
		switch {
		case strings.Contains(w, "simWorld).delay"):
			return fmt.Sprintf("what it sent took %d/%d of the link's jitter longer", d.Choice, d.N-1)
		case strings.Contains(w, "simWorld).lost"):
			return "what it sent was lost"
		case strings.Contains(w, "simFD).send"):
			return "its datagram came late, or twice"
		}
	}
	if d.Kind == "disk" {
		return fmt.Sprintf("its disk took longer, or a fault struck (%d of %d)", d.Choice, d.N)
	}
	if d.N == 2 {
		return "a chance came true"
	}
	return fmt.Sprintf("%d of %d was drawn", d.Choice, d.N)
}

func goroutine(n uint32, where []string) string {
	if len(where) == 0 {
		return fmt.Sprintf("goroutine %d", n)
	}
	return fmt.Sprintf("goroutine %d at %s", n, place(where))
}

// place is the frame that a user knows best: the innermost outside the standard library.
func place(where []string) string {
	line := where[0]
	for _, w := range where {
		if userPackage(w) {
			line = w
			break
		}
	}
	function, at, _ := strings.Cut(line, " ")
	return fmt.Sprintf("%s (%s)", at, path.Base(function))
}

// userPackage reports whether the import path of a function has a dot before its first slash, which those of the
// standard library do not.
func userPackage(frame string) bool {
	function, _, _ := strings.Cut(frame, " ")
	first, _, more := strings.Cut(function, "/")
	return more && strings.Contains(first, ".")
}
