package contracts

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/release"
	"github.com/assay-dev/assay/internal/spec"
)

// A base is what the project was at a revision.
type base struct {
	ref       string
	folder    string // of assay.yaml, below the repository's top
	contracts map[string]spec.Contract
	err       error
}

// base reads what a revision's assay.yaml says, once.
func (c *checker) base(ctx context.Context, ref string) *base {
	if b, ok := c.bases[ref]; ok {
		return b
	}
	b := &base{ref: ref, contracts: map[string]spec.Contract{}}
	c.bases[ref] = b
	file, content, err := release.ProjectAt(ctx, c.project, ref)
	b.folder, b.err = path.Dir(file), err
	if content == nil || err != nil {
		return b
	}
	_, named, err := spec.ContractsOf(short(ref)+":"+file, content)
	for _, one := range named {
		b.contracts[one.Name] = one
	}
	b.err = err
	return b
}

// lost finds contracts that a base names and this project does not. A base that cannot be read may name any.
func (c *checker) lost(ctx context.Context, refs []string) ([]Result, error) {
	var lost []Result
	for _, ref := range refs {
		b := c.base(ctx, ref)
		if b.err != nil {
			r := unknown(spec.Contract{Name: "assay.yaml"}, fmt.Sprintf("nobody can tell whether contracts were taken out: %s cannot be read: %v", short(ref), b.err))
			return append(lost, r), ctx.Err()
		}
		for _, name := range sorted(b.contracts) {
			here := func(one spec.Contract) bool { return one.Name == name }
			known := func(r Result) bool { return r.Contract == name }
			if slices.ContainsFunc(c.project.Contracts, here) || slices.ContainsFunc(lost, known) {
				continue
			}
			was := b.contracts[name]
			old, err := atRevision(ctx, c.repo, ref, path.Join(b.folder, was.Path), short(ref)+":"+path.Join(b.folder, was.Path))
			if err != nil {
				return nil, err
			}
			if old.gone {
				continue // it named what was not there, and promised nothing
			}
			p := pair{name: name, kind: contract.Kind(was.Kind), old: old, new: version{gone: true}}
			r, err := p.compare(ctx, Choice{Seed: c.opts.Seed})
			if err != nil {
				return nil, err
			}
			r.Owner = was.Owner
			r.judge(spec.Contract{Waivers: c.retired(name, r)}, c.opts.Now, c.project.WaiversMax())
			lost = append(lost, r)
		}
	}
	return lost, nil
}

// retired returns the waivers of a contract that was taken out: they stand in the policy, since assay.yaml does not name it any more.
func (c *checker) retired(name string, r Result) (all []spec.ContractWaiver) {
	for _, w := range c.project.Policy.Waivers {
		if w.Contract == name && w.Allow == gate.AllowFail && w.Commit == "" {
			for _, f := range r.Findings {
				all = append(all, spec.ContractWaiver{Finding: f.ID, Waiver: w})
			}
		}
	}
	return all
}

// merge puts the results of a second baseline to those of the first: what either says counts.
func merge(all, more []Result) []Result {
	for _, r := range more {
		i := slices.IndexFunc(all, func(one Result) bool { return one.Contract == r.Contract })
		if i < 0 {
			all = append(all, r)
			continue
		}
		for _, f := range r.Findings {
			if !slices.ContainsFunc(all[i].Findings, func(other Found) bool { return other.ID == f.ID }) {
				all[i].Findings = append(all[i].Findings, f)
			}
		}
		all[i].Gaps, all[i].Proofs = append(all[i].Gaps, r.Gaps...), append(all[i].Proofs, r.Proofs...)
		all[i].Documents += r.Documents
	}
	return all
}

// short shortens the whole name of a commit, and no other.
func short(ref string) string {
	const whole = 40
	if len(ref) >= whole && !strings.ContainsFunc(ref, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		return ref[:12]
	}
	return ref
}
