// Package verdict defines what a check may conclude.
//
// There are three verdicts, not two. A check that timed out, was skipped, or
// could not read its input has concluded nothing, and nothing is not a pass:
//
//	whole := verdict.Merge(verdict.Pass, verdict.Unknown) // Unknown
package verdict

import "fmt"

// A Verdict is the conclusion of a check. The zero value is Unknown, so a
// verdict that nobody set can never be mistaken for a pass.
type Verdict uint8

const (
	Unknown Verdict = iota // no conclusion was reached
	Pass                   // no violation was found, within the stated bounds
	Fail                   // a violation was found, and there is a witness
)

var names = [...]string{"unknown", "pass", "fail"}

// String returns the verdict's name, as it appears in reports and evidence.
func (v Verdict) String() string {
	if int(v) >= len(names) {
		return fmt.Sprintf("verdict(%d)", uint8(v))
	}
	return names[v]
}

// Parse reads the name that String writes.
func Parse(s string) (Verdict, error) {
	for v, name := range names {
		if s == name {
			return Verdict(v), nil
		}
	}
	return Unknown, fmt.Errorf("no verdict is called %q (allowed: unknown, pass, fail)", s)
}

// MarshalText writes the verdict's name.
func (v Verdict) MarshalText() ([]byte, error) {
	if int(v) >= len(names) {
		return nil, fmt.Errorf("verdict %d has no name", uint8(v))
	}
	return []byte(names[v]), nil
}

// UnmarshalText reads the verdict's name.
func (v *Verdict) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}

// Merge returns the verdict of a whole from the verdicts of its parts: Fail if
// any part failed, else Unknown if any part is unknown, else Pass.
// Merging nothing yields Unknown, because a run that checked nothing has
// proved nothing.
func Merge(parts ...Verdict) Verdict {
	if len(parts) == 0 {
		return Unknown
	}
	whole := Pass
	for _, part := range parts {
		switch part {
		case Pass:
		case Fail:
			return Fail
		default:
			whole = Unknown
		}
	}
	return whole
}
