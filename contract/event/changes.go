package event

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A change is a difference between an old schema and a new one, whoever reads which.
type change struct {
	rule, path, text string
	old, new         contract.Place
}

type changes struct {
	seen map[[2]*schema]bool
	all  []change
}

// changed lists what is different between two versions.
func changed(old, new *schema) []change {
	c := changes{seen: map[[2]*schema]bool{}}
	c.pair(old, new, "")
	return c.all
}

func (c *changes) add(rule, path string, old, new contract.Place, format string, args ...any) {
	c.all = append(c.all, change{rule: rule, path: path, old: old, new: new, text: fmt.Sprintf(format, args...)})
}

func (c *changes) pair(old, new *schema, path string) {
	if c.seen[[2]*schema{old, new}] {
		return
	}
	c.seen[[2]*schema{old, new}] = true
	if old.kind != new.kind {
		c.add("avro-type-changed", path, old.at, new.at, "%s became %s", describe(old), describe(new))
		c.across(old, new, path)
		return
	}
	if old.name != new.name {
		c.add("avro-type-renamed", path, old.at, new.at, "%s is now called %s", old.name, new.name)
	}
	if !slices.Equal(old.aliases, new.aliases) {
		c.add("avro-aliases-changed", path, old.at, new.at, "aliases: [%s] became [%s]", strings.Join(old.aliases, ", "), strings.Join(new.aliases, ", "))
	}
	if old.logical != new.logical || old.precision != new.precision || old.scale != new.scale || old.size != new.size {
		c.add("avro-type-changed", path, old.at, new.at, "%s became %s", describe(old), describe(new))
	}
	if old.doc != new.doc {
		c.add("avro-doc-changed", path, old.at, new.at, "the documentation of %s is another", describe(new))
	}
	switch old.kind {
	case "record":
		c.record(old, new, path)
	case "array", "map":
		c.pair(old.items, new.items, path+suffix(old))
	case "enum":
		c.enum(old, new, path)
	case "union":
		c.union(old, new, path)
	}
}

// across compares a type with the branch of a union that it became, or the other way round.
func (c *changes) across(old, new *schema, path string) {
	switch {
	case old.kind == "union":
		if b := branchFor(new, old); b != nil {
			c.pair(b, new, path)
		}
	case new.kind == "union":
		if b := branchFor(old, new); b != nil {
			c.pair(old, b, path)
		}
	}
}

func (c *changes) record(old, new *schema, path string) {
	kept := map[*field]bool{}
	order := -1
	for _, nf := range new.fields {
		at := join(path, nf.name)
		of := writerField(old, nf)
		if of == nil {
			with := "without a default"
			if nf.hasDefault {
				with = "with a default"
			}
			c.add("avro-field-added", at, old.at, nf.at, "the field %s is new, %s", nf.name, with)
			continue
		}
		kept[of] = true
		if of.name != nf.name {
			c.add("avro-field-renamed", at, of.at, nf.at, "%s is now called %s, with an alias", of.name, nf.name)
		}
		if of.hasDefault != nf.hasDefault || !reflect.DeepEqual(of.def, nf.def) {
			c.add("avro-default-changed", at, of.at, nf.at, "the default of %s is another: it is read where data of other versions have no such field", nf.name)
		}
		if of.order != nf.order {
			c.add("avro-order-changed", at, of.at, nf.at, "the sort order of %s is another", nf.name)
		}
		if of.doc != nf.doc {
			c.add("avro-doc-changed", at, of.at, nf.at, "the documentation of %s is another", nf.name)
		}
		if i := slices.Index(old.fields, of); i < order {
			c.add("avro-field-moved", at, of.at, nf.at, "%s stands at another place: fields are matched by name", nf.name)
		} else {
			order = i
		}
		c.pair(of.schema, nf.schema, at)
	}
	for _, of := range old.fields {
		if !kept[of] {
			c.add("avro-field-removed", join(path, of.name), of.at, new.at, "the field %s is gone", of.name)
		}
	}
}

func (c *changes) enum(old, new *schema, path string) {
	for _, s := range new.symbols {
		if !slices.Contains(old.symbols, s) {
			c.add("avro-enum-symbol-added", path+"<"+s+">", old.at, new.at, "the symbol %s is new", s)
		}
	}
	for _, s := range old.symbols {
		if !slices.Contains(new.symbols, s) {
			c.add("avro-enum-symbol-removed", path+"<"+s+">", old.at, new.at, "the symbol %s is gone", s)
		}
	}
	if old.fallback != new.fallback || old.hasFallback != new.hasFallback {
		c.add("avro-enum-default-changed", path, old.at, new.at, "the default of %s was %q and is %q", new.name, old.fallback, new.fallback)
	}
}

func (c *changes) union(old, new *schema, path string) {
	for _, nb := range new.branches {
		if ob := branchFor(nb, old); ob != nil {
			c.pair(ob, nb, path)
		} else {
			c.add("avro-union-branch-added", path+"<"+short(or2(nb.name, nb.kind))+">", old.at, nb.at, "the branch %s is new", describe(nb))
		}
	}
	for _, ob := range old.branches {
		if branchFor(ob, new) == nil {
			c.add("avro-union-branch-removed", path+"<"+short(or2(ob.name, ob.kind))+">", ob.at, new.at, "the branch %s is gone", describe(ob))
		}
	}
	if first, was := new.branches, old.branches; len(first) > 0 && len(was) > 0 && describe(first[0]) != describe(was[0]) {
		c.add("avro-union-order-changed", path, was[0].at, first[0].at, "the first branch was %s and is %s: a default is of the first", describe(was[0]), describe(first[0]))
	}
}
