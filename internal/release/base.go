package release

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

// NoBase is the name of a base that asks for nothing: nothing is compared.
const NoBase = "none"

// A Base is what the base branch asks for.
type Base struct {
	Declaration *evidence.Declaration // nil: nothing was compared
	Name        string                // what was compared with, or why nothing was
	Err         string                // what kept it from being read
	Commits     []string              // of the revisions that it is of
}

// FindBase reads the declaration of the project at a git revision. Without a revision it is the fork point from the
// branch that is merged into; without git, the declaration of the newest whole run.
func FindBase(ctx context.Context, project *spec.Project, ref string, newest *evidence.Run) Base {
	if ref == NoBase {
		return Base{Name: "by --base none"}
	}
	repo := repository{project.Dir}
	if _, err := repo.git(ctx, "rev-parse", "--git-dir"); err != nil {
		switch {
		case ref != "":
			return Base{Name: ref, Err: fmt.Sprintf("the base %s cannot be read: %s is in no git repository", ref, project.Dir)}
		case newest == nil:
			return Base{Name: "there is no git repository, and no run yet"}
		}
		declaration, err := newest.Declaration()
		if err != nil {
			return Base{Name: "run " + newest.ID(), Err: err.Error()}
		}
		return Base{Declaration: &declaration, Name: "run " + newest.ID()}
	}
	refs, name := []string{ref}, ref
	if ref == "" {
		refs, name = repo.fork(ctx)
	}
	switch {
	case len(refs) == 0 && name == "":
		return repo.lost(ctx)
	case len(refs) == 0:
		return Base{Name: name}
	}
	var all evidence.Declaration
	var commits []string
	for _, ref := range refs {
		if commit, err := repo.commit(ctx, ref); err == nil {
			commits = append(commits, commit)
		}
		declaration, err := repo.declaration(ctx, project, ref)
		if err != nil {
			return Base{Name: name, Err: fmt.Sprintf("the base %s cannot be read: %v", name, err)}
		}
		all = union(all, declaration)
	}
	return Base{Declaration: &all, Name: name, Commits: commits}
}

// union is what either of two declarations asks for.
func union(a, b evidence.Declaration) evidence.Declaration {
	if a.System != "" && gate.Reach(a.WaiversMax) < gate.Reach(b.WaiversMax) {
		b.WaiversMax = a.WaiversMax
	}
	return evidence.Declaration{System: b.System, Journeys: joined(a.Journeys, b.Journeys), Cells: joined(a.Cells, b.Cells),
		Required: joined(a.Required, b.Required), Experiments: joined(a.Experiments, b.Experiments), Conditions: joined(a.Conditions, b.Conditions),
		Contracts: joined(a.Contracts, b.Contracts), WaiversMax: b.WaiversMax}
}

func joined[T comparable](a, b []T) []T {
	for _, one := range b {
		if !slices.Contains(a, one) {
			a = append(a, one)
		}
	}
	return a
}

// A repository is a folder in a git tree.
type repository struct{ dir string }

func (r repository) git(ctx context.Context, args ...string) (string, error) {
	out, err := r.command(ctx, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

// command runs in the folder's own repository, whatever repository the environment names.
func (r repository) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", r.dir}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") })
	return cmd
}

// lost is the base of a repository in which none was found. What was deleted cannot be seen then, so it is no reason to pass.
func (r repository) lost(ctx context.Context) Base {
	why := "no branch to compare with was found"
	if named := targets(); len(named) > 0 {
		why = fmt.Sprintf("the branch %s, which this is to be merged into, is not here", named[0])
	}
	if shallow, err := r.git(ctx, "rev-parse", "--is-shallow-repository"); err == nil && shallow == "true" {
		why += ": this clone is shallow, fetch all of it (fetch-depth: 0, or GIT_DEPTH: 0)"
	} else {
		why += ": name one with --base"
	}
	return Base{Name: "not found", Err: why}
}

// fork returns the revisions to compare with and their name: where this branch left the one it is
// to be merged into. On that branch itself it is what a CI system says was there before the push, or the commit before, and the last
// commit too while files are changed. Where there is nothing to compare with, there are none and name says why; where something should be and is not here, name is empty, too.
func (r repository) fork(ctx context.Context) (refs []string, name string) {
	head, err := r.git(ctx, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return nil, "there is no commit yet"
	}
	for _, branch := range branches() {
		tip, err := r.git(ctx, "rev-parse", "--verify", "--quiet", branch+"^{commit}")
		if err != nil {
			continue
		}
		base, err := r.git(ctx, "merge-base", tip, head)
		if err != nil {
			return nil, "" // their histories do not meet as far as they are here
		}
		if base != head {
			return []string{base}, fmt.Sprintf("%s (%.12s)", branch, base)
		}
		return r.own(ctx, head)
	}
	return nil, ""
}

