// Package jsonschema decides whether each document that one JSON Schema allows is allowed by another, and shows one that is not.
package jsonschema

import _ "github.com/santhosh-tekuri/jsonschema/v6" // the validator of witnesses
