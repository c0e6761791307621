// Package contract says what a change of an interface does to those on its other side: the words that all kinds of
// contracts share. It reads no files of its own accord and drives nothing; the packages below it compare versions:
//
//   - openapi: HTTP, in OpenAPI 3.0 and 3.1
//   - proto: Protobuf and gRPC
//   - event: Avro, JSON Schema and Protobuf events in the modes of a registry, and AsyncAPI
//   - terms: time, retries and idempotency, and their algebra over the calls of a system
//   - jsonschema: whether each document of one JSON Schema is one of another
//
// # What a comparison may say
//
// A [Finding] says that something changed. One that breaks carries a [Witness] where one exists: a request, response or event
// that one version allows and the other refuses. That something did not break is a claim as well, and needs a [Proof]: documents
// that were tried, or a rule that is safe. What was neither proven nor refuted is a [Gap], and makes the verdict unknown.
//
// # Who sends, who reads
//
// Versions are deployed one side at a time, so documents meet a reader of the other version. A [Flow] says which
// way: what neighbours send to us ([ToUs]: requests, consumed events) was written for the old version and is read by the new; what
// we send ([FromUs]: responses, produced events) is written by the new version and read by neighbours that know the old.
package contract
