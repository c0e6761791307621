package contracts

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/release"
	"github.com/assay-dev/assay/internal/spec"
)

// CheckOptions say what contracts are compared with. The zero value compares with the gate's base.
type CheckOptions struct {
	Against   string // a git revision; it goes over what assay.yaml says
	Now       time.Time
	Seed      uint64
	Documents int
}

// A checker compares the contracts of one project.
type checker struct {
	project *spec.Project
	opts    CheckOptions
	repo    tree
	bases   map[string]*base // by revision
}

// Check compares every contract that assay.yaml names with what it was. What could not be compared is unknown; a contract that the base
// names and this project does not is a break.
func Check(ctx context.Context, project *spec.Project, opts CheckOptions) (Report, error) {
	c := &checker{project, opts, tree{project.Dir}, map[string]*base{}}
	refs, name := []string{opts.Against}, opts.Against
	if opts.Against == "" {
		refs, name = release.Fork(ctx, project.Dir)
	} else if err := c.known(ctx, opts.Against); err != nil {
		return Report{}, err
	}
	report := Report{System: project.Name, Against: name, At: opts.Now, Commits: c.commits(ctx, refs)}
	if len(refs) == 0 {
		report.Against = "nothing: " + name
	}
	var of []spec.Contract
	for _, one := range project.Contracts {
		results, err := c.contract(ctx, one, refs, name)
		if err != nil {
			return Report{}, err
		}
		for _, r := range results {
			report.Results, of = append(report.Results, r), append(of, one)
		}
	}
	if err := hold(ctx, report.Results); err != nil {
		return Report{}, err
	}
	for i := range report.Results {
		report.Results[i] = c.finish(of[i], report.Results[i])
	}
	lost, err := c.lost(ctx, refs)
	if err != nil {
		return Report{}, err
	}
	if report.Results = append(report.Results, lost...); len(report.Results) == 0 {
		return Report{}, project.NoContracts()
	}
	report.conclude()
	return report, nil
}

// known refuses a revision that is not here.
func (c *checker) known(ctx context.Context, ref string) error {
	if len(c.commits(ctx, []string{ref})) > 0 {
		return nil
	}
	shallow, err := c.repo.git(ctx, "rev-parse", "--is-shallow-repository")
	switch {
	case err != nil:
		return &Error{fmt.Sprintf("--against %s: %s is in no git repository, and only there are revisions", ref, c.project.Dir)}
	case shallow == "true":
		return &Error{fmt.Sprintf("--against %s: no revision of %s is called so: this clone is shallow, fetch all of it (fetch-depth: 0, or GIT_DEPTH: 0)", ref, c.project.Dir)}
	}
	return &Error{fmt.Sprintf("--against %s: no revision of %s is called so (fetch it, or see git branch -a)", ref, c.project.Dir)}
}

// commits returns those that revisions name.
func (c *checker) commits(ctx context.Context, refs []string) (all []string) {
	for _, ref := range refs {
		if commit, err := c.repo.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}"); err == nil {
			all = append(all, commit)
		}
	}
	return all
}

// contract compares one contract with its baselines. There are two where a change is on top of the branch that it is for.
func (c *checker) contract(ctx context.Context, one spec.Contract, refs []string, name string) ([]Result, error) {
	if one.Baseline != "" && c.opts.Against == "" {
		refs, name = []string{one.Baseline}, one.Baseline
	}
	if len(refs) == 0 {
		return c.alone(ctx, one, name)
	}
	var all []Result
	for _, ref := range refs {
		results, err := c.against(ctx, one, ref)
		var unusable *Error
		if errors.As(err, &unusable) {
			results, err = []Result{unknown(one, unusable.Msg)}, nil
		}
		if err != nil {
			return nil, err
		}
		all = merge(all, results)
	}
	return all, nil
}

// alone reads a contract that there is nothing to compare with: it is unknown, whatever it says, but it must be there, and its calls are held.
func (c *checker) alone(ctx context.Context, one spec.Contract, why string) ([]Result, error) {
	here, err := c.here(ctx, one)
	if err != nil {
		return nil, err
	}
	defer here.close()
	none := version{Source: contract.Source{Name: nothing}, gone: true, close: func() error { return nil }}
	if here.gone {
		return nil, c.missing(one)
	}
	pairs, err := c.pairs(one, none, here)
	if err != nil {
		return nil, err
	}
	results, err := c.compare(ctx, one, pairs)
	for i := range results {
		r := &results[i]
		r.Findings = slices.DeleteFunc(r.Findings, func(f Found) bool { return f.Rule == contractAdded })
		r.Gaps = append([]contract.Gap{{Contract: r.Contract, Subject: "contract " + r.Contract, Why: "it was compared with nothing: " + why}}, r.Gaps...)
		r.conclude()
	}
	return results, err
}

func (c *checker) missing(one spec.Contract) error {
	return spec.Errors{c.mistake(one, fmt.Sprintf("contract %s: there is no file or folder %s", one.Name, one.Path))}
}

// finish adds what assay.yaml says of a contract.
func (c *checker) finish(one spec.Contract, r Result) Result {
	r.Owner, r.Covers, r.Pos = one.Owner, one.Covers, filepath.ToSlash(filepath.Join(filepath.Dir(c.project.File), one.Pos))
	if r.Mode == "" {
		r.Mode = one.Mode
	}
	r.judge(one, c.opts.Now, c.project.WaiversMax())
	return r
}

// unknown is the result of a contract that was not compared.
func unknown(one spec.Contract, why string) Result {
	r := Result{Contract: one.Name, Kind: contract.Kind(one.Kind), Findings: []Found{}, Gaps: []contract.Gap{{Contract: one.Name, Subject: "contract " + one.Name, Why: why}}}
	r.conclude()
	return r
}

