// Package release gathers what a release is decided from: the project's files, its base in git, and the evidence.
// [Gather] reads all of it; what follows is pure.
package release

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
)

// Options say what is to be released, and what it is compared with. The zero value releases what was run last.
type Options struct {
	Now      time.Time // zero: now
	Base     string    // a git revision, NoBase, or "" to find one
	Subjects []string  // SERVICE=FILE or SERVICE=sha256:…
	Commit   string    // "" for the one that is checked out
	Path     string    // of the project, as the user wrote it, for commands
	Command  func(words ...string) string
	// Verify reads every run that the matrix rests on again in full, and judges its records once more, whatever was remembered of it.
	Verify bool
	// Program names this program as no other, so that what it concluded is remembered; "" to remember nothing.
	Program string
}

// Gather reads the project's evidence from store, and lays out the matrix. Its error is a
// *run.UsageError where an option is wrong.
func Gather(ctx context.Context, project *spec.Project, store *evidence.Store, opts Options) (gate.Facts, error) {
	f, _, err := gather(ctx, project, store, opts)
	return f, err
}

func gather(ctx context.Context, project *spec.Project, store *evidence.Store, opts Options) (gate.Facts, []evidence.Card, error) {
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	opts.Now = opts.Now.UTC()
	cards, err := store.Cards()
	if err != nil {
		return gate.Facts{}, nil, err
	}
	f := gate.Facts{Policy: project.Policy, Declaration: run.Declare(project), Path: opts.Path, Command: opts.Command}
	cards = derived(ctx, store, f, opts, cards)
	newest(&f, cards, opts.Now)
	var last *evidence.Run
	if f.Newest != nil {
		if last, err = store.Open(f.Newest.ID); err != nil {
			return gate.Facts{}, nil, err
		}
	}
	base := FindBase(ctx, project, opts.Base, last)
	f.Base, f.BaseName, f.BaseErr, f.BaseCommits = base.Declaration, base.Name, base.Err, base.Commits
	f.Matrix = lay(f, opts.Now, cards)
	repo := repository{project.Dir}
	if f.Candidate, err = candidate(ctx, repo, project, f.Newest, opts); err != nil {
		return gate.Facts{}, nil, err
	}
	f.Ancestors = ancestors(ctx, repo, f)
	return f, cards, nil
}

func lay(f gate.Facts, now time.Time, cards []evidence.Card) matrix.Matrix {
	return matrix.New(matrix.Facts{Now: now, Declaration: f.Declaration, Base: f.Base, Modes: experiment.Modes(), Cards: cards})
}

// newest notes the newest whole run of the system.
func newest(f *gate.Facts, cards []evidence.Card, now time.Time) {
	f.Newest = nil
	for i, card := range cards {
		card = card.AsOf(now)
		if card.Refused != "" || card.Meta.Defect != "" || card.System != f.Declaration.System || card.Meta.Kind != evidence.KindRun {
			continue
		}
		if f.Newest == nil && card.Status == evidence.Complete {
			f.Newest = &cards[i]
		}
	}
}

// candidate says what is to be released: what the user names, or else what was run last, as long as that is of the commit that is checked out.
func candidate(ctx context.Context, repo repository, project *spec.Project, last *evidence.Card, opts Options) (gate.Candidate, error) {
	var c gate.Candidate
	if opts.Commit != "" {
		commit, err := repo.commit(ctx, opts.Commit)
		if err != nil && regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`).MatchString(opts.Commit) {
			commit, err = opts.Commit, nil // whole, and of a history that is not here
		}
		if err != nil {
			return c, &run.UsageError{Msg: fmt.Sprintf("--commit %s: it is no commit of %s, and no whole name of one", opts.Commit, project.Dir)}
		}
		c.Commit = commit
	} else {
		if head, err := repo.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD"); err == nil {
			c.Commit = head
			changes, err := repo.git(ctx, "status", "--porcelain")
			c.Dirty = err != nil || changes != ""
			c.Changes = run.Changes(project.Dir)
		}
	}
	switch {
	case len(opts.Subjects) > 0:
		c.From = "the command line"
		digests, err := named(project, opts.Subjects)
		c.Digests = digests
		return c, err
	case last == nil:
		c.From = "nobody"
		c.Problem = fmt.Sprintf("no whole run of %s is in the store, and nothing was named", project.Name)
		return c, nil
	}
	c.From = "run " + last.ID
	c.Digests = map[string]string{}
	for _, s := range last.Subjects {
		c.Digests[s.Service] = s.SHA256
	}
	if c.Commit == "" {
		c.Commit, c.Dirty = last.Meta.Commit, last.Meta.Dirty
	}
	switch changes := run.Changes(project.Dir); {
	case c.Commit != last.Meta.Commit:
		c.Problem = fmt.Sprintf("the newest run is of commit %s, and %s is to be released", brief(last.Meta.Commit), brief(c.Commit))
	case opts.Commit == "" && c.Commit != "" && changes != last.Meta.Changes:
		c.Problem = "files were changed since the newest run, or are no longer changed as they were then"
	}
	return c, nil
}

func brief(commit string) string {
	if commit == "" {
		return "(none)"
	}
	return commit[:min(len(commit), 12)]
}

// named reads SERVICE=DIGEST and SERVICE=FILE.
func named(project *spec.Project, subjects []string) (map[string]string, error) {
	digests := map[string]string{}
	var services []string
	of := map[string]system.Service{}
	for _, s := range project.System.Services {
		services = append(services, s.Name)
		of[s.Name] = s
	}
	for _, text := range subjects {
		service, what, ok := strings.Cut(text, "=")
		switch {
		case !ok || what == "":
			return nil, &run.UsageError{Msg: fmt.Sprintf("--subject %s: it must be SERVICE=FILE or SERVICE=sha256:…", text)}
		case !slices.Contains(services, service):
			return nil, &run.UsageError{Msg: fmt.Sprintf("--subject %s: no service is called %q (there are: %s)", text, service, strings.Join(services, ", "))}
		case regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(what):
			digests[service] = what
			continue
		}
		digest, err := run.SubjectDigest(of[service], filepath.Clean(what))
		if err != nil {
			return nil, &run.UsageError{Msg: fmt.Sprintf("--subject %s: %v", text, err)}
		}
		digests[service] = digest
	}
	for _, service := range services {
		if digests[service] == "" {
			return nil, &run.UsageError{Msg: fmt.Sprintf("--subject: name every service; %s is missing", service)}
		}
	}
	return digests, nil
}

// ancestors finds the commits of evidence that the candidate's descends from, where a policy asks.
func ancestors(ctx context.Context, repo repository, f gate.Facts) map[string]bool {
	asked := slices.ContainsFunc(f.Declaration.Required, func(r evidence.Requirement) bool { return r.Same == gate.SameAncestor })
	found := map[string]bool{}
	if !asked || f.Candidate.Commit == "" {
		return found
	}
	whole := regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) // a name such as HEAD would be whatever it is today
	for _, commit := range f.Commits() {
		if whole.MatchString(commit) {
			_, err := repo.git(ctx, "merge-base", "--is-ancestor", commit, f.Candidate.Commit)
			found[commit] = err == nil
		}
	}
	return found
}
