package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assay-dev/assay/contract"
)

// A Schema is one that was read, with all that it refers to. It is safe for concurrent use.
type Schema struct {
	bundle *bundle
	start  *node
	root   *validator.Schema
	canon  string    // equal where schemas are
	asked  *patterns // that no engine of ours can match
}

// Parse reads the schema at a JSON pointer ("" is the whole) of a file, in JSON or YAML, and what it refers to through src.
// A "$schema" in the schema or its file overrides d, except for OpenAPI.
func Parse(src contract.Source, file, pointer string, d Dialect, opts contract.Options) (*Schema, error) {
	data, err := src.Read(file)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	r := newResolver(d)
	r.source, r.remote = src, opts.Remote
	doc, err := read(data, file, r.budget)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	start, err := doc.pointer(pointer)
	if err != nil {
		return nil, fmt.Errorf("read schema: %s: %w", file, err)
	}
	if r.dialect, err = dialectOf(start, doc, d); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	address := home + (&url.URL{Path: file}).EscapedPath()
	r.docs[address] = doc
	doc.settle(doc, address, r.dialect, &r.names)
	return compile(r, start, false)
}

// FromValue takes a schema that the caller has read: of the types of encoding/json, with integers and [json.Number] as well.
// resolve returns what a reference names, exactly as it is written; nil resolves those within v only.
func FromValue(v any, d Dialect, resolve func(ref string) (any, error)) (*Schema, error) {
	r := newResolver(d)
	r.given = resolve
	doc, err := fromAny(v, r.budget, 1)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	if r.dialect, err = dialectOf(doc, doc, d); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	doc.settle(doc, home+"value", r.dialect, &r.names)
	return compile(r, doc, false)
}

func dialectOf(start, doc *node, d Dialect) (Dialect, error) {
	if d < Draft4 || d > OpenAPI31 {
		return 0, fmt.Errorf("%s is not one that is known", d)
	}
	for _, n := range []*node{start, doc} {
		if name, ok := n.text("$schema"); ok {
			found, err := d.declared(name)
			if err != nil {
				err = fmt.Errorf("%s: %w", orValue(n.fields["$schema"]), err)
			}
			return found, err
		}
	}
	return d, nil
}

// address is the bundle's own, for the validator.
const address = "assay:///schema"

func compile(r *resolver, start *node, formats bool) (*Schema, error) {
	b := &bundle{dialect: r.dialect, formats: formats, resolver: *r}
	if err := b.build(start); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	s := &Schema{bundle: b, start: start, canon: b.dialect.draft().String() + encode(b.document()), asked: &patterns{}}
	c := validator.NewCompiler()
	c.DefaultDraft(b.dialect.draft())
	c.UseLoader(nothing{})
	c.UseRegexpEngine(s.asked.compile)
	if formats {
		c.AssertFormat()
	}
	if err := c.AddResource(address, b.document()); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	var err error
	if s.root, err = c.Compile(address + "#" + b.pointer(0)); err != nil {
		return nil, fmt.Errorf("read schema: %w", b.place(err))
	}
	return s, nil
}

// nothing loads nothing: the bundle is whole.
type nothing struct{}

// Load refuses.
func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s: %w", url, errors.ErrUnsupported)
}

// place puts a meta-schema's complaint where its cause stands.
func (b *bundle) place(err error) error {
	var invalid *validator.SchemaValidationError
	var detail *validator.ValidationError
	if !errors.As(err, &invalid) || !errors.As(invalid.Err, &detail) {
		return fmt.Errorf("%s: %w", orValue(b.queue[0]), err)
	}
	leaf := leafOf(detail)
	at := ""
	var n *node
	for _, token := range leaf.InstanceLocation {
		at += "/" + escape(token)
		if found := b.origin[at]; found != nil {
			n = found
		}
	}
	if n == nil {
		n = b.queue[0]
	}
	keyword := ""
	if len(leaf.InstanceLocation) > 0 {
		keyword = leaf.InstanceLocation[len(leaf.InstanceLocation)-1] + ": "
	}
	text := wording(leaf)
	if keyword == "type: " {
		text = "want array, boolean, integer, null, number, object or string, or a list of them"
	}
	return fmt.Errorf("%s: no schema of %s: %s%s", orValue(n), b.dialect, keyword, text)
}

// AssertFormats returns the same schema with format as an assertion, as some registries and draft-07 validators have it. Without,
// format is an annotation in all dialects, and a changed one is a Note.
func (s *Schema) AssertFormats() *Schema {
	r := s.bundle.resolver
	if with, err := compile(&r, s.start, true); err == nil {
		return with
	}
	return s // it was read before: only a limit on size can refuse it now
}

// Validate returns why the schema refuses a document, in JSON, or nil.
func (s *Schema) Validate(doc []byte) error {
	v, err := decode(doc)
	if err != nil {
		return err
	}
	if len(s.bundle.blind) > 0 {
		return fmt.Errorf("validate: %s: %s", orValue(s.bundle.blind[0].node), s.bundle.blind[0].why)
	}
	refusal, unknown := s.judge(s.root, v)
	if unknown != "" {
		return fmt.Errorf("validate: %s", unknown)
	}
	if refusal != nil {
		return errors.New(reason(refusal))
	}
	return nil
}

// judge returns why a part of the schema refuses a value, or what of it could not be judged.
func (s *Schema) judge(part *validator.Schema, v any) (refusal *validator.ValidationError, unknown string) {
	if s.asked.opaque {
		s.asked.Lock() // what was asked belongs to one judgement
		defer s.asked.Unlock()
		s.asked.unknown = ""
		defer func() {
			if unknown = s.asked.unknown; unknown != "" {
				refusal = nil
			}
		}()
	}
	errors.As(part.Validate(v), &refusal)
	return refusal, ""
}

// decode reads a document.
func decode(doc []byte) (any, error) {
	if !utf8.Valid(doc) {
		return nil, errors.New("validate: the document is not valid UTF-8")
	}
	v, err := validator.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil, fmt.Errorf("validate: the document is no JSON: %w", err)
	}
	n, err := fromAny(v, &budget{}, 1)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return n.value(), nil
}

// encode writes a value as JSON, with the names of its fields in order.
func encode(v any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(out.String(), "\n")
}
