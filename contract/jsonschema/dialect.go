package jsonschema

import "fmt"

// A Dialect is a version of JSON Schema.
type Dialect int

const (
	Draft4 Dialect = iota + 1
	Draft6
	Draft7
	Draft2019
	Draft2020
	OpenAPI30 // draft-04 with nullable; discriminator is an annotation
	OpenAPI31 // 2020-12
)

// String returns the name of the dialect, as its users write it.
func (d Dialect) String() string {
	names := map[Dialect]string{Draft4: "draft-04", Draft6: "draft-06", Draft7: "draft-07", Draft2019: "2019-09", Draft2020: "2020-12",
		OpenAPI30: "OpenAPI 3.0", OpenAPI31: "OpenAPI 3.1"}
	if name, ok := names[d]; ok {
		return name
	}
	return fmt.Sprintf("dialect %d", int(d))
}
