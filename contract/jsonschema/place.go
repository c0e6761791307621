package jsonschema

import (
	"net/url"
	"strconv"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assay-dev/assay/contract"
)

// originOf returns what a place of the bundle was made of, or the nearest that is known above it.
func (s *Schema) originOf(location string) *node {
	_, pointer, _ := strings.Cut(location, "#")
	pointer, err := url.PathUnescape(pointer)
	for err == nil && pointer != "" {
		if n := s.bundle.origin[pointer]; n != nil {
			return n
		}
		pointer = pointer[:strings.LastIndex(pointer, "/")]
	}
	return s.start
}

// place returns where a part stands.
func (s *Schema) place(p *part) contract.Place { return s.originOf(p.Location).at }

// placeOf returns where the keyword that refuses stands.
func (s *Schema) placeOf(l *validator.ValidationError) contract.Place {
	location := l.SchemaURL
	for _, token := range l.ErrorKind.KeywordPath() {
		location += "/" + url.PathEscape(escape(token))
	}
	return s.originOf(location).at
}

// judging returns the parts of a schema that judge what stands at a place of a document.
func (s *Schema) judging(doc any, at []string) conj {
	parts := spread(conj{s.root})
	for _, token := range at {
		switch v := doc.(type) {
		case map[string]any:
			parts, doc = spread(parts.property(token)), v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i >= len(v) {
				return nil
			}
			parts, doc = spread(parts.item(i)), v[i]
		}
	}
	return parts
}

// nearest returns where a schema speaks of what was refused by the other: of the property, or of what holds it.
func (s *Schema) nearest(doc any, l *validator.ValidationError) contract.Place {
	keyword := l.ErrorKind.KeywordPath()
	for n := len(l.InstanceLocation); n >= 0; n-- {
		for _, p := range s.judging(doc, l.InstanceLocation[:n]) {
			if p.Location == "" {
				continue
			}
			if len(keyword) > 0 && n == len(l.InstanceLocation) {
				if found := s.originOf(p.Location).fields[keyword[0]]; found != nil {
					return found.at
				}
			}
		}
		for _, p := range s.judging(doc, l.InstanceLocation[:n]) {
			if p.Location != "" && p.Ref == nil {
				return s.place(p)
			}
		}
	}
	return s.start.at
}
