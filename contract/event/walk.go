package event

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/contract"
)

// A found is an incompatibility between what a writer writes and a reader reads, with the way to a datum that shows it.
type found struct {
	rule     string
	severity contract.Severity
	path     string
	text     string
	try      string
	w, r     contract.Place
	steps    []step  // through the writer's schema
	target   *schema // of the writer
	forced   []byte  // the target's encoding, or nil for any datum of it
}

// A walk goes through what a writer may write and how a reader takes it. Unlike the library's, it does not stop at the first
// thing that does not fit, and sees what fits and is misread.
type walk struct {
	seen  map[[2]*schema]bool
	found []found
}

// compare lists all that data of w hold and a reader with r refuses or misreads.
func compare(w, r *schema) []found {
	c := walk{seen: map[[2]*schema]bool{}}
	c.pair(w, r, "", nil)
	return c.found
}

func (c *walk) add(f found, w, r *schema, steps []step) {
	if f.w == (contract.Place{}) {
		f.w = w.at
	}
	if f.r == (contract.Place{}) {
		f.r = r.at
	}
	if f.target == nil {
		f.target = w
	}
	f.steps = slices.Clone(steps)
	c.found = append(c.found, f)
}

func (c *walk) pair(w, r *schema, path string, steps []step) {
	if c.seen[[2]*schema{w, r}] {
		return
	}
	c.seen[[2]*schema{w, r}] = true
	switch {
	case w.kind == "union":
		c.writerUnion(w, r, path, steps)
	case r.kind == "union":
		branch := branchFor(w, r)
		if branch == nil {
			c.add(found{rule: "avro-union-branch", severity: contract.Break, path: path, text: fmt.Sprintf(
				"%s is written, and the reader has no branch for it in %s", describe(w), describe(r)),
				try: "keep a branch for what was written, or promote to one: int, long, float, double"}, w, r, steps)
			return
		}
		c.pair(w, branch, path, steps)
	case unreadable(w, r) != "":
		c.mismatch(w, r, path, steps)
	default:
		c.same(w, r, path, steps)
	}
}

func (c *walk) writerUnion(w, r *schema, path string, steps []step) {
	for i, wb := range w.branches {
		rb := r
		if r.kind == "union" {
			rb = branchFor(wb, r)
		}
		refused := rb == nil || r.kind != "union" && unreadable(wb, rb) != ""
		at, way := path, append(steps, step{w, i})
		if refused || len(w.branches) > 2 {
			at += "<" + short(or2(wb.name, wb.kind)) + ">"
		}
		if refused {
			c.add(found{rule: "avro-union-branch", severity: contract.Break, path: at, text: fmt.Sprintf(
				"%s may be written, and the reader takes only %s", describe(wb), describe(r)),
				try: "keep the branch in the reader until no writer has it"}, wb, r, way)
			continue
		}
		c.pair(wb, rb, at, way)
	}
}

