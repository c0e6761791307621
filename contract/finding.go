package contract

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/verdict"
)

// A Kind is a kind of contract.
type Kind string

const (
	OpenAPI    Kind = "openapi"
	Proto      Kind = "proto"
	Avro       Kind = "avro"
	JSONSchema Kind = "jsonschema"
	AsyncAPI   Kind = "asyncapi"
	Terms      Kind = "terms"
)

// A Flow says who writes the data that a schema describes, and so which version must accept what the other allows.
type Flow string

const (
	ToUs   Flow = "to us"   // written for the old version, read by the new: requests, consumed events
	FromUs Flow = "from us" // written by the new version, read by the old: responses, produced events
	Both   Flow = "both"    // as where a message is both, or is stored and read again
)

// A Severity says what a finding means for a release.
type Severity string

const (
	Break  Severity = "break"  // a neighbour that kept to the old version fails
	Risk   Severity = "risk"   // it fails if it relied on something that the old version did not promise
	Change Severity = "change" // it changed and harms nobody: new operations, new optional fields
)

// A Place is where something stands in a version's files. Line and Column count from 1; 0 is unknown.
type Place struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns the place as compilers print it.
func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Witness is something concrete that one version allows and the other refuses.
type Witness struct {
	What     string `json:"what"`               // "request", "response", "event", "call"
	Encoding string `json:"encoding"`           // of Document: "json", "hex" for bytes on the wire, "text"
	Document string `json:"document"`           // for a request or response its body, or where it has none its first line
	At       string `json:"at,omitempty"`       // what of the message the document is, where not the body: "query limit", "header X-Trace"
	Allowed  string `json:"allowed"`            // the version that allows it: "old" or "new"
	Refused  string `json:"refused"`            // the other
	Reason   string `json:"reason"`             // of the refusal, as the validator of that version words it
	Media    string `json:"media,omitempty"`    // media type of a body
	Readable string `json:"readable,omitempty"` // Document as people read it, where that is bytes: the JSON of an Avro datum
}

// A Finding is one thing that changed.
type Finding struct {
	Rule     string   `json:"rule"` // its stable id: of Protobuf as buf has it, else "kind-of-change"
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	Flow     Flow     `json:"flow,omitempty"`
	Contract string   `json:"contract"`          // its name in assay.yaml, or its file
	Subject  string   `json:"subject"`           // "POST /orders", "shop.v1.Orders/Place", "channel orders.placed"
	Path     string   `json:"path,omitempty"`    // of what changed within the subject: "request.body.items[].qty"
	Text     string   `json:"text"`              // what changed, and for whom that matters
	Try      string   `json:"try,omitempty"`     // what to do instead
	Old      Place    `json:"old,omitzero"`      // where it stood
	New      Place    `json:"new,omitzero"`      // where it stands, or the nearest that still does
	Witness  *Witness `json:"witness,omitempty"` // nil: none exists, or none was found
	Modes    []string `json:"modes,omitempty"`   // failure modes that terms speak of: retry, timeout, version-skew, redelivery
	Ends     []End    `json:"ends,omitempty"`    // other places that it is about, such as the terms of a call's callee
}

// An End is another place that a finding is about, and what stands there.
type End struct {
	What string `json:"what"` // "payments POST /charges"
	At   Place  `json:"at"`
}

// ID names the finding for a waiver: it stays the same while lines move.
func (f Finding) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(f.Kind), f.Contract, f.Rule, f.Subject, f.Path}, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// A Gap is something that was neither proven nor refuted.
type Gap struct {
	Contract string `json:"contract"`
	Subject  string `json:"subject"`
	Path     string `json:"path,omitempty"`
	Why      string `json:"why"`
	At       Place  `json:"at,omitzero"`
}

// A Proof is a claim of compatibility, and what it rests on.
type Proof struct {
	Contract  string `json:"contract"`
	Subject   string `json:"subject"`
	Path      string `json:"path,omitempty"`
	By        string `json:"by"`                  // "same" for what did not change, "documents", or "rule: …" for a rule that is proven to be safe
	Documents int    `json:"documents,omitempty"` // tried
	Nodes     int    `json:"nodes,omitempty"`     // of the schema; 0 where nobody counted
	Reached   int    `json:"reached,omitempty"`   // of these, by the documents: each that was not is a Gap
}

// A Diff is what the comparison of two versions of one contract says.
type Diff struct {
	Contract  string    `json:"contract"`
	Kind      Kind      `json:"kind"`
	Old       string    `json:"old"` // the versions, as the user named them
	New       string    `json:"new"`
	Seed      uint64    `json:"seed"` // of documents
	Documents int       `json:"documents"`
	Findings  []Finding `json:"findings"`
	Gaps      []Gap     `json:"gaps,omitempty"`
	Proofs    []Proof   `json:"proofs,omitempty"`
}

// Verdict returns Fail where something breaks, else Unknown where something is undecided or nothing was compared, else Pass.
func (d Diff) Verdict() verdict.Verdict {
	switch {
	case slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Severity == Break }):
		return verdict.Fail
	case len(d.Gaps) > 0 || len(d.Findings)+len(d.Proofs) == 0:
		return verdict.Unknown
	}
	return verdict.Pass
}

// Sort puts findings in the order that people read them in: breaks first, then by place.
func (d *Diff) Sort() {
	rank := map[Severity]int{Break: 0, Risk: 1, Change: 2}
	slices.SortStableFunc(d.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.New.File, b.New.File), cmp.Compare(a.New.Line, b.New.Line),
			cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule))
	})
}
