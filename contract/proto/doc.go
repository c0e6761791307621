// Package proto compares versions of Protobuf files and gRPC services.
package proto

import _ "github.com/bufbuild/protocompile"
