package event

import (
	"context"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/proto"
)

// A protoRegistry compares Protobuf files by the rules of package proto, in each direction that the mode asks for. A registry's
// messages are bytes: what only their JSON shows is a risk.
type protoRegistry struct {
	newest contract.Source
	opts   contract.Options
}

func (p *protoRegistry) kind() contract.Kind { return contract.Proto }
func (p *protoRegistry) name() string        { return p.newest.Path }

func (p *protoRegistry) against(ctx context.Context, old contract.Source, mode Mode, last bool) (part, error) {
	if mode == None {
		return p.changes(ctx, old, last)
	}
	var out part
	var changes []contract.Finding
	for _, flow := range mode.flows() {
		one, err := protoDirection(ctx, old, p.newest, flow, false, p.opts)
		if err != nil {
			return part{}, err
		}
		for _, f := range one.findings {
			switch {
			case f.Severity != contract.Change:
				f.Subject = directed(f.Subject, flow)
				out.findings = append(out.findings, f)
			case last:
				f.Flow = ""
				changes = append(changes, f)
			}
		}
		for i := range one.gaps {
			one.gaps[i].Subject = directed(one.gaps[i].Subject, flow)
		}
		for i := range one.proofs {
			one.proofs[i].Subject = directed(one.proofs[i].Subject, flow)
		}
		one.findings = nil
		out.add(one)
	}
	out.findings = append(out.findings, unsaid(changes, out.findings)...)
	return out, nil
}

// unsaid returns the changes that no finding of either direction speaks of, each once.
func unsaid(changes, said []contract.Finding) []contract.Finding {
	var all []contract.Finding
	for _, c := range changes {
		same := func(f contract.Finding) bool {
			subject, _, _ := strings.Cut(f.Subject, " (")
			return f.Rule == c.Rule && f.Path == c.Path && subject == c.Subject
		}
		if !slices.ContainsFunc(said, same) && !slices.ContainsFunc(all, same) {
			all = append(all, c)
		}
	}
	return all
}

// changes lists what changed where nothing is asked for: whatever it does, it is no break.
func (p *protoRegistry) changes(ctx context.Context, old contract.Source, last bool) (part, error) {
	diff, err := proto.Diff(ctx, old, p.newest, p.opts)
	if err != nil || !last {
		return part{}, err
	}
	for i := range diff.Findings {
		diff.Findings[i].Severity, diff.Findings[i].Witness = contract.Change, nil
	}
	return part{findings: diff.Findings}, nil
}

// protoDirection compares two versions in one direction.
func protoDirection(ctx context.Context, old, new contract.Source, flow contract.Flow, json bool, opts contract.Options) (part, error) {
	diff, err := proto.DiffRules(ctx, old, new, opts, proto.Rules{Flow: flow, JSON: json})
	return part{findings: diff.Findings, gaps: diff.Gaps, proofs: diff.Proofs, documents: diff.Documents}, err
}

// protobuf compares files that a payload refers to, in the directions that events flow.
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
	for _, flow := range flowsOf(sub.flow) {
		p, err := protoDirection(c.ctx, at[0], at[1], flow, old.json || new.json, c.opts)
		if err != nil {
			return err
		}
		for i, f := range p.findings {
			p.findings[i].Kind, p.findings[i].Subject, p.findings[i].Path = sub.kind, sub.name, sub.at(f.Subject+" "+f.Path)
		}
		for i, g := range p.gaps {
			p.gaps[i].Subject, p.gaps[i].Path = sub.name, sub.at(g.Subject+" "+g.Path)
		}
		for i, proof := range p.proofs {
			p.proofs[i].Subject, p.proofs[i].Path = sub.name, sub.at(proof.Subject+" "+proof.Path)
		}
		c.add(p)
	}
	return nil
}
