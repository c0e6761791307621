package contracts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// detect tells the kind of a contract by both versions.
func (p pair) detect() (contract.Kind, error) {
	var kinds []contract.Kind
	for _, v := range []version{p.old, p.new} {
		if v.gone {
			continue
		}
		kind, err := v.kind()
		if err != nil {
			return "", err
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 2 && kinds[0] != kinds[1] {
		return "", &Error{fmt.Sprintf("%s is of the kind %s, and %s of the kind %s: say which to compare them as with --kind", p.old.Name, kinds[0], p.new.Name, kinds[1])}
	}
	return kinds[0], nil
}

// kind tells the kind of a file, or the one kind of all files of a folder.
func (v version) kind() (contract.Kind, error) {
	names := []string{v.Path}
	if v.folder {
		var err error
		if names, err = v.files(); err != nil {
			return "", err
		}
	}
	var found []contract.Kind
	var wrong string
	for _, name := range names {
		content, err := v.Read(name)
		if err != nil {
			return "", &Error{err.Error()}
		}
		if kind := Detect(name, content); kind != "" && !slices.Contains(found, kind) {
			found = append(found, kind)
		} else if kind == "" && wrong == "" && (!v.folder || meant(content)) {
			if why := mistake(name, content); why != "" {
				wrong = v.shown(name) + why
			}
		}
	}
	switch {
	case wrong != "":
		return "", &Error{wrong}
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", &Error{fmt.Sprintf("%s: nothing tells what kind of contract it is: no top-level openapi, asyncapi or $schema, no .proto, no Avro record, no terms (say so with --kind: %s)", v.Name, kindList())}
	}
	return "", &Error{fmt.Sprintf("%s holds contracts of the kinds %v: say which to compare with --kind", v.Name, found)}
}

func kindList() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}