func or2(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// mismatch reports the pair that unreadable refuses, by its kind.
func (c *walk) mismatch(w, r *schema, path string, steps []step) {
	f := found{severity: contract.Break, path: path, text: fmt.Sprintf("%s is written, and the reader takes %s", describe(w), describe(r))}
	switch {
	case w.kind != r.kind:
		f.rule, f.try = "avro-type", "add a field with a default beside the old one, and remove that once no reader needs it"
	case w.name != "" && !namesMatch(w, r):
		f.rule, f.try = "avro-name", fmt.Sprintf("give the reader's type the alias %q", w.name)
	case w.kind == "fixed" && w.size != r.size:
		f.rule, f.try = "avro-fixed-size", "use bytes, or a new type under a new name"
	default:
		f.rule, f.try = "avro-decimal", "a decimal keeps its precision and scale for good: add a field for the other"
	}
	c.add(f, w, r, steps)
}

func (c *walk) same(w, r *schema, path string, steps []step) {
	if ns, name := splitName(w.name); w.name != r.name && name == short(r.name) && !slices.Contains(fullNames(r), w.name) {
		c.add(found{rule: "avro-namespace", severity: contract.Risk, path: path, text: fmt.Sprintf(
			"%s is written, and the reader's is %s: the specification compares names without namespaces, some readers do not", w.name, r.name),
			try: fmt.Sprintf("give the reader's type the alias %q, or keep the namespace %q", w.name, ns)}, w, r, steps)
	}
	c.logical(w, r, path, steps)
	switch w.kind {
	case "record":
		c.record(w, r, path, steps)
	case "array", "map":
		c.pair(w.items, r.items, path+suffix(w), append(steps, step{w, 0}))
	case "enum":
		c.symbols(w, r, path, steps)
	default:
		c.promotion(w, r, path, steps)
	}
}

// logical compares logical types: the bytes fit, and their meaning may not.
func (c *walk) logical(w, r *schema, path string, steps []step) {
	if w.logical == r.logical {
		return
	}
	f := found{path: path, severity: contract.Risk, text: fmt.Sprintf("%s is written, and read as %s", describe(w), describe(r))}
	switch {
	case w.logical != "" && r.logical != "" && known(w.logical) && known(r.logical):
		f.rule, f.severity = "avro-logical-type", contract.Break
		f.try = "add a field for the other unit: the old one keeps its meaning for good"
	case known(r.logical):
		f.rule, f.try = "avro-logical-type-added", "do so only if each writer meant this already"
	case known(w.logical):
		f.rule, f.try = "avro-logical-type-removed", "readers get a bare number or text: see that they know what it means"
	default:
		f.rule, f.try = "avro-logical-type-unknown", "the specification does not know it: see what your readers do with it"
	}
	c.add(f, w, r, steps)
}

func (c *walk) record(w, r *schema, path string, steps []step) {
	takes := map[*field]*field{}
	claimed := map[*field]*field{}
	for _, rf := range r.fields {
		wf := writerField(w, rf)
		switch {
		case wf == nil && !rf.hasDefault:
			text := fmt.Sprintf("the reader wants %s, which is not written, and has no default for it", rf.name)
			if first := rf.schema.branches; len(first) > 0 && first[0].kind == "null" {
				text += ": that it may be null is no default, though some readers take it for one"
			}
			c.add(found{rule: "avro-field-without-default", severity: contract.Break, path: join(path, rf.name), text: text, r: rf.at,
				try: "give the field a default"}, w, r, steps)
		case wf != nil && takes[wf] == nil:
			takes[wf] = rf
		}
	}
	for i, wf := range w.fields {
		if rf := readerField(r, wf); rf != nil {
			if other := claimed[rf]; other != nil {
				c.add(found{rule: "avro-field-ambiguous", severity: contract.Break, path: join(path, rf.name), text: fmt.Sprintf(
					"%s and %s are written, and the reader takes either as %s", other.name, wf.name, rf.name), w: wf.at, r: rf.at,
					try: "remove the alias"}, w, r, steps)
			}
			claimed[rf] = wf
		}
		if rf := takes[wf]; rf != nil {
			c.pair(wf.schema, rf.schema, join(path, rf.name), append(slices.Clone(steps), step{w, i}))
		}
	}
}

// readerField returns the reader's field that answers to the name of a writer's, or nil.
func readerField(r *schema, wf *field) *field {
	if rf := r.field(wf.name); rf != nil {
		return rf
	}
	i := slices.IndexFunc(r.fields, func(f *field) bool { return slices.Contains(f.aliases, wf.name) })
	if i < 0 {
		return nil
	}
	return r.fields[i]
}

func (c *walk) symbols(w, r *schema, path string, steps []step) {
	for i, name := range w.symbols {
		if slices.Contains(r.symbols, name) {
			continue
		}
		f := found{path: path + "<" + name + ">", forced: binary.AppendVarint(nil, int64(i))}
		if r.hasFallback {
			f.rule, f.severity = "avro-enum-symbol-defaulted", contract.Risk
			f.text = fmt.Sprintf("%s may be written, and the reader takes it for %s, its default", name, r.fallback)
			f.try = "see that the default means \"something I do not know\""
		} else {
			f.rule, f.severity = "avro-enum-symbol", contract.Break
			f.text = fmt.Sprintf("%s may be written, and the reader does not know it and has no default", name)
			f.try = "give the reader's enum a default before a writer has a new symbol; keep symbols that were written"
		}
		c.add(f, w, r, steps)
	}
}

// promotion reports what promotions lose: the specification allows them all.
func (c *walk) promotion(w, r *schema, path string, steps []step) {
	f := found{path: path, severity: contract.Risk}
	switch {
	case w.kind == "int" && r.kind == "float", w.kind == "long" && (r.kind == "float" || r.kind == "double"):
		odd := int64(1<<24 + 1)
		if r.kind == "double" {
			odd = 1<<53 + 1
		}
		f.rule, f.forced = "avro-precision-lost", binary.AppendVarint(nil, odd)
		f.text = fmt.Sprintf("%s is written, and read as %s, which does not hold all of its values", w.kind, r.kind)
		f.try = "keep the integer, or add a field"
	case w.kind == "bytes" && r.kind == "string":
		f.rule, f.forced = "avro-bytes-as-string", appendBytes(nil, []byte{0xff})
		f.text = "bytes are written, and read as a string: readers refuse or garble what is not UTF-8"
		f.try = "keep bytes, or add a field"
	default:
		return
	}
	c.add(f, w, r, steps)
}
