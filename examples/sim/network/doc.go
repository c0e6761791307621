// Package network has tests of unmodified programs on a simulated network: net/http, TLS with HTTP/2, gRPC and hashicorp/raft over
// TCP, while hosts crash and links fail. They need what "assay sim" builds; plain go test skips them.
//
//	cd examples/sim
//	assay sim --seeds 50 ./network
package network
