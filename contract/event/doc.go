// Package event compares versions of events: Avro, JSON Schema and Protobuf in the modes of a registry, and AsyncAPI.
package event

import _ "github.com/twmb/avro"
