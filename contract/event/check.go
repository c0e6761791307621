package event

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// Check holds the newest of a schema's versions, the last in the list, against the one before it, or in a transitive mode
// against all of them, as the mode asks. Each version is one file. A first version breaks nobody.
func Check(ctx context.Context, format Format, versions []contract.Source, mode Mode, opts contract.Options) (contract.Diff, error) {
	if _, err := ParseMode(string(mode)); err != nil {
		return contract.Diff{}, err
	}
	if len(versions) == 0 {
		return contract.Diff{}, errors.New("no version of the schema is named: name at least the newest")
	}
	newest := versions[len(versions)-1]
	older := versions[:len(versions)-1]
	if !mode.Transitive() && len(older) > 1 {
		older = older[len(older)-1:]
	}
	if opts.Contract == "" {
		opts.Contract = newest.Path
	}
	r, err := newRegistry(format, newest, opts)
	if err != nil {
		return contract.Diff{}, err
	}
	diff := contract.Diff{Contract: opts.Contract, Kind: r.kind(), New: newest.Name, Seed: opts.Seed}
	if len(older) == 0 {
		if _, err := r.against(ctx, newest, None, false); err != nil { // it must be readable at least
			return contract.Diff{}, err
		}
		diff.Proofs = []contract.Proof{{Contract: opts.Contract, Subject: r.name(), By: "rule: a first version has no older one to break"}}
		return diff, nil
	}
	diff.Old = older[len(older)-1].Name
	var all part
	for i, old := range slices.Backward(older) {
		p, err := r.against(ctx, old, mode, i == len(older)-1)
		if err != nil {
			return contract.Diff{}, err
		}
		all.merge(p, old.Name)
	}
	if mode == None {
		all.proofs = append(all.proofs, contract.Proof{Contract: opts.Contract, Subject: r.name(), By: "rule: the mode NONE asks for nothing"})
	}
	diff.Findings, diff.Gaps, diff.Proofs, diff.Documents = all.findings, all.gaps, all.proofs, all.documents
	diff.Sort()
	return diff, nil
}

// merge adds what a further old version says: a finding that a newer one brought already only names the version.
func (p *part) merge(other part, version string) {
	for _, f := range other.findings {
		i := slices.IndexFunc(p.findings, func(known contract.Finding) bool {
			return known.ID() == f.ID() && known.Flow == f.Flow && known.Severity == f.Severity
		})
		if i < 0 {
			p.findings = append(p.findings, f)
		} else {
			p.findings[i].Text += "; against " + version + " as well"
		}
	}
	other.findings = nil
	p.add(other)
}

// A registry compares versions of one schema in one format.
type registry interface {
	kind() contract.Kind
	name() string
	// against compares the newest version with an older one. Only of the last are changes listed.
	against(ctx context.Context, old contract.Source, mode Mode, last bool) (part, error)
}

func newRegistry(format Format, newest contract.Source, opts contract.Options) (registry, error) {
	switch format {
	case Avro:
		s, err := readAvro(newest)
		return &avroRegistry{newest: s, opts: opts}, err
	case JSON:
		s, err := readJSONSchema(newest, opts)
		return &jsonRegistry{newest: s, opts: opts}, err
	case Protobuf:
		return &protoRegistry{newest: newest, opts: opts}, nil
	}
	return nil, fmt.Errorf("no format of schemas is called %q: there are %s, %s and %s", format, Avro, JSON, Protobuf)
}

// readTree reads a version's file.
func readTree(src contract.Source) (*node, error) {
	if src.FS == nil {
		return nil, fmt.Errorf("%s: the version has no files", src.Name)
	}
	if src.Path == "." || strings.HasSuffix(src.Path, "/") {
		return nil, fmt.Errorf("%s: a version of a schema is one file, and this is a folder: name the file", src.Name)
	}
	data, err := src.Read(src.Path)
	if err != nil {
		return nil, err
	}
	return parseTree(path.Clean(src.Path), data)
}

func readAvro(src contract.Source) (*avroSchema, error) {
	tree, err := readTree(src)
	if err != nil {
		return nil, err
	}
	return parseAvro(tree)
}

type avroRegistry struct {
	newest *avroSchema
	opts   contract.Options
}

func (a *avroRegistry) kind() contract.Kind { return contract.Avro }
func (a *avroRegistry) name() string        { return or2(a.newest.root.name, a.newest.root.kind) }

func (a *avroRegistry) against(ctx context.Context, src contract.Source, mode Mode, last bool) (part, error) {
	old, err := readAvro(src)
	if err != nil {
		return part{}, err
	}
	sub := subject{kind: contract.Avro, opts: a.opts}
	var p part
	for _, flow := range mode.flows() {
		sub.flow = flow
		sub.name = directed(a.name(), flow)
		d, err := avroDirection(ctx, old, a.newest, sub)
		if err != nil {
			return part{}, err
		}
		p.add(d)
	}
	if last {
		sub.name = a.name()
		p.findings = append(p.findings, avroChanges(old, a.newest, sub, p.findings)...)
	}
	return p, nil
}

// directed names a subject in one direction, so that a waiver of the one is none of the other.
func directed(name string, flow contract.Flow) string {
	if flow == contract.FromUs {
		return name + " (new writes, old reads)"
	}
	return name + " (old writes, new reads)"
}
