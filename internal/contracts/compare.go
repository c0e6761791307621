package contracts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// A Choice is what a user says of two versions besides naming them.
type Choice struct {
	Kind      contract.Kind // "" is told by content
	Mode      string        // of a registry, for events; "" is the family's own
	Seed      uint64
	Documents int
	Now       time.Time
}

// A differ compares two versions of one contract.
type differ func(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error)

// A pair is two versions of one contract.
type pair struct {
	name     string
	kind     contract.Kind
	mode     string
	old, new version
	older    []contract.Source // versions before old, the oldest first: for transitive modes
}

// Diff compares two versions that a user named: files, folders, or paths at git revisions. What cannot be used is an *Error.
func Diff(ctx context.Context, oldName, newName string, choice Choice) (Report, error) {
	old, err := locate(ctx, oldName)
	if err != nil {
		return Report{}, err
	}
	defer old.close()
	new, err := locate(ctx, newName)
	if err != nil {
		return Report{}, err
	}
	defer new.close()
	for _, v := range []version{old, new} {
		if v.gone {
			return Report{}, &Error{fmt.Sprintf("%s: the revision is here, and has no such file or folder (paths at a revision count from the repository's top; ./ counts from this folder)", v.Name)}
		}
	}
	if old.folder != new.folder {
		return Report{}, &Error{fmt.Sprintf("%s and %s cannot be compared: one is a file, the other a folder", oldName, newName)}
	}
	report := Report{Against: oldName, At: choice.Now}
	pairs := []pair{{name: path.Base(filepath.ToSlash(newName)), old: old, new: new}}
	if new.folder && !whole(choice.Kind) {
		if pairs, report.Skipped, err = pairsOf(old, new, choice.Kind); err != nil {
			return Report{}, err
		}
	}
	for _, p := range pairs {
		if choice.Kind != "" {
			p.kind = choice.Kind
		}
		p.mode = choice.Mode
		result, err := p.compare(ctx, choice)
		if err != nil {
			return Report{}, err
		}
		report.Results = append(report.Results, result)
	}
	report.conclude()
	return report, nil
}

// whole says whether a folder of that kind is one contract, and not one for each file.
func whole(k contract.Kind) bool { return k == contract.Proto || k == contract.Terms }

// compare compares one contract. A version that is not there is a contract that is new, or was removed.
func (p pair) compare(ctx context.Context, choice Choice) (Result, error) {
	if p.kind == "" {
		kind, err := p.detect()
		if err != nil {
			return Result{}, err
		}
		p.kind = kind
	}
	result := Result{Contract: p.name, Kind: p.kind, Mode: p.mode, Old: Version{Name: p.old.Name}, New: Version{Name: p.new.Name}, Seed: choice.Seed}
	var d contract.Diff
	switch {
	case p.new.gone:
		d = p.removed()
	default:
		if p.old.gone { // it is held against itself, so that one that cannot be read is no pass
			p.old.Source, p.old.folder, p.old.top, p.old.prefix = p.new.Source, p.new.folder, p.new.top, p.new.prefix
		}
		oldFiles, newFiles := record(p.old.FS), record(p.new.FS)
		p.old.FS, p.new.FS = oldFiles, newFiles
		var err error
		if d, err = p.diff(ctx, choice); err != nil {
			return Result{}, err
		}
		result.Modes = p.modes(ctx)
		result.Old, result.New = oldFiles.version(p.old.Name), newFiles.version(p.new.Name)
		if p.old.gone {
			result.Old = Version{Name: nothing}
			d.Findings = p.added().Findings
		}
	}
	p.place(&d)
	d.Sort()
	result.Seed, result.Documents, result.Gaps, result.Proofs = d.Seed, d.Documents, d.Gaps, d.Proofs
	result.Findings = []Found{}
	for _, f := range d.Findings {
		f.Contract = p.name
		result.Findings = append(result.Findings, Found{ID: f.ID(), Finding: f})
	}
	result.conclude()
	return result, nil
}

// diff asks the families that compare such a contract, and puts their answers together.
func (p pair) diff(ctx context.Context, choice Choice) (contract.Diff, error) {
	opts := contract.Options{Contract: p.name, Seed: choice.Seed, Documents: choice.Documents}
	all := contract.Diff{Contract: p.name, Kind: p.kind, Old: p.old.Name, New: p.new.Name, Seed: choice.Seed}
	differs, err := p.differs()
	if err != nil {
		return all, err
	}
	if len(differs) == 0 {
		all.Gaps = []contract.Gap{{Contract: p.name, Subject: string(p.kind), Why: "not compared yet: this version of assay reads no contracts of the kind " + string(p.kind)}}
	}
	for _, compare := range differs {
		d, err := guarded(compare)(ctx, p.old.Source, p.new.Source, opts)
		if err != nil {
			return all, p.failed(ctx, err)
		}
		all.Findings, all.Gaps, all.Proofs = append(all.Findings, d.Findings...), append(all.Gaps, d.Gaps...), append(all.Proofs, d.Proofs...)
		all.Documents += d.Documents
	}
	return all, nil
}

// guarded turns a panic of a family, or of a library below it, into an error that says so: a hostile contract must not take
// the comparison of the others with it.
func guarded(compare differ) differ {
	return func(ctx context.Context, old, new contract.Source, opts contract.Options) (d contract.Diff, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = &Broken{fmt.Sprintf("the comparison of %s and %s broke: %v\n%s", old.Name, new.Name, p, debug.Stack())}
			}
		}()
		return compare(ctx, old, new, opts)
	}
}

