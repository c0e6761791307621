package event

import (
	"encoding/hex"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// An example is an event that an old message allows, and that no new one takes.
type example struct {
	message            *message
	encoding, document string
	readable           string // document as JSON, where it is bytes
	media              string
}

// example returns an event of the first of the old messages that has one which none of the takers takes. It says false where
// there is none, or where a schema is not read here.
func (c *comparison) example(old, takers []*message) (example, bool) {
	for _, m := range old {
		s, err := c.old.schemaOf(m, "payload")
		if err != nil {
			continue // the comparison of the schemas says so
		}
		switch s.family {
		case jsonFamily:
			if document, ok := c.exampleJSON(s, takers); ok {
				return example{m, "json", document, "", "application/json"}, true
			}
		case avroFamily:
			if data, text, ok := c.exampleAvro(s, takers); ok {
				return example{m, "hex", hex.EncodeToString(data), text, "avro/binary"}, true
			}
		}
	}
	return example{}, false
}

// taker returns what a new message takes.
func (c *comparison) taker(m *message) (described, bool) {
	s, err := c.new.schemaOf(m, "payload")
	return s, err == nil && s.family != noSchema && s.family != unknown && s.family != protoFamily
}

// exampleJSON looks for a document of a schema that no taker allows: the smallest, and those that tell the schema from each of them.
func (c *comparison) exampleJSON(s described, takers []*message) (string, bool) {
	from, err := c.old.jsonAt(s)
	if err != nil {
		return "", false
	}
	never, err := jsonschema.FromValue(map[string]any{"not": map[string]any{}}, jsonschema.Draft7, nil)
	if err != nil {
		return "", false
	}
	others := []*jsonschema.Schema{never}
	for _, m := range takers {
		of, known := c.taker(m)
		if !known {
			return "", false // it may take anything
		}
		if of.family != jsonFamily {
			continue // what is JSON is none of its bytes
		}
		is, err := c.new.jsonAt(of)
		if err != nil {
			return "", false
		}
		others = append(others, is.schema)
	}
	for _, to := range others {
		for _, b := range jsonschema.Compare(from.schema, to, c.opts).Breaks {
			taken := false
			for _, other := range others {
				taken = taken || other.Validate([]byte(b.Document)) == nil
			}
			if !taken && from.schema.Validate([]byte(b.Document)) == nil {
				return b.Document, true
			}
		}
	}
	return "", false
}

// exampleAvro looks for a datum of a schema that no taker reads.
func (c *comparison) exampleAvro(s described, takers []*message) ([]byte, string, bool) {
	w, err := avroAt(s.loc)
	if err != nil {
		return nil, "", false
	}
	var readers []*avroSchema
	var candidates [][]byte
	if data, ok := newGenerator(nil).value(nil, w.root, 0); ok {
		candidates = append(candidates, data)
	}
	for _, m := range takers {
		of, known := c.taker(m)
		if !known {
			return nil, "", false
		}
		if of.family != avroFamily {
			continue
		}
		r, err := avroAt(of.loc)
		if err != nil {
			return nil, "", false
		}
		readers = append(readers, r)
		for _, f := range compare(w.root, r.root) {
			if data, ok := newGenerator(nil).through(nil, f.steps, f.target, f.forced); ok {
				candidates = append(candidates, data)
			}
		}
	}
	for _, data := range candidates {
		taken := false
		for _, r := range readers {
			_, no := refused(data, w, r)
			taken = taken || !no
		}
		if !taken {
			return data, readable(data, w), true
		}
	}
	return nil, "", false
}

// covered says whether each event of an old message is one of a new one, so that removing it harms nobody who goes by the payload.
func (c *comparison) covered(old *message, takers []*message) (string, bool) {
	s, err := c.old.schemaOf(old, "payload")
	if err != nil || s.family != jsonFamily {
		return "", false
	}
	from, err := c.old.jsonAt(s)
	if err != nil {
		return "", false
	}
	for _, m := range takers {
		of, _ := c.taker(m)
		if of.family != jsonFamily {
			continue
		}
		is, err := c.new.jsonAt(of)
		if err != nil {
			continue
		}
		if said := jsonschema.Compare(from.schema, is.schema, c.opts); len(said.Breaks)+len(said.Gaps) == 0 {
			return m.name, true
		}
	}
	return "", false
}

// lostEvent is a finding that an event shows: at an address, one of the old messages that none of the takers takes. Where no event can be
// shown, the witness says in words what is refused.
func (c *comparison) lostEvent(sub subject, rule, path, text, try, address string, old, takers []*message, was, is contract.Place) {
	c.gone(sub, rule, path, text, try, "an event on "+address, was, is)
	e, ok := c.example(old, takers)
	if !ok {
		return
	}
	w := c.findings[len(c.findings)-1].Witness
	w.Encoding, w.Document, w.Readable, w.Media = e.encoding, e.document, e.readable, e.media
	w.At = "channel " + address + ", message " + e.message.name
}

// concrete is an address with values for its parameters: value for the one that is named, for others the first of those that are
// listed, or their name.
func (c *comparison) concrete(ch *channel, name, value string) string {
	address := label(ch)
	parameters, err := c.old.each(ch.key("parameters"))
	if err != nil {
		return address
	}
	for _, p := range parameters {
		text := p.name
		if listed := values(p.n.get("enum")); len(listed) > 0 {
			text = listed[0]
		}
		if p.name == name {
			text = value
		}
		address = strings.ReplaceAll(address, "{"+p.name+"}", text)
	}
	return address
}
