package event

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/assay-dev/assay/contract"
)

// A schema is one node of an Avro schema. What the library parsed is kept as it read it, in a form with references resolved, so
// that schemas that refer to themselves are graphs, and with places.
type schema struct {
	kind        string // null … string, record, enum, array, map, fixed, union
	name        string // full, of a record, enum or fixed
	aliases     []string
	logical     string
	precision   int
	scale       int
	size        int
	symbols     []string
	fallback    string // the default of an enum
	hasFallback bool
	doc         string
	fields      []*field
	items       *schema // of an array, values of a map
	branches    []*schema
	at          contract.Place

	height int // of its smallest datum; infinite where it has none that ends
}

type field struct {
	name       string
	aliases    []string
	schema     *schema
	def        any
	hasDefault bool
	order      string
	doc        string
	at         contract.Place
}

const infinite = 1 << 30

// An avroSchema is a version of an Avro schema.
type avroSchema struct {
	root *schema
	lib  *avro.Schema
}

// mostTypes bounds the time that a hostile schema takes.
const mostTypes = 20_000

// parseAvro reads a schema from its tree.
func parseAvro(tree *node) (*avroSchema, error) {
	lib, err := avro.Parse(tree.json())
	if err != nil {
		return nil, fmt.Errorf("%s: not an Avro schema: %w", tree.at, err)
	}
	b := builder{named: map[string]*schema{}}
	root, err := b.build(lib.Root(), tree, "")
	if err != nil {
		return nil, err
	}
	if n := len(nodes(root)); n > mostTypes {
		return nil, fmt.Errorf("%s: the schema has %d types, and %d are the most that is compared", tree.at, n, mostTypes)
	}
	setHeights(root)
	return &avroSchema{root: root, lib: lib}, nil
}

// A builder turns what the library parsed into our graph.
type builder struct{ named map[string]*schema }

func (b builder) build(l *avro.SchemaNode, tree *node, namespace string) (*schema, error) {
	if s := b.reference(l.Type, namespace); s != nil {
		return s, nil
	}
	s := &schema{kind: l.Type, logical: l.LogicalType, precision: l.Precision, scale: l.Scale, size: l.Size, symbols: l.Symbols,
		fallback: l.EnumDefault, hasFallback: l.HasEnumDefault, doc: l.Doc, at: tree.at}
	if s.kind == "error" {
		s.kind = "record"
	}
	tree = body(tree)
	if l.Name != "" {
		namespace = b.declare(s, l)
	}
	var err error
	switch s.kind {
	case "record":
		err = b.fields(s, l, tree, namespace)
	case "array":
		s.items, err = b.build(l.Items, or(tree.get("items"), tree), namespace)
	case "map":
		s.items, err = b.build(l.Values, or(tree.get("values"), tree), namespace)
	case "union":
		for i := range l.Branches {
			at := tree
			if tree.kind == isList && i < len(tree.items) {
				at = tree.items[i]
			}
			branch, err := b.build(&l.Branches[i], at, namespace)
			if err != nil {
				return nil, err
			}
			s.branches = append(s.branches, branch)
		}
	case "null", "boolean", "int", "long", "float", "double", "bytes", "string", "enum", "fixed":
	default:
		return nil, fmt.Errorf("%s: unknown Avro type %q", s.at, s.kind)
	}
	return s, err
}

// body returns the node that holds the keys of a type: {"type": {"type": "array", …}} has them one level down.
func body(tree *node) *node {
	for tree.kind == isObject {
		inner := tree.get("type")
		if inner == nil || inner.kind == isText {
			break
		}
		tree = inner
	}
	return tree
}

func or(n, fallback *node) *node {
	if n == nil {
		return fallback
	}
	return n
}

func (b builder) reference(name, namespace string) *schema {
	if !strings.Contains(name, ".") && namespace != "" {
		if s := b.named[namespace+"."+name]; s != nil {
			return s
		}
	}
	return b.named[name]
}

// declare names the schema, and returns the namespace within it.
func (b builder) declare(s *schema, l *avro.SchemaNode) string {
	s.name, s.aliases = l.Name, l.Aliases
	if !strings.Contains(l.Name, ".") && l.Namespace != "" {
		s.name = l.Namespace + "." + l.Name
	}
	b.named[s.name] = s
	namespace, _ := splitName(s.name)
	return namespace
}

func splitName(full string) (namespace, name string) {
	if i := strings.LastIndexByte(full, '.'); i >= 0 {
		return full[:i], full[i+1:]
	}
	return "", full
}

func (b builder) fields(s *schema, l *avro.SchemaNode, tree *node, namespace string) error {
	list := tree.get("fields")
	for i := range l.Fields {
		lf := &l.Fields[i]
		at := tree
		if list != nil && i < len(list.items) {
			at = list.items[i]
		}
		of, err := b.build(&lf.Type, or(at.get("type"), at), namespace)
		if err != nil {
			return err
		}
		if text, ok := lf.Props["logicalType"].(string); ok && of.logical == "" && of.name == "" {
			of.logical = text // written beside the type: the library reads it as part of it
			if text == "decimal" {
				of.precision, of.scale = number(lf.Props["precision"]), number(lf.Props["scale"])
			}
		}
		s.fields = append(s.fields, &field{name: lf.Name, aliases: lf.Aliases, schema: of, def: lf.Default, hasDefault: lf.HasDefault,
			order: lf.Order, doc: lf.Doc, at: at.at})
	}
	return nil
}

func number(v any) int {
	n, _ := v.(int64)
	return int(n)
}

// children returns the schemas directly within s.
func (s *schema) children() []*schema {
	var all []*schema
	for _, f := range s.fields {
		all = append(all, f.schema)
	}
	if s.items != nil {
		all = append(all, s.items)
	}
	return append(all, s.branches...)
}

// nodes returns all schemas that can be reached, each once, the root first.
func nodes(root *schema) []*schema {
	seen := map[*schema]bool{root: true}
	all := []*schema{root}
	for i := 0; i < len(all); i++ {
		for _, c := range all[i].children() {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	return all
}

// setHeights computes how deep the smallest datum of each schema is, to a fixed point: a record that needs itself has none.
func setHeights(root *schema) {
	all := nodes(root)
	for _, s := range all {
		s.height = infinite
	}
	for changed := true; changed; {
		changed = false
		for _, s := range slices.Backward(all) {
			if h := s.smallest(); h < s.height {
				s.height, changed = h, true
			}
		}
	}
}

func (s *schema) smallest() int {
	h := 0
	switch s.kind {
	case "record":
		for _, f := range s.fields {
			h = max(h, f.schema.height)
		}
	case "union":
		h = infinite
		for _, b := range s.branches {
			h = min(h, b.height)
		}
	}
	return min(h+1, infinite)
}
