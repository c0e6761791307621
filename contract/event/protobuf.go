package event

import (
	"context"
	"slices"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/proto"
)

// A protoRegistry compares Protobuf files by the rules of package proto. These are of one message read by either version, and
// know no direction: each mode but NONE asks for all of them.
type protoRegistry struct {
	newest contract.Source
	opts   contract.Options
}

func (p *protoRegistry) kind() contract.Kind { return contract.Proto }
func (p *protoRegistry) name() string        { return p.newest.Path }

func (p *protoRegistry) against(ctx context.Context, old contract.Source, mode Mode, last bool) (part, error) {
	diff, err := proto.Diff(ctx, old, p.newest, p.opts)
	if err != nil {
		return part{}, err
	}
	out := part{findings: diff.Findings, gaps: diff.Gaps, proofs: diff.Proofs, documents: diff.Documents}
	out.findings = slices.DeleteFunc(out.findings, func(f contract.Finding) bool {
		return f.Severity == contract.Change && !last || f.Severity != contract.Change && mode == None
	})
	return out, nil
}

// protobuf compares files that a payload refers to.
func (c *comparison) protobuf(sub subject, old, new described) error {
	var at [2]contract.Source
	for i, s := range []struct {
		described
		src contract.Source
	}{{old, c.old.src}, {new, c.new.src}} {
		ref := s.n.get("$ref")
		if ref == nil || s.remote() {
			return c.opaque(sub, old, new)
		}
		file, err := relative(s.file, ref.text)
		if err != nil {
			return err
		}
		at[i] = contract.Source{Name: s.src.Name, FS: s.src.FS, Path: file}
	}
	diff, err := proto.Diff(c.ctx, at[0], at[1], c.opts)
	if err != nil {
		return err
	}
	for _, f := range diff.Findings {
		f.Kind, f.Flow, f.Subject, f.Path = sub.kind, sub.flow, sub.name, sub.at(f.Subject+" "+f.Path)
		c.findings = append(c.findings, f)
	}
	for _, g := range diff.Gaps {
		g.Subject, g.Path = sub.name, sub.at(g.Subject+" "+g.Path)
		c.gaps = append(c.gaps, g)
	}
	for _, p := range diff.Proofs {
		p.Subject, p.Path = sub.name, sub.at(p.Subject+" "+p.Path)
		c.proofs = append(c.proofs, p)
	}
	c.documents += diff.Documents
	return nil
}
