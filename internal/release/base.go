package release

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/evidence"
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
	name := ref
	if ref == "" {
		ref, name = repo.fork(ctx)
	}
	switch {
	case ref == "" && name == "":
		return repo.lost(ctx)
	case ref == "":
		return Base{Name: name}
	}
	declaration, err := repo.declaration(ctx, project, ref)
	if err != nil {
		return Base{Name: name, Err: fmt.Sprintf("the base %s cannot be read: %v", name, err)}
	}
	return Base{Declaration: &declaration, Name: name}
}

// A repository is a folder in a git tree.
type repository struct{ dir string }

func (r repository) git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", r.dir}, args...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
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

// fork returns the revision to compare with and its name: where this branch left the one it is
// to be merged into. On that branch itself it is the last commit while there are changes, and else the one before. Where
// there is nothing to compare with, ref is empty and name says why; where something should be and is not here, name is empty, too.
func (r repository) fork(ctx context.Context) (ref, name string) {
	head, err := r.git(ctx, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return "", "there is no commit yet"
	}
	for _, branch := range branches() {
		tip, err := r.git(ctx, "rev-parse", "--verify", "--quiet", branch+"^{commit}")
		if err != nil {
			continue
		}
		base, err := r.git(ctx, "merge-base", tip, head)
		if err != nil {
			return "", "" // their histories do not meet as far as they are here
		}
		if base != head {
			return base, fmt.Sprintf("%s (%.12s)", branch, base)
		}
		return r.own(ctx, head)
	}
	return "", ""
}

// own is the base of the branch that others are merged into.
func (r repository) own(ctx context.Context, head string) (ref, name string) {
	if changes, err := r.git(ctx, "status", "--porcelain", "--", "."); err != nil || changes != "" {
		return head, fmt.Sprintf("the last commit (%.12s)", head)
	}
	before, err := r.git(ctx, "rev-parse", "--verify", "--quiet", head+"^")
	if err == nil {
		return before, fmt.Sprintf("the commit before (%.12s)", before)
	}
	if shallow, err := r.git(ctx, "rev-parse", "--is-shallow-repository"); err != nil || shallow == "true" {
		return "", "" // it has one before, which is not here
	}
	return "", "this is the first commit"
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

// declaration reads the project as it was at a revision. A project that was not there asked for nothing.
func (r repository) declaration(ctx context.Context, project *spec.Project, ref string) (evidence.Declaration, error) {
	var none evidence.Declaration
	prefix, err := r.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return none, err
	}
	if _, err := r.git(ctx, "rev-parse", "--verify", "--quiet", ref+"^{commit}"); err != nil {
		return none, fmt.Errorf("no revision is called %q", ref)
	}
	file := path.Join(prefix, filepath.Base(project.File))
	if _, err := r.git(ctx, "cat-file", "-e", ref+":"+file); err != nil {
		return evidence.Declaration{System: project.Name}, nil
	}
	dir, err := os.MkdirTemp("", "assay-base-")
	if err != nil {
		return none, err
	}
	defer os.RemoveAll(dir)
	if err := r.extract(ctx, ref, dir); err != nil {
		return none, err
	}
	was, err := spec.Load(filepath.Join(dir, filepath.Base(project.File)))
	if err != nil {
		return none, errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ref+":"+prefix))
	}
	return run.Declare(was), nil
}

// extract writes the folder as it was at a revision to dir.
func (r repository) extract(ctx context.Context, ref, dir string) error {
	archive, err := exec.CommandContext(ctx, "git", "-C", r.dir, "archive", "--format=tar", ref, ".").Output()
	if err != nil {
		return fmt.Errorf("git archive %s: %w", ref, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	files := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := files.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = place(root, header, files)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", ref, err)
		}
	}
}

// place writes one entry of an archive. Links are left out: a declaration needs none.
func place(root *os.Root, header *tar.Header, content io.Reader) error {
	name := path.Clean(header.Name)
	switch header.Typeflag {
	case tar.TypeDir:
		if err := root.Mkdir(name, 0o700); !errors.Is(err, fs.ErrExist) && name != "." {
			return err
		}
	case tar.TypeReg:
		file, err := root.Create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close())
	}
	return nil
}

// commit resolves what names a commit to the whole name, and says whether it is here.
func (r repository) commit(ctx context.Context, name string) (string, error) {
	return r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
}
