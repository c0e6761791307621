package event

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A Mode is a registry's rule for a new version of a schema: which side of the old and the new must read what the other writes,
// and so which may be deployed first.
type Mode string

const (
	None               Mode = "NONE"                // nothing is asked
	Backward           Mode = "BACKWARD"            // the new version reads what the last wrote: readers are deployed first
	BackwardTransitive Mode = "BACKWARD_TRANSITIVE" // … what any older version wrote: as where a topic is read from its beginning
	Forward            Mode = "FORWARD"             // the last version reads what the new writes: writers are deployed first
	ForwardTransitive  Mode = "FORWARD_TRANSITIVE"  // … and any older version does
	Full               Mode = "FULL"                // both: in any order
	FullTransitive     Mode = "FULL_TRANSITIVE"     // both, of any older version
)

// Modes returns all modes, in the order in which documents list them.
func Modes() []Mode {
	return []Mode{None, Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive}
}

// ParseMode reads a mode in any case, with _ or - between its words.
func ParseMode(text string) (Mode, error) {
	want := Mode(strings.ToUpper(strings.ReplaceAll(text, "-", "_")))
	names := make([]string, 0, len(Modes()))
	for _, m := range Modes() {
		if m == want {
			return m, nil
		}
		names = append(names, string(m))
	}
	return "", fmt.Errorf("no mode of compatibility is called %q: there are %s", text, strings.Join(names, ", "))
}

// Transitive says whether the newest version is held against all older ones, and not only against the last.
func (m Mode) Transitive() bool { return strings.HasSuffix(string(m), "_TRANSITIVE") }

// flows are the directions that the mode asks for.
func (m Mode) flows() []contract.Flow {
	switch m {
	case Backward, BackwardTransitive:
		return []contract.Flow{contract.ToUs}
	case Forward, ForwardTransitive:
		return []contract.Flow{contract.FromUs}
	case Full, FullTransitive:
		return []contract.Flow{contract.ToUs, contract.FromUs}
	}
	return nil
}

// A Format is how a registry's schemas are written.
type Format string

const (
	Avro     Format = "avro"
	JSON     Format = "json"
	Protobuf Format = "proto"
)