// failed types what kept versions from being compared: what the user named cannot be read, unless it was stopped or broke.
func (p pair) failed(ctx context.Context, err error) error {
	var broken *Broken
	if ctx.Err() != nil || errors.As(err, &broken) {
		return errors.Join(ctx.Err(), err)
	}
	text := err.Error()
	if !strings.Contains(text, p.old.Name) && !strings.Contains(text, p.new.Name) {
		text = fmt.Sprintf("%s: %s", p.name, text)
	}
	return &Error{text}
}

// place gives places the names by which the user knows the files.
func (p pair) place(d *contract.Diff) {
	for i := range d.Findings {
		f := &d.Findings[i]
		f.Old.File, f.New.File = p.old.shown(f.Old.File), p.new.shown(f.New.File)
	}
	for i := range d.Gaps {
		at, v := &d.Gaps[i].At, p.new
		if _, err := fs.Stat(v.FS, at.File); err != nil && !p.old.gone {
			v = p.old // what is gone was undecided there
		}
		at.File = v.shown(at.File)
	}
}

func (p pair) removed() contract.Diff {
	return contract.Diff{Findings: []contract.Finding{{Rule: "contract-removed", Kind: p.kind, Severity: contract.Break, Contract: p.name, Subject: "contract " + p.name,
		Text: "the contract is gone, and with it the word that neighbours rely on", Try: "restore it, or waive this with a reason once nobody uses it",
		Old: contract.Place{File: p.old.Path}, New: contract.Place{}}}}
}

// nothing is the name of a version that is not there.
const nothing = "(nothing)"

func (p pair) added() contract.Diff {
	return contract.Diff{Findings: []contract.Finding{{Rule: "contract-added", Kind: p.kind, Severity: contract.Change, Contract: p.name, Subject: "contract " + p.name,
		Text: "the contract is new: nobody relies on an older version", New: contract.Place{File: p.new.Path}}}}
}

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
	for _, name := range names {
		content, err := v.Read(name)
		if err != nil {
			return "", &Error{err.Error()}
		}
		if kind := Detect(name, content); kind != "" && !slices.Contains(found, kind) {
			found = append(found, kind)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
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

// conclude says what the result comes to.
func (r *Result) conclude() {
	slices.SortStableFunc(r.Findings, func(a, b Found) int { return cmp.Compare(rank(a), rank(b)) })
	breaks, waived := r.count(contract.Break), r.waived()
	switch {
	case breaks > 0:
		r.Verdict = verdict.Fail
	case len(r.Gaps) > 0 || len(r.Findings)+len(r.Proofs) == 0:
		r.Verdict = verdict.Unknown
	default:
		r.Verdict = verdict.Pass
	}
	var parts []string
	add := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, plural(n, one, many))
		}
	}
	add(breaks, "break", "breaks")
	add(waived, "waived", "waived")
	add(len(r.Gaps), "undecided", "undecided")
	add(r.count(contract.Risk), "risk", "risks")
	add(r.count(contract.Change), "harmless change", "harmless changes")
	switch r.Reason = strings.Join(parts, ", "); {
	case len(r.Findings)+len(r.Proofs)+len(r.Gaps) == 0:
		r.Reason = "nothing was compared"
	case r.Reason == "":
		r.Reason = "nothing changed that a neighbour could see"
	}
}

// rank orders findings as people read them: what breaks first, what is waived after it.
func rank(f Found) int {
	order := map[contract.Severity]int{contract.Break: 0, contract.Risk: 2, contract.Change: 3}
	if f.Waived != nil {
		return 1
	}
	return order[f.Severity]
}

func (r *Report) conclude() {
	var all []verdict.Verdict
	n := map[verdict.Verdict]int{}
	for _, one := range r.Results {
		all = append(all, one.Verdict)
		n[one.Verdict]++
	}
	r.Verdict = verdict.Merge(all...)
	switch len(r.Results) {
	case 0:
		r.Reason = "no contract was compared"
	case 1:
		r.Reason = r.Results[0].Contract + ": " + r.Results[0].Reason
	default:
		r.Reason = fmt.Sprintf("%d contracts: %d pass, %d fail, %d unknown", len(r.Results), n[verdict.Pass], n[verdict.Fail], n[verdict.Unknown])
	}
}

// pairsOf finds the contracts of two folders: each file that is one by itself, and all .proto files together.
func pairsOf(old, new version, only contract.Kind) (pairs []pair, skipped []string, err error) {
	kinds := [2]map[string]contract.Kind{}
	for i, v := range []version{old, new} {
		var skips []string
		if kinds[i], skips, err = v.contracts(); err != nil {
			return nil, nil, err
		}
		skipped = append(skipped, skips...)
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
	return pairs, slices.Compact(skipped), nil
}

// contracts returns the files of a folder that are contracts by themselves, with "." for all .proto files, and those that are none.
// A file that another one refers to is a part of that one.
func (v version) contracts() (kinds map[string]contract.Kind, skipped []string, err error) {
	names, err := v.files()
	if err != nil {
		return nil, nil, err
	}
	kinds = map[string]contract.Kind{}
	var parts []string
	for _, name := range names {
		content, err := v.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, &Error{err.Error()}
		}
		kind := Detect(name, content)
		switch kind {
		case "":
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
	return kinds, slices.DeleteFunc(skipped, func(name string) bool { return slices.Contains(parts, name) }), nil
}
