package jsonschema

import "github.com/assay-dev/assay/contract"

// A Comparison is what Compare says. With no Breaks and no Gaps, each document that from allows is allowed by to.
type Comparison struct {
	Breaks    []Break
	Notes     []Note // what annotations say differently: harms those who rely on it
	Gaps      []contract.Gap
	Proofs    []contract.Proof
	Documents int // tried
}

// A Break is a document that from allows and to refuses.
type Break struct {
	Rule     string         // such as "type-narrowed": see Rules
	Path     string         // of the value that is refused, within the document: "items[].qty"; "" is the document itself
	Text     string         // what changed
	From, To contract.Place // where it stands in either schema, or the nearest that does
	Document string         // JSON, as small as was found
	Reason   string         // of the refusal, as the validator words it
}

// A Note is a change that no document shows, because it is an annotation.
type Note struct {
	Rule     string // "format-changed"
	Path     string
	Text     string
	From, To contract.Place
}
