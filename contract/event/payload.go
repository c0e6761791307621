package event

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// A family is a language of schemas.
type family string

const (
	noSchema    family = "no schema"
	jsonFamily  family = "JSON Schema"
	avroFamily  family = "Avro"
	protoFamily family = "Protobuf"
	unknown     family = "unknown"
)

// A described is a schema where it stands.
type described struct {
	loc
	family  family
	dialect jsonschema.Dialect
	format  string // as it was written
	json    bool   // by the content type, where that is told
	mixed   bool   // merged from traits: no one place has all of it
}

// familyOf reads a schemaFormat.
func familyOf(format string) (family, jsonschema.Dialect) {
	name, params, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(format, " ", "")), ";")
	version := strings.TrimPrefix(params, "version=")
	switch strings.TrimSuffix(strings.TrimSuffix(name, "+json"), "+yaml") {
	case "", "application/vnd.aai.asyncapi":
		return jsonFamily, jsonschema.Draft7
	case "application/schema":
		return dialectOf(version)
	case "application/vnd.oai.openapi":
		switch {
		case version == "" || strings.HasPrefix(version, "3.0"):
			return jsonFamily, jsonschema.OpenAPI30
		case strings.HasPrefix(version, "3.1"):
			return jsonFamily, jsonschema.OpenAPI31
		}
	case "application/vnd.apache.avro":
		return avroFamily, 0
	case "application/vnd.google.protobuf", "application/x-protobuf":
		return protoFamily, 0
	}
	return unknown, 0
}

func dialectOf(version string) (family, jsonschema.Dialect) {
	switch strings.TrimPrefix(version, "draft-") {
	case "04", "4":
		return jsonFamily, jsonschema.Draft4
	case "06", "6":
		return jsonFamily, jsonschema.Draft6
	case "07", "7", "":
		return jsonFamily, jsonschema.Draft7
	case "2019-09":
		return jsonFamily, jsonschema.Draft2019
	case "2020-12":
		return jsonFamily, jsonschema.Draft2020
	}
	return unknown, 0
}

// schemaOf returns a message's schema of its payload or headers.
func (d *document) schemaOf(m *message, key string) (described, error) {
	s := described{}
	if key == "payload" {
		format, err := m.has(d, "schemaFormat") // of version 2
		if err != nil {
			return s, err
		}
		contentType, err := m.has(d, "contentType")
		if err != nil {
			return s, err
		}
		s.format = scalarText(format, "")
		s.json = strings.Contains(strings.ToLower(scalarText(contentType, d.contentType)), "json")
	}
	holder, at := m.loc, m.key(key)
	for _, t := range slices.Backward(m.traits) {
		if other := t.key(key); other.n != nil && at.n != nil && key == "headers" {
			s.mixed = true
		} else if at.n == nil {
			holder, at = t, other
		}
	}
	s.loc = loc{file: holder.file, ptr: holder.ptr}
	if at.n == nil {
		s.family = noSchema
		return s, nil
	}
	if ref := at.n.get("$ref"); ref == nil || path.Ext(ref.text) != ".proto" {
		next, err := d.follow(at)
		if err != nil {
			return s, err
		}
		at = next
	}
	if inner := at.n.get("schema"); inner != nil && at.n.get("schemaFormat") != nil { // of version 3
		s.format = at.str("schemaFormat")
		at = at.key("schema")
	}
	s.loc = at
	s.family, s.dialect = familyOf(s.format)
	if s.family == jsonFamily || s.family == avroFamily {
		next, err := d.follow(at)
		if err != nil {
			return s, err
		}
		s.loc = next
	}
	return s, nil
}

func (c *comparison) payload(sub subject, old, new *message) error {
	return c.schemas(sub, old, new, "payload")
}

func (c *comparison) headers(sub subject, old, new *message) error {
	return c.schemas(sub, old, new, "headers")
}

func (c *comparison) schemas(sub subject, old, new *message, key string) error {
	was, err := c.old.schemaOf(old, key)
	if err != nil {
		return err
	}
	is, err := c.new.schemaOf(new, key)
	if err != nil {
		return err
	}
	sub.path += "." + key
	if was.mixed || is.mixed {
		return c.mixed(sub, old, new, key, is.place())
	}
	return c.described(sub, was, is)
}

