package jsonschema

import (
	"fmt"
	"slices"
)

// notes finds annotations that demand something of a text that they did not before.
func (c *comparer) notes() {
	seen := map[pair]bool{}
	var walk func(as conj, b *part, path string)
	walk = func(as conj, b *part, path string) {
		b = target(b)
		as = spread(as)
		if b == nil || len(as) == 0 || seen[pair{as[0], b}] || len(seen) > 20_000 {
			return
		}
		seen[pair{as[0], b}] = true
		c.annotations(as, b, path)
		for _, x := range slices.Concat(b.AllOf, b.AnyOf, b.OneOf, notNil(b.Ref, b.Then, b.Else)) {
			walk(as, x, path)
		}
		for _, name := range sortedNames(b.Properties) {
			walk(as.property(name), b.Properties[name], joinPath(path, name))
		}
		for _, re := range sortedPatterns(b) {
			for _, a := range as {
				if s := byText(a.PatternProperties)[re.String()]; s != nil {
					walk(conj{s}, b.PatternProperties[re], joinPath(path, "*"))
				}
			}
		}
		if s := additional(b.AdditionalProperties); s != nil {
			for _, a := range as {
				if t := additional(a.AdditionalProperties); t != nil {
					walk(conj{t}, s, joinPath(path, "*"))
				}
			}
		}
		first, rest := tuple(b)
		for i, s := range first {
			walk(as.item(i), s, path+"[]")
		}
		walk(as.item(max(as.prefix(), len(first))), rest, path+"[]")
	}
	walk(conj{c.from.root}, c.to.root, "")
}

func (c *comparer) annotations(as conj, b *part, path string) {
	if b.Location == "" {
		return
	}
	to := c.to.originOf(b.Location)
	for _, keyword := range []string{"format", "contentEncoding", "contentMediaType"} {
		want, ok := to.text(keyword)
		if !ok || keyword == "format" && c.to.bundle.formats {
			continue
		}
		from := c.from.originOf(as[0].Location)
		before := "none"
		for _, a := range as {
			if have, ok := c.from.originOf(a.Location).text(keyword); ok && a.Location != "" {
				before, from = have, c.from.originOf(a.Location)
			}
		}
		if before == want {
			continue
		}
		rule := "content-changed"
		if keyword == "format" {
			rule = "format-changed"
		}
		c.out.Notes = append(c.out.Notes, Note{rule, path, fmt.Sprintf("%s was %s and is %s: an annotation, which validators that assert it enforce", keyword, before, want), from.at, to.at})
	}
}
