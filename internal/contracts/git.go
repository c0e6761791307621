package contracts

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/assay-dev/assay/contract"
)

// A tree is a folder in a git repository.
type tree struct{ dir string }

func (t tree) git(ctx context.Context, args ...string) (string, error) {
	out, err := t.command(ctx, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSuffix(string(out), "\n"), err
}

// command runs in the folder's own repository, whatever repository the environment names.
func (t tree) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", t.dir}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") })
	return cmd
}

// atRevision opens a path of a revision. It is of the repository's top, as git has it, or with ./ of this folder.
func atRevision(ctx context.Context, t tree, rev, in, name string) (version, error) {
	top, err := t.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return version{}, &Error{fmt.Sprintf("%s: there is no such file, and no git repository here to look for the revision %q in", name, rev)}
	}
	commit, err := t.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return version{}, &Error{fmt.Sprintf("%s: there is no such file, and no revision is called %q (fetch it, or see git branch -a)", name, rev)}
	}
	if strings.HasPrefix(in, "./") || strings.HasPrefix(in, "../") || in == "." {
		here, err := t.git(ctx, "rev-parse", "--show-prefix")
		if err != nil {
			return version{}, err
		}
		in = path.Join(here, in)
	}
	if in = path.Clean(in); !fs.ValidPath(in) {
		return version{}, &Error{fmt.Sprintf("%s: the path leads out of the repository %s", name, top)}
	}
	files, err := tree{top}.list(ctx, commit)
	if err != nil {
		return version{}, err
	}
	v := version{Source: contract.Source{Name: name, FS: files, Path: in}, prefix: rev + ":", close: func() error { return nil }}
	info, err := fs.Stat(files, in)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for at := in; at != "."; at = path.Dir(at) {
			if what := files.links[at]; what != "" {
				return version{}, &Error{fmt.Sprintf("%s: at that revision %s is %s, which is not read through (name what it leads to, or compare in the repository that it is of)", name, at, what)}
			}
		}
		v.gone = true
		return v, nil
	case err != nil:
		return version{}, &Error{fmt.Sprintf("%s: %v", name, err)}
	}
	if v.folder = info.IsDir(); !v.folder {
		return v, nil
	}
	if err := files.fetch(in); err != nil {
		return version{}, err
	}
	v.FS, err = fs.Sub(files, in)
	v.Path, v.prefix = ".", rev+":"+in
	return v, err
}

// A revision is the files of a commit as a file system. Contents are read when they are opened. Safe for concurrent use.
type revision struct {
	tree    tree
	ctx     context.Context //nolint:containedctx // the life of one command, which the files belong to
	objects map[string]object
	links   map[string]string // what is no file of ours: symbolic links and submodules
	folders map[string][]fs.DirEntry
	mu      sync.Mutex
	texts   map[string][]byte
}

type object struct {
	id   string
	size int64
}

// list reads the tree of a commit.
func (t tree) list(ctx context.Context, commit string) (*revision, error) {
	out, err := t.command(ctx, "ls-tree", "-r", "-z", "-l", "--full-tree", commit).Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-tree %s: %w", commit, err)
	}
	r := &revision{tree: t, ctx: ctx, objects: map[string]object{}, links: map[string]string{}, texts: map[string][]byte{}}
	for _, entry := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		field := strings.Fields(about)
		if what := map[string]string{"120000": "a symbolic link", "160000": "a submodule"}[strings.TrimSpace(field[0])]; what != "" {
			r.links[name] = what
		}
		if len(field) != 4 || !strings.HasPrefix(field[0], "100") || !fs.ValidPath(name) { // no links and no modules
			continue
		}
		size, err := strconv.ParseInt(field[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("git ls-tree %s: %q is no size of %s", commit, field[3], name)
		}
		r.objects[name] = object{field[2], size}
	}
	r.folders = folders(r.objects)
	return r, nil
}

// Open implements fs.FS. A file that is too large to be read opens, so that its size can be seen.
func (r *revision) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	about := entry{name: path.Base(name)}
	if list, ok := r.folders[name]; ok {
		about.folder = true
		return &listing{about, list}, nil
	}
	object, ok := r.objects[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if about.size = object.size; about.size > contract.MaxFile {
		return opened{entry: about}, nil
	}
	text, err := r.text(name, object)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return opened{about, bytes.NewReader(text)}, nil
}

// text reads one file's content, once.
func (r *revision) text(name string, o object) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text, ok := r.texts[name]; ok {
		return text, nil
	}
	text, err := r.tree.command(r.ctx, "cat-file", "blob", o.id).Output()
	if err != nil {
		return nil, fmt.Errorf("git cat-file %s: %w", o.id, err)
	}
	r.texts[name] = text
	return text, nil
}

// most is how much of a folder is read at once; what goes beyond is read file by file when it is opened.
const most = 256 << 20

// fetch reads the files of a folder that may be contracts, by one process.
func (r *revision) fetch(folder string) error {
	var names []string
	var ids strings.Builder
	total := int64(0)
	for name, o := range r.objects {
		inside := folder == "." || strings.HasPrefix(name, folder+"/")
		if !inside || !candidate(name) || o.size > contract.MaxFile || total+o.size > most {
			continue
		}
		total += o.size
		names = append(names, name)
		fmt.Fprintln(&ids, o.id)
	}
	cmd := r.tree.command(r.ctx, "cat-file", "--batch")
	cmd.Stdin = strings.NewReader(ids.String())
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git cat-file: %w", err)
	}
	in := bufio.NewReader(bytes.NewReader(out))
	for _, name := range names {
		var id, kind string
		var size int64
		if _, err := fmt.Fscanf(in, "%s %s %d\n", &id, &kind, &size); err != nil {
			return fmt.Errorf("git cat-file: %s: %w", name, err)
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil {
			return fmt.Errorf("git cat-file: %s: %w", name, err)
		}
		if _, err := in.Discard(1); err != nil {
			return fmt.Errorf("git cat-file: %s: %w", name, err)
		}
		r.texts[name] = text
	}
	return nil
}
