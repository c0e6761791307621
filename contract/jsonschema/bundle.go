package jsonschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A bundle is a schema and all that it refers to as one document, whose references lead to its own definitions only. Of each
// schema it keeps what asserts, so that versions of other wording are equal, and the validator meets neither addresses nor
// dialects' oddities.
type bundle struct {
	dialect Dialect
	formats bool // format asserts
	resolver
	keywords map[string]shape
	defs     []any
	index    map[*node]int
	queue    []*node
	origin   map[string]*node // pointer in the bundle: what it was made of
	blind    []blindness      // what cannot be decided
}

// A blindness is something that neither engine may judge.
type blindness struct {
	node *node
	why  string
}

// build gathers the schema at root.
func (b *bundle) build(root *node) error {
	b.index, b.origin, b.keywords = map[*node]int{}, map[string]*node{}, b.dialect.keywords()
	b.enqueue(root)
	for i := 0; i < len(b.queue); i++ {
		def, err := b.schema(b.queue[i], b.pointer(i), 1)
		if err != nil {
			return err
		}
		b.defs = append(b.defs, def)
	}
	return b.refuseLoops()
}

// enqueue returns the number of the definition that a node gets.
func (b *bundle) enqueue(n *node) int {
	i, ok := b.index[n]
	if !ok {
		i = len(b.queue)
		b.index[n] = i
		b.queue = append(b.queue, n)
	}
	return i
}

func (b *bundle) pointer(i int) string { return "/" + b.dialect.defs() + "/d" + strconv.Itoa(i) }

// document returns the bundle as one schema.
func (b *bundle) document() map[string]any {
	defs := make(map[string]any, len(b.defs))
	for i, def := range b.defs {
		defs["d"+strconv.Itoa(i)] = def
	}
	return map[string]any{b.dialect.defs(): defs}
}

// schema returns what asserts of a node.
func (b *bundle) schema(n *node, at string, depth int) (any, error) {
	if err := b.budget.take(depth); err != nil {
		return nil, fmt.Errorf("%s: %w", n.at, err)
	}
	b.origin[at] = n
	if !n.isMap {
		if v, ok := n.scalar.(bool); ok {
			return v, nil
		}
		return nil, fmt.Errorf("%s: a schema is an object, or true or false", orValue(n))
	}
	out := map[string]any{}
	if ref := n.fields["$ref"]; ref != nil && !b.dialect.modern() {
		return out, b.refer(out, n, ref, "$ref")
	}
	for _, k := range slices.Sorted(maps.Keys(n.fields)) {
		if err := b.keyword(out, n, k, at+"/"+escape(k), depth); err != nil {
			return nil, err
		}
	}
	b.soften(out, n)
	return out, nil
}

// keyword adds one keyword of a node to out.
func (b *bundle) keyword(out map[string]any, n *node, k, at string, depth int) (err error) {
	f := n.fields[k]
	switch b.keywords[k] {
	case plain:
		if k == "format" && !b.formats {
			return nil
		}
		b.origin[at] = f
		out[k] = f.value()
		return countable(k, f)
	case one:
		out[k], err = b.schema(f, at, depth+1)
		return err
	case oneOrMany:
		if !f.isList {
			out[k], err = b.schema(f, at, depth+1)
			return err
		}
		return b.list(out, f, k, at, depth)
	case many:
		return b.list(out, f, k, at, depth)
	case named, dependency:
		return b.named(out, f, k, at, depth)
	}
	if k == "$ref" || b.dialect.modern() && (k == "$dynamicRef" || k == "$recursiveRef") {
		return b.refer(out, n, f, k)
	}
	return nil
}

// maxCount is the largest length or count that is told apart from a larger one.
const maxCount = 1 << 31

// countable refuses a count that is too large to be reckoned with.
func countable(k string, f *node) error {
	if !strings.HasSuffix(k, "Length") && !strings.HasSuffix(k, "Items") && !strings.HasSuffix(k, "Properties") && !strings.HasSuffix(k, "Contains") {
		return nil
	}
	n, ok := f.scalar.(json.Number)
	if r := ratOf(n); ok && r != nil && r.Cmp(rat(maxCount, 1)) > 0 {
		return fmt.Errorf("%s: %q is %s, and %d is the largest that is told apart", orValue(f), k, n, maxCount)
	}
	return nil
}

