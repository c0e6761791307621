package event

import (
	"slices"
	"strings"
)

// promotes says which kinds data of a kind may be read as, besides its own.
func promotes(writer, reader string) bool {
	switch writer {
	case "int":
		return reader == "long" || reader == "float" || reader == "double"
	case "long":
		return reader == "float" || reader == "double"
	case "float":
		return reader == "double"
	case "string":
		return reader == "bytes"
	case "bytes":
		return reader == "string"
	}
	return false
}

// namesMatch says whether a reader's named type is the writer's: by its name without namespace, or by an alias.
func namesMatch(w, r *schema) bool {
	return slices.Contains(fullNames(r), w.name) || slices.Contains(shortNames(r), short(w.name))
}

// fullNames are the names that the reader's type answers to exactly. An alias without a dot is within the type's namespace.
func fullNames(r *schema) []string {
	names := []string{r.name}
	namespace, _ := splitName(r.name)
	for _, a := range r.aliases {
		if !strings.Contains(a, ".") && namespace != "" {
			a = namespace + "." + a
		}
		names = append(names, a)
	}
	return names
}

// shortNames are those it answers to in any namespace.
func shortNames(r *schema) []string {
	names := []string{short(r.name)}
	for _, a := range r.aliases {
		if !strings.Contains(a, ".") {
			names = append(names, a)
		}
	}
	return names
}

func short(full string) string {
	_, name := splitName(full)
	return name
}

// branchFor returns the branch of the reader's union that reads what w wrote, or nil: by full name or alias, then by the name
// without namespace, then by promotion, each in the order of declaration.
func branchFor(w, union *schema) *schema {
	fits := func(ok func(r *schema) bool) *schema {
		i := slices.IndexFunc(union.branches, func(r *schema) bool {
			return r.kind == w.kind && (w.kind != "fixed" || r.size == w.size) && ok(r)
		})
		if i < 0 {
			return nil
		}
		return union.branches[i]
	}
	if r := fits(func(r *schema) bool { return w.name == "" || slices.Contains(fullNames(r), w.name) }); r != nil {
		return r
	}
	if r := fits(func(r *schema) bool { return slices.Contains(shortNames(r), short(w.name)) }); r != nil {
		return r
	}
	i := slices.IndexFunc(union.branches, func(r *schema) bool { return promotes(w.kind, r.kind) })
	if i < 0 {
		return nil
	}
	return union.branches[i]
}

// writerField returns the field of the writer's record that a reader's field takes its value from, or nil.
func writerField(w *schema, rf *field) *field {
	for _, name := range append([]string{rf.name}, rf.aliases...) {
		if wf := w.field(name); wf != nil {
			return wf
		}
	}
	return nil
}

func (s *schema) field(name string) *field {
	i := slices.IndexFunc(s.fields, func(f *field) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return s.fields[i]
}