// mixed compares schemas that are put together from traits, as a whole.
func (c *comparison) mixed(sub subject, old, new *message, key string, at contract.Place) error {
	was, _, err := c.old.merged(old.loc, old.traits, key)
	if err != nil {
		return err
	}
	is, _, err := c.new.merged(new.loc, new.traits, key)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(was, is) {
		c.proofs = append(c.proofs, sub.proof("same"))
		return nil
	}
	c.gap(sub, "", at, "it changed, and is put together from the message and its traits: write it in one place to have it compared")
	return nil
}

// described compares two schemas in the languages they are written in, in each direction that data flow.
func (c *comparison) described(sub subject, old, new described) error {
	switch {
	case old.family == noSchema && new.family == noSchema:
		return nil
	case old.family == noSchema:
		c.found(sub, "asyncapi-schema-added", contract.Risk, "", "there is a schema now: neighbours that knew of none may not keep to it", "", old.place(), new.place())
		return nil
	case new.family == noSchema:
		c.found(sub, "asyncapi-schema-removed", contract.Risk, "", "there is no schema any more: anything may come", "", old.place(), new.place())
		return nil
	case old.family == unknown || new.family == unknown:
		return c.opaque(sub, old, new)
	case old.family == protoFamily && new.family == protoFamily:
		return c.protobuf(sub, old, new)
	case old.family != new.family:
		c.gone(sub, "asyncapi-schema-format", "", fmt.Sprintf("the schema was %s and is %s: what one writes the other does not read", old.family, new.family),
			"add a message in the other format", "an event in "+string(old.family), old.place(), new.place())
		return nil
	}
	flows := flowsOf(sub.flow)
	for _, flow := range flows {
		sub.flow = flow
		if err := c.language(sub, old, new, len(flows) == 1); err != nil {
			return err
		}
	}
	return nil
}

func flowsOf(flow contract.Flow) []contract.Flow {
	if flow == contract.Both {
		return []contract.Flow{contract.ToUs, contract.FromUs}
	}
	return []contract.Flow{flow}
}

// opaque compares schemas that nobody here reads: equal ones are the same, if they refer to nothing.
func (c *comparison) opaque(sub subject, old, new described) error {
	was, is := old.n.json(), new.n.json()
	if was == is && old.format == new.format && !strings.Contains(was, "$ref") && !strings.Contains(was, "import") {
		c.proofs = append(c.proofs, sub.proof("same"))
		return nil
	}
	c.gap(sub, "", new.place(), "schemas in %q and %q are not compared here, and their text does not show them to be the same", old.format, new.format)
	return nil
}

// language compares two schemas in one direction. Where that is the only one, it also lists what the other one shows.
func (c *comparison) language(sub subject, old, new described, only bool) error {
	if old.family == avroFamily {
		was, err := avroAt(old.loc)
		if err != nil {
			return err
		}
		is, err := avroAt(new.loc)
		if err != nil {
			return err
		}
		p, err := avroDirection(c.ctx, was, is, sub)
		if err != nil {
			return err
		}
		p.findings = append(p.findings, avroChanges(was, is, sub, p.findings)...)
		c.add(p)
		return nil
	}
	was, err := c.old.jsonAt(old)
	if err != nil {
		return err
	}
	is, err := c.new.jsonAt(new)
	if err != nil {
		return err
	}
	p := jsonDirection(was, is, sub)
	p.findings = append(p.findings, jsonFields(was, is, sub, p.findings)...)
	if only {
		p.less(was, is, sub)
	}
	c.add(p)
	return nil
}

// avroAt reads an Avro schema: as a value, or as a text that holds one.
func avroAt(x loc) (*avroSchema, error) {
	tree := x.n
	if text := strings.TrimSpace(tree.text); tree.kind == isText && strings.HasPrefix(text, "{") {
		inner, err := parseTree(x.file, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s: the schema in this text: %w", tree.at, err)
		}
		tree = inner
	}
	return parseAvro(tree)
}

func (d *document) jsonAt(s described) (jsonVersion, error) {
	if s.remote() {
		return jsonVersion{}, fmt.Errorf("%s: a JSON Schema on another host: copy it beside the document", s.place())
	}
	parsed, err := jsonschema.Parse(d.src, s.file, s.ptr, s.dialect, d.opts)
	return jsonVersion{schema: parsed, loader: d.loader, at: s.loc}, err
}