func (b *bundle) list(out map[string]any, f *node, k, at string, depth int) error {
	if !f.isList || len(f.items) == 0 && k != "items" {
		return fmt.Errorf("%s: %q is a list of at least one schema", orValue(f), k)
	}
	list := make([]any, len(f.items))
	for i, item := range f.items {
		s, err := b.schema(item, at+"/"+strconv.Itoa(i), depth+1)
		if err != nil {
			return err
		}
		list[i] = s
	}
	old, _ := out[k].([]any) // references were added before
	out[k] = append(list, old...)
	return nil
}

func (b *bundle) named(out map[string]any, f *node, k, at string, depth int) error {
	if !f.isMap {
		return fmt.Errorf("%s: %q is an object", orValue(f), k)
	}
	m := make(map[string]any, len(f.fields))
	for _, name := range slices.Sorted(maps.Keys(f.fields)) {
		item := f.fields[name]
		if b.keywords[k] == dependency && item.isList {
			m[name] = item.value()
			continue
		}
		s, err := b.schema(item, at+"/"+escape(name), depth+1)
		if err != nil {
			return err
		}
		m[name] = s
	}
	out[k] = m
	return nil
}

// refer points a reference to a definition of the bundle.
func (b *bundle) refer(out map[string]any, n, ref *node, keyword string) error {
	text, ok := ref.scalar.(string)
	if !ok {
		return fmt.Errorf("%s: %q is text", orValue(ref), keyword)
	}
	target, err := b.find(n, text)
	if err != nil {
		return fmt.Errorf("%s: resolve %s %q: %w", orValue(ref), keyword, text, err)
	}
	name, _ := target.text("$dynamicAnchor")
	_, fragment, _ := strings.Cut(text, "#")
	switch {
	case keyword == "$dynamicRef" && name != "" && name == fragment && b.names.dynamic[name] > 1,
		keyword == "$recursiveRef" && b.names.recurses > 1:
		b.blind = append(b.blind, blindness{ref, fmt.Sprintf("%s %q depends on the path by which it is reached, as more than one schema has that anchor", keyword, text)})
	}
	address := "#" + b.pointer(b.enqueue(target))
	if keyword == "$ref" {
		out["$ref"] = address
		return nil
	}
	all, _ := out["allOf"].([]any)
	out["allOf"] = append(all, map[string]any{"$ref": address})
	return nil
}

// refuseLoops refuses schemas that ask for themselves about the same value: they have no meaning.
func (b *bundle) refuseLoops() error {
	state := make([]int, len(b.defs)) // 1: on the way, 2: done
	var visit func(i int) error
	visit = func(i int) error {
		if state[i] == 2 {
			return nil
		}
		if state[i] == 1 {
			return fmt.Errorf("%s: the schema refers to itself for the same value, without end", orValue(b.queue[i]))
		}
		state[i] = 1
		defer func() { state[i] = 2 }()
		var err error
		sameValue(b.defs[i], func(ref string) {
			if k, bad := strconv.Atoi(ref[strings.LastIndex(ref, "/d")+2:]); bad == nil && err == nil {
				err = visit(k)
			}
		})
		return err
	}
	for i := range b.defs {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}

// sameValue calls f for each reference that a schema follows for the very value it judges.
func sameValue(v any, f func(ref string)) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	if ref, ok := m["$ref"].(string); ok {
		f(ref)
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := m[k].([]any)
		for _, item := range list {
			sameValue(item, f)
		}
	}
	for _, k := range []string{"not", "if", "then", "else"} {
		sameValue(m[k], f)
	}
	for _, k := range []string{"dependentSchemas", "dependencies"} {
		by, _ := m[k].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(by)) {
			sameValue(by[name], f)
		}
	}
}

// escape writes a token of a JSON pointer.
func escape(token string) string {
	if !strings.ContainsAny(token, "~/") {
		return token
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// orValue is the place of a node for a message, or its text where a caller read it.
func orValue(n *node) string {
	if n.at.Line > 0 {
		return n.at.String()
	}
	text := encode(n.value())
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return "schema " + text
}
