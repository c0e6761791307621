package release

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"github.com/assay-dev/assay/internal/spec"
)

// Fork returns the revisions that what is in a folder is compared with where nobody names one, and what they are called, as
// [FindBase] has it. Where there is nothing to compare with there are none, and name says why.
func Fork(ctx context.Context, dir string) (refs []string, name string) {
	repo := repository{dir}
	if _, err := repo.git(ctx, "rev-parse", "--git-dir"); err != nil {
		return nil, fmt.Sprintf("%s is in no git repository", dir)
	}
	if refs, name = repo.fork(ctx); len(refs) == 0 && name == "" {
		return nil, repo.lost(ctx).Err
	}
	return refs, name
}

// ProjectAt returns where a project's assay.yaml stood at a revision, below the repository's top, and what it said. A project that was
// not there yet has the path that it has now, and no content.
func ProjectAt(ctx context.Context, project *spec.Project, ref string) (file string, content []byte, err error) {
	repo := repository{project.Dir}
	top, err := repo.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", nil, err
	}
	prefix, err := repo.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return "", nil, err
	}
	commit, err := repo.commit(ctx, ref)
	if err != nil {
		return "", nil, fmt.Errorf("no revision is called %q", ref)
	}
	root, here := repository{top}, path.Join(prefix, filepath.Base(project.File))
	file = here
	if _, err := root.git(ctx, "cat-file", "-e", commit+":"+file); err != nil {
		if file, err = root.moved(ctx, commit, project.Name); err != nil || file == "" {
			return here, nil, err
		}
	}
	content, err = root.command(ctx, "cat-file", "blob", commit+":"+file).Output()
	return file, content, err
}