// against compares a contract with what it was at a revision.
func (c *checker) against(ctx context.Context, one spec.Contract, ref string) ([]Result, error) {
	b := c.base(ctx, ref)
	if b.err != nil {
		return nil, &Error{fmt.Sprintf("the baseline %s cannot be read: %v", ref, b.err)}
	}
	was := one.Path
	if before, ok := b.contracts[one.Name]; ok {
		was = before.Path // it may have moved since
	}
	old, err := atRevision(ctx, c.repo, ref, path.Join(b.folder, filepath.ToSlash(was)), short(ref)+":"+path.Join(b.folder, filepath.ToSlash(was)))
	if err != nil {
		return nil, err
	}
	old.prefix = strings.Replace(old.prefix, ref+":", short(ref)+":", 1)
	defer old.close()
	new, err := c.here(ctx, one)
	if err != nil {
		return nil, err
	}
	defer new.close()
	if old.gone && new.gone {
		return nil, c.missing(one)
	}
	if _, named := b.contracts[one.Name]; named && old.gone {
		return nil, &Error{fmt.Sprintf("%s names %s, and has no such file: nobody can tell what was promised (is it made by a build, or ignored by git?)", short(ref), old.Name)}
	}
	pairs, err := c.pairs(one, old, new)
	if err != nil {
		return nil, err
	}
	return c.compare(ctx, one, pairs)
}

// pairs returns what is compared of a contract: itself, or of a folder its files.
func (c *checker) pairs(one spec.Contract, old, new version) ([]pair, error) {
	if !old.gone && !new.gone && old.folder != new.folder {
		return nil, &Error{fmt.Sprintf("%s and %s cannot be compared: one is a file, the other a folder", old.Name, new.Name)}
	}
	if !old.folder && !new.folder || whole(contract.Kind(one.Kind)) {
		return []pair{{name: one.Name, old: old, new: new}}, nil
	}
	pairs, _, err := pairsOf(old, new, contract.Kind(one.Kind))
	for i := range pairs {
		if pairs[i].name == "proto" {
			pairs[i].name = one.Name
		} else {
			pairs[i].name = one.Name + "/" + pairs[i].name
		}
	}
	return pairs, err
}

func (c *checker) compare(ctx context.Context, one spec.Contract, pairs []pair) ([]Result, error) {
	var results []Result
	for _, p := range pairs {
		if p.mode = one.Mode; one.Kind != "" {
			p.kind = contract.Kind(one.Kind)
		}
		var r Result
		var err error
		if p.older, err = c.older(ctx, p); err == nil {
			r, err = p.compare(ctx, Choice{Seed: c.opts.Seed, Documents: c.opts.Documents})
		}
		var unusable *Error
		if errors.As(err, &unusable) {
			r, err = unknown(spec.Contract{Name: p.name, Kind: one.Kind}, unusable.Msg), nil
		}
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// mostVersions is how many versions a transitive mode reads.
const mostVersions = 100

// older returns the versions before the baseline's that a transitive mode asks for, the oldest first: those of the file's history.
func (c *checker) older(ctx context.Context, p pair) ([]contract.Source, error) {
	if !strings.HasSuffix(p.mode, "_TRANSITIVE") || p.old.gone {
		return nil, nil
	}
	rev, file, _ := strings.Cut(p.old.Name, ":")
	top, err := c.repo.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	if shallow, err := c.repo.git(ctx, "rev-parse", "--is-shallow-repository"); err != nil || shallow != "false" {
		return nil, &Error{fmt.Sprintf("%s is compared with all versions before, and this clone is shallow: fetch all of it (fetch-depth: 0, or GIT_DEPTH: 0)", p.name)}
	}
	out, err := tree{top}.git(ctx, "log", "--format=%H", "--end-of-options", rev, "--", file)
	if err != nil {
		return nil, err
	}
	commits := strings.Fields(out)
	if len(commits) > mostVersions {
		return nil, &Error{fmt.Sprintf("%s has %d versions, and a transitive mode reads at most %d: nobody can tell about the others", p.name, len(commits), mostVersions)}
	}
	var older []contract.Source
	for _, commit := range commits[min(1, len(commits)):] { // the newest is the baseline's
		v, err := atRevision(ctx, c.repo, commit, file, short(commit)+":"+file)
		if err != nil {
			return nil, err
		}
		if !v.gone {
			older = append([]contract.Source{v.Source}, older...)
		}
	}
	return older, nil
}

// here opens a contract as it is now.
func (c *checker) here(ctx context.Context, one spec.Contract) (version, error) {
	name := filepath.Join(filepath.Dir(c.project.File), one.Path)
	if filepath.IsAbs(one.Path) {
		return version{}, spec.Errors{c.mistake(one, fmt.Sprintf("contract %s: the path %s is not relative to assay.yaml", one.Name, one.Path))}
	}
	v, err := locate(ctx, name)
	var unusable *Error
	if errors.As(err, &unusable) || v.gone {
		return version{Source: contract.Source{Name: name, Path: filepath.ToSlash(one.Path)}, top: c.project.Dir, gone: true, close: func() error { return nil }}, nil
	}
	return v, err
}

// mistake is one of assay.yaml, at the contract.
func (c *checker) mistake(one spec.Contract, msg string) *spec.Error {
	e := &spec.Error{File: c.project.File, Line: 1, Col: 1, Msg: msg, Hint: "paths are relative to assay.yaml"}
	if parts := strings.Split(one.Pos, ":"); len(parts) >= 3 {
		fmt.Sscan(parts[len(parts)-2], &e.Line)
		fmt.Sscan(parts[len(parts)-1], &e.Col)
	}
	return e
}
