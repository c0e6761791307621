// Package contracts compares the versions of contracts that a user names, and shows what that says.
//
//	pair, err := contracts.Resolve(ctx, "main:api/orders.yaml", "api/orders.yaml", contracts.Choice{})
//	report := contracts.Compare(ctx, pair, contract.Options{})
//
// A version is a file, a folder or a path at a git revision. Its kind is told by its content. The comparison itself is the
// families' below package contract: what is here finds versions, applies waivers and severities, writes every form of the
// result, and turns it into evidence.
package contracts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/terms"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/verdict"
)

// An Error is something that the user named and that cannot be used as it is.
type Error struct{ Msg string }

func (e *Error) Error() string { return e.Msg }

// A Broken is a failure of ours, or of a library below us, and none of a contract.
type Broken struct{ Msg string }

func (e *Broken) Error() string { return e.Msg }

// A Report is what the comparison of all contracts says.
type Report struct {
	System  string          `json:"system,omitempty"` // of assay.yaml; "" where two versions were named
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"`
	Against string          `json:"against"`           // what was compared with
	Commits []string        `json:"commits,omitempty"` // of the revisions that Against names
	At      time.Time       `json:"at"`                // waivers are held against it
	Results []Result        `json:"contracts"`
	// Skipped are files of the folders that were named which are no contract by themselves.
	Skipped []string `json:"skipped,omitempty"`
}

// A Result is what the comparison of one contract says, with what was decided about it.
type Result struct {
	Contract  string           `json:"contract"`
	Kind      contract.Kind    `json:"kind,omitempty"`
	Mode      string           `json:"mode,omitempty"`
	Owner     string           `json:"owner,omitempty"`
	Verdict   verdict.Verdict  `json:"verdict"`
	Reason    string           `json:"reason"`
	Old       Version          `json:"old"`
	New       Version          `json:"new"`
	Seed      uint64           `json:"seed"`
	Documents int              `json:"documents"`
	Findings  []Found          `json:"findings"`
	Gaps      []contract.Gap   `json:"gaps,omitempty"`
	Proofs    []contract.Proof `json:"proofs,omitempty"`
	Waivers   []WaiverUse      `json:"waivers,omitempty"`
	// Modes are what the terms of the contract speak of, by failure mode.
	Modes  []string            `json:"modes,omitempty"`
	Covers map[string][]string `json:"covers,omitempty"` // of assay.yaml: modes by journey
	Pos    string              `json:"pos,omitempty"`    // where assay.yaml names it
	terms  []terms.Terms       // of the new version
}

// A Version is one side of a comparison.
type Version struct {
	Name   string            `json:"name"`             // as the user named it
	Digest string            `json:"digest,omitempty"` // of all files that were read, with their names
	Files  map[string]string `json:"files,omitempty"`  // digest of each
	texts  map[string][]byte
}

// A Found is a finding with its id, and what was decided about it.
type Found struct {
	ID string `json:"id"`
	contract.Finding
	Was    contract.Severity `json:"was,omitempty"` // the rule's own severity, where assay.yaml gives another
	Note   string            `json:"note,omitempty"`
	Waived *gate.Waiver      `json:"waived,omitempty"`
}

// identify gives each finding the id that a waiver of it names. It is made of what the finding says, so that it stays while lines move and is another
// once more than what was waived changes; what is said twice is told apart by number.
func (r *Result) identify() {
	seen := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		id := func() string {
			sum := sha256.Sum256([]byte(strings.Join([]string{f.Finding.ID(), f.Text, fmt.Sprint(seen[f.Finding.ID()+f.Text])}, "\x00")))
			return hex.EncodeToString(sum[:6])
		}
		f.Contract = r.Contract
		f.ID = id()
		seen[f.Finding.ID()+f.Text]++
	}
}

// Breaks says whether the finding breaks a neighbour and nobody waived it.
func (f Found) Breaks() bool { return f.Severity == contract.Break && f.Waived == nil }

// count returns how many findings are of a severity, waived ones not among them.
func (r Result) count(s contract.Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s && f.Waived == nil {
			n++
		}
	}
	return n
}

func (r Result) waived() int {
	n := 0
	for _, f := range r.Findings {
		if f.Waived != nil {
			n++
		}
	}
	return n
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
