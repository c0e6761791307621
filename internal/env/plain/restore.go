package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// Checkpoint stops all instances, keeps a copy of their data, and starts them
// again; it returns when all are ready. One-shots that completed are not run again: their effect is in the copy.
func (e *Env) Checkpoint(ctx context.Context) error {
	release, err := e.exclusive(ctx)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer release()
	ctx, cancel := e.alive(ctx)
	defer cancel()
	if err := e.stopAll(ctx, (*node).stop); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := e.copyGolden(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	e.hasGolden = true
	for _, g := range e.groups {
		g.keep()
	}
	if err := e.startAll(ctx); err != nil {
		return fmt.Errorf("checkpoint: start again: %w", err)
	}
	return nil
}

func (e *Env) copyGolden(ctx context.Context) error {
	fresh := e.golden() + ".new"
	if err := errors.Join(removeAll(fresh), removeAll(e.golden())); err != nil {
		return err
	}
	if err := copyTree(ctx, filepath.Join(e.opts.StateDir, "data"), fresh); err != nil {
		return err
	}
	return os.Rename(fresh, e.golden())
}

func (e *Env) golden() string { return filepath.Join(e.opts.StateDir, "golden") }

// Restore clears all rules, kills all instances, gives them the data of the last
// checkpoint (none, where there was no checkpoint), and starts them; it returns when all are ready.
func (e *Env) Restore(ctx context.Context) error {
	release, err := e.exclusive(ctx)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer release()
	ctx, cancel := e.alive(ctx)
	defer cancel()
	if err := e.clearRules(); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	group, all := errgroup.WithContext(ctx)
	for _, n := range e.nodes {
		group.Go(func() error { return n.reset(all) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	for _, g := range e.groups {
		g.restore()
	}
	e.mesh.Recount()
	if err := e.startAll(ctx); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// reset kills the instance and puts its data back. The data is thrown away, so
// there is nothing that a graceful stop would save.
func (n *node) reset(ctx context.Context) error {
	release, err := n.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := n.kill(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", n.inst.Name, err)
	}
	if err := removeAll(n.data); err != nil {
		return fmt.Errorf("data of %s: %w", n.inst.Name, err)
	}
	if !n.env.hasGolden {
		n.mu.Lock()
		n.ended = false // what a one-shot did is gone with the data
		n.mu.Unlock()
		return os.MkdirAll(n.data, 0o755)
	}
	if err := copyTree(ctx, filepath.Join(n.env.golden(), n.inst.Name), n.data); err != nil {
		return fmt.Errorf("data of %s: %w", n.inst.Name, err)
	}
	return nil
}

// copyTree copies folders, files and symbolic links with their permissions.
// Sockets and pipes are left out: they mean nothing without the process that made them.
func copyTree(ctx context.Context, from, to string) error {
	type folder struct {
		path string
		mode fs.FileMode
	}
	var folders []folder
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch info.Mode().Type() {
		case fs.ModeDir:
			folders = append(folders, folder{target, info.Mode().Perm()})
			return os.MkdirAll(target, 0o700)
		case fs.ModeSymlink:
			return copyLink(path, target)
		case 0:
			return copyFile(path, target, info.Mode().Perm())
		}
		return nil
	})
	// Permissions come last: a folder may forbid to write into it.
	for i := len(folders) - 1; i >= 0 && err == nil; i-- {
		err = os.Chmod(folders[i].path, folders[i].mode)
	}
	return err
}

func copyLink(from, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	return os.Symlink(target, to)
}

// copyFile lets the kernel share or copy the blocks where it can: io.Copy between
// files is copy_file_range.
func copyFile(from, to string, mode fs.FileMode) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Chmod(mode)
}

// removeAll is os.RemoveAll for trees that may hold folders without write permission.
func removeAll(path string) error {
	err := os.RemoveAll(path)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			_ = os.Chmod(path, 0o700) // RemoveAll reports what this could not help
		}
		return nil
	})
	return os.RemoveAll(path)
}