// own is the base of the branch that others are merged into.
func (r repository) own(ctx context.Context, head string) (refs []string, name string) {
	if pushed := pushedOnto(); pushed != "" {
		before, err := r.commit(ctx, pushed)
		if err != nil {
			return nil, ""
		}
		return []string{before}, fmt.Sprintf("what was there before the push (%.12s)", before)
	}
	before, err := r.git(ctx, "rev-parse", "--verify", "--quiet", head+"^")
	if err == nil {
		refs, name = []string{before}, fmt.Sprintf("the commit before (%.12s)", before)
	} else if shallow, err := r.git(ctx, "rev-parse", "--is-shallow-repository"); err != nil || shallow == "true" {
		return nil, "" // it has one before, which is not here
	}
	if changes, err := r.git(ctx, "status", "--porcelain", "--untracked-files=no", "--", "."); err != nil || changes != "" {
		return append(refs, head), strings.TrimPrefix(name+fmt.Sprintf(" and the last commit (%.12s)", head), " and ")
	}
	if refs == nil {
		return nil, "this is the first commit"
	}
	return refs, name
}

// pushedOnto returns the commit that a CI system says a push went onto, "" for none.
func pushedOnto() string {
	before := os.Getenv("CI_COMMIT_BEFORE_SHA")
	if text, err := os.ReadFile(os.Getenv("GITHUB_EVENT_PATH")); err == nil && os.Getenv("GITHUB_EVENT_NAME") == "push" {
		var event struct{ Before string }
		if json.Unmarshal(text, &event) == nil {
			before = event.Before
		}
	}
	if strings.Trim(before, "0") == "" { // a new branch
		return ""
	}
	return before
}

// branches are where a change may be headed: what a CI system says, and only where none does the usual names.
func branches() []string {
	if named := targets(); len(named) > 0 {
		return named
	}
	return []string{"origin/HEAD", "origin/main", "origin/master", "main", "master"}
}

// targets are the names of the branch that a CI system says this is to be merged into.
func targets() []string {
	for _, variable := range []string{"GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET"} {
		if name := os.Getenv(variable); name != "" {
			return []string{"origin/" + name, name}
		}
	}
	return nil
}

// declaration reads the project as it was at a revision. A project that was not there asked for nothing; one that was elsewhere is read there.
func (r repository) declaration(ctx context.Context, project *spec.Project, ref string) (evidence.Declaration, error) {
	var none evidence.Declaration
	top, err := r.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return none, err
	}
	prefix, err := r.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return none, err
	}
	if _, err := r.commit(ctx, ref); err != nil {
		return none, fmt.Errorf("no revision is called %q", ref)
	}
	root := repository{top}
	file := path.Join(prefix, filepath.Base(project.File))
	if _, err := root.git(ctx, "cat-file", "-e", ref+":"+file); err != nil {
		if file, err = root.moved(ctx, ref, project.Name); err != nil || file == "" {
			return evidence.Declaration{System: project.Name}, err
		}
	}
	dir, err := os.MkdirTemp("", "assay-base-")
	if err != nil {
		return none, err
	}
	defer os.RemoveAll(dir)
	if err := root.extract(ctx, ref, path.Dir(file), dir); err != nil {
		return none, err
	}
	was, err := spec.Load(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return none, errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ref+":"))
	}
	return run.Declare(was), nil
}

// moved finds the file that described a system of that name, "" for none.
func (r repository) moved(ctx context.Context, ref, system string) (string, error) {
	pattern := `^system: *["']?` + regexp.QuoteMeta(system) + `["']? *(#.*)?$`
	out, err := r.git(ctx, "grep", "-l", "-E", pattern, ref, "--", "*.yaml", "*.yml")
	if out == "" {
		return "", nil // git says so by an exit code, too
	}
	first, _, more := strings.Cut(out, "\n")
	if more {
		return "", fmt.Errorf("several files describe a system %s there: %s", system, strings.ReplaceAll(out, "\n", ", "))
	}
	return strings.TrimPrefix(first, ref+":"), err
}

// extract writes a folder as it was at a revision to dir, below its own name. It reads git's objects themselves: an archive would leave out what attributes say.
func (r repository) extract(ctx context.Context, ref, folder, dir string) error {
	listed, err := r.command(ctx, "ls-tree", "-r", "-z", "--full-tree", ref, "--", folder+"/").Output()
	if folder == "." {
		listed, err = r.command(ctx, "ls-tree", "-r", "-z", "--full-tree", ref).Output()
	}
	if err != nil {
		return fmt.Errorf("git ls-tree %s: %w", ref, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var names []string
	var objects strings.Builder
	for _, entry := range strings.Split(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if field := strings.Fields(about); len(field) == 3 && strings.HasPrefix(field[0], "100") { // a regular file; a declaration needs no links
			names = append(names, name)
			fmt.Fprintln(&objects, field[2])
		}
	}
	return r.write(ctx, root, names, objects.String())
}

// write writes git's objects, a line each, under names.
func (r repository) write(ctx context.Context, root *os.Root, names []string, objects string) error {
	cmd := r.command(ctx, "cat-file", "--batch")
	cmd.Stdin = strings.NewReader(objects)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	in := bufio.NewReader(bytes.NewReader(out))
	for _, name := range names {
		var object, kind string
		var size int64
		if _, err := fmt.Fscanf(in, "%s %s %d\n", &object, &kind, &size); err != nil {
			return fmt.Errorf("git cat-file: %s: %w", name, err)
		}
		if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
			return err
		}
		file, err := root.Create(name)
		if err != nil {
			return err
		}
		_, err = io.CopyN(file, in, size)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
		if _, err := in.Discard(1); err != nil { // the line's end
			return err
		}
	}
	return nil
}

// commit resolves what names a commit to the whole name, and says whether it is here.
func (r repository) commit(ctx context.Context, name string) (string, error) {
	return r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
}
