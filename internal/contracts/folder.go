package contracts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// pairsOf finds the contracts of two folders: each file that is one by itself, and all .proto files together.
func pairsOf(old, new version, only contract.Kind) (pairs []pair, skipped []string, err error) {
	kinds, broken := [2]map[string]contract.Kind{}, [2]map[string]string{}
	for i, v := range []version{old, new} {
		if v.gone {
			continue
		}
		var skips []string
		if kinds[i], broken[i], skips, err = v.contracts(); err != nil {
			return nil, nil, err
		}
		skipped = append(skipped, skips...)
	}
	if err := unreadable(kinds, broken); err != nil {
		return nil, nil, err
	}
	slices.Sort(skipped)
	names := map[string]contract.Kind{}
	for i := range kinds {
		for name, kind := range kinds[i] {
			if names[name] = kind; only != "" && only != kind {
				delete(names, name)
			}
		}
	}
	for name, kind := range names {
		p := pair{name: name, kind: kind, old: old.at(name), new: new.at(name)}
		if name == "." {
			p.name, p.old, p.new = "proto", old, new
		}
		p.old.gone, p.new.gone = kinds[0][name] == "", kinds[1][name] == ""
		if !p.old.gone && !p.new.gone && kinds[0][name] != kinds[1][name] {
			return nil, nil, &Error{fmt.Sprintf("%s is of the kind %s, and %s of the kind %s: compare these two files with --kind", p.old.Name, kinds[0][name], p.new.Name, kinds[1][name])}
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, nil, &Error{fmt.Sprintf("%s and %s hold no contract: no file that says openapi, asyncapi or $schema at its top, no .proto, no Avro record, no terms (name a file, and its kind with --kind: %s)", old.Name, new.Name, kindList())}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return moved(pairs), slices.Compact(skipped), nil
}

// unreadable returns the first file that cannot be read and that is a contract in the other version, or was meant to be one. Such a file is neither
// gone nor no contract.
func unreadable(kinds [2]map[string]contract.Kind, broken [2]map[string]string) error {
	for i := range broken {
		for _, name := range sorted(broken[i]) {
			why, isMeant := strings.CutPrefix(broken[i][name], "meant ")
			if isMeant || kinds[1-i][name] != "" {
				return &Error{why}
			}
		}
	}
	return nil
}

// moved joins a contract that is gone with one that is new where that is the same under another name: its content says so, or, of kinds whose content
// names all that they promise, there is no other. So what it promised is held against where it stands now.
func moved(pairs []pair) []pair {
	join := func(alike func(lost, found pair) bool) {
		for i := 0; i < len(pairs); i++ {
			k := slices.IndexFunc(pairs, func(found pair) bool {
				return pairs[i].new.gone && found.old.gone && found.kind == pairs[i].kind && pairs[i].name != "proto" && alike(pairs[i], found)
			})
			if k >= 0 {
				pairs[k].old, pairs[k].from = pairs[i].old, pairs[i].name
				pairs = slices.Delete(pairs, i, i+1)
				i--
			}
		}
	}
	join(func(lost, found pair) bool {
		old, err := lost.old.Read(lost.old.Path)
		new, other := found.new.Read(found.new.Path)
		return err == nil && other == nil && bytes.Equal(old, new)
	})
	count := func(kind contract.Kind, gone func(pair) bool) (n int) {
		for _, p := range pairs {
			if p.kind == kind && gone(p) {
				n++
			}
		}
		return n
	}
	join(func(lost, _ pair) bool {
		named := slices.Contains([]contract.Kind{contract.OpenAPI, contract.AsyncAPI, contract.Terms}, lost.kind)
		return named && count(lost.kind, func(p pair) bool { return p.new.gone }) == 1 && count(lost.kind, func(p pair) bool { return p.old.gone }) == 1
	})
	return pairs
}

// contracts returns the files of a folder that are contracts by themselves, with "." for all .proto files, and those that are none.
// A file that another one refers to is a part of that one. broken says why files cannot be read.
func (v version) contracts() (kinds map[string]contract.Kind, broken map[string]string, skipped []string, err error) {
	names, err := v.files()
	if err != nil {
		return nil, nil, nil, err
	}
	kinds, broken = map[string]contract.Kind{}, map[string]string{}
	var parts []string
	for _, name := range names {
		content, err := v.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, nil, &Error{err.Error()}
		}
		kind := Detect(name, content)
		switch kind {
		case "":
			if why := mistake(name, content); why != "" {
				broken[name] = v.shown(name) + why
				if meant(content) {
					broken[name] = "meant " + broken[name]
				}
			}
			skipped = append(skipped, name)
		case contract.Proto:
			kinds["."] = kind
		default:
			kinds[name] = kind
		}
		parts = append(parts, references(name, content)...)
	}
	for _, part := range parts {
		if kinds[part] == contract.JSONSchema || kinds[part] == contract.Avro {
			delete(kinds, part)
		}
	}
	return kinds, broken, slices.DeleteFunc(skipped, func(name string) bool { return slices.Contains(parts, name) }), nil
}
