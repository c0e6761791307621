// Package event compares versions of events.
//
// [Check] does what a registry of schemas does when a version is added: Avro, JSON Schema and Protobuf in the modes NONE,
// BACKWARD, FORWARD and FULL, each against the last version or, _TRANSITIVE, against all.
//
//	diff, err := event.Check(ctx, event.Avro, []contract.Source{v1, v2}, event.Backward, contract.Options{Seed: 7})
//
// [Diff] compares two versions of an AsyncAPI document: servers, channels, operations and messages with their payloads.
//
// An incompatibility of Avro schemas comes with the smallest datum that shows it: bytes that the writer's schema writes, and that
// a reader refuses or takes for something else. That two versions are compatible is claimed after data that reach each node of the
// writer's schema were written with the one and read with the other.
package event
