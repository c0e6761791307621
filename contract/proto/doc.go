// Package proto compares two versions of Protobuf files and gRPC services.
//
//	d, err := proto.Diff(ctx, old, new, contract.Options{Contract: "orders"})
//
// The rules are those that users of buf know, under the same ids: Catalogue lists them. Which of them break is chosen as
// buf chooses them, by category or id, with DiffRules. Diff takes what breaks a running neighbour: everything that changes
// what stands on the wire or in JSON (WIRE_JSON), and services and methods that are gone, which for buf are a matter of
// generated source, but which fail each call. What changes generated source alone is said too, as contract.Change.
//
// A break comes with a witness where one exists: a message that one version writes and the other refuses or misreads.
// Witnesses are not argued: each was written with the descriptors of one version and read with those of the other.
//
// Syntax proto2, proto3 and edition 2023 are read. Files are found below the source's path; imports are looked for from
// there, and then from the folders above it. Well-known types are built in. Nothing is fetched.
package proto
