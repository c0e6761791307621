// Package openapi compares versions of HTTP interfaces in OpenAPI 3.0 and 3.1.
//
// Three things are put together. oasdiff says what changed, under its own rule ids. Package jsonschema decides, for each body, parameter
// and header that changed, whether each document that one side may send is allowed by the other: what it refutes gets a witness, what it
// proves to be safe is no finding any more, and what oasdiff misses is added. The rest (serialization, servers, statuses, sunset dates) are rules of our own.
//
//	d, err := openapi.Diff(ctx, old, new, contract.Options{Contract: "orders"})
//
// What an operation is made of is compared part by part; each part that changed is a finding, a proof or a gap.
package openapi
