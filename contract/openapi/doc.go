// Package openapi compares versions of HTTP interfaces in OpenAPI 3.0 and 3.1.
package openapi

import (
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/getkin/kin-openapi/openapi3filter"
	_ "github.com/oasdiff/oasdiff/checker"
	_ "github.com/oasdiff/oasdiff/diff"
	_ "github.com/oasdiff/oasdiff/load"
)
