package contracts

import (
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
	from     string            // the name that it had, where that was another
	older    []contract.Source // versions before old, the oldest first: for transitive modes
}

// Diff compares two versions that a user named: files, folders, or paths at git revisions. What cannot be used is an *Error.
func Diff(ctx context.Context, oldName, newName string, choice Choice) (Report, error) {
	old, new, err := locateBoth(ctx, oldName, newName)
	if err != nil {
		return Report{}, err
	}
	defer old.close()
	defer new.close()
	report := Report{Against: oldName, At: choice.Now}
	pairs := []pair{{name: path.Base(filepath.ToSlash(newName)), old: old, new: new}}
	folder := old.folder || new.folder
	if folder && !whole(choice.Kind) {
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
	if folder || slices.ContainsFunc(report.Results, func(r Result) bool { return r.Kind == contract.Terms }) {
		if err := hold(ctx, report.Results); err != nil {
			return Report{}, err
		}
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
		d.Gaps = append(d.Gaps, p.elsewhere(newFiles)...)
		result.terms = p.declared(ctx)
		result.Modes = modesOf(result.terms)
		result.Old, result.New = oldFiles.version(p.old.Name), newFiles.version(p.new.Name)
		if p.old.gone {
			result.Old = Version{Name: nothing}
			d.Findings = p.added().Findings
		}
	}
	if p.from != "" {
		d.Findings = append(d.Findings, contract.Finding{Rule: "contract-moved", Kind: p.kind, Severity: contract.Change, Contract: p.name, Subject: "contract " + p.name,
			Text: "the contract stood in " + p.from, Old: contract.Place{File: p.old.Path}, New: contract.Place{File: p.new.Path}})
	}
	p.place(&d)
	d.Sort()
	result.Seed, result.Documents, result.Gaps, result.Proofs = d.Seed, d.Documents, d.Gaps, d.Proofs
	result.Findings = []Found{}
	for _, f := range d.Findings {
		result.Findings = append(result.Findings, Found{Finding: f})
	}
	result.identify()
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
		Text: "the contract is gone, and with it the word that neighbours rely on", Try: "restore it, or waive it in the gate's policy once nobody uses it (contract: " + p.name + ", allow: fail)",
		Old: contract.Place{File: p.old.Path}, New: contract.Place{}}}}
}

// nothing is the name of a version that is not there.
const nothing = "(nothing)"

// contractAdded is the rule of a contract that is new.
const contractAdded = "contract-added"

func (p pair) added() contract.Diff {
	return contract.Diff{Findings: []contract.Finding{{Rule: contractAdded, Kind: p.kind, Severity: contract.Change, Contract: p.name, Subject: "contract " + p.name,
		Text: "the contract is new: nobody relies on an older version", New: contract.Place{File: p.new.Path}}}}
}
