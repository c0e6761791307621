package disk

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Mkdir makes a directory.
func (d *Disk) Mkdir(name string, perm fs.FileMode) error {
	hit := d.enter(Mkdir, name)
	defer d.mu.Unlock()
	if hit.err != nil {
		return fail("mkdir", name, hit.err)
	}
	return fail("mkdir", name, d.mkdir(name, perm))
}

func (d *Disk) mkdir(name string, perm fs.FileMode) error {
	p, err := d.find(name, syscall.EEXIST)
	if err != nil {
		return err
	}
	if p.node != nil {
		return syscall.EEXIST
	}
	d.add(p, "mkdir "+p.at, d.newDir(perm))
	return nil
}

// add gives a new node its first name.
func (d *Disk) add(p place, what string, n *node) {
	n.path = p.at
	d.link(what, entry{p.dir, p.base, n})
}

// MkdirAll makes a directory and all above it that are missing.
func (d *Disk) MkdirAll(name string, perm fs.FileMode) error {
	at, err := clean(name)
	if err != nil {
		return fail("mkdir", name, err)
	}
	for i := range len(at) + 1 {
		if i < len(at) && at[i] != '/' {
			continue
		}
		if info, err := d.Stat("/" + at[:i]); err == nil && info.IsDir() {
			continue
		} else if err == nil {
			return fail("mkdir", at[:i], syscall.ENOTDIR)
		}
		if err := d.Mkdir(at[:i], perm); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// Remove removes a file's name or an empty directory. An open file stays readable until it is closed.
func (d *Disk) Remove(name string) error {
	hit := d.enter(Remove, name)
	defer d.mu.Unlock()
	if hit.err != nil {
		return fail("remove", name, hit.err)
	}
	return fail("remove", name, d.remove(name))
}

func (d *Disk) remove(name string) error {
	p, err := d.find(name, syscall.EBUSY)
	if err != nil {
		return err
	}
	if p.node == nil {
		return syscall.ENOENT
	}
	if len(p.node.names) > 0 {
		return syscall.ENOTEMPTY
	}
	d.link("remove "+p.at, entry{p.dir, p.base, nil})
	d.release(p.node)
	return nil
}

// release gives back the pages of a file that has neither names nor handles.
func (d *Disk) release(n *node) {
	if n != nil && n.links == 0 && n.opens == 0 {
		d.used -= n.now.used
	}
}

// RemoveAll removes a path and all below it. It is no error if there is nothing.
func (d *Disk) RemoveAll(name string) error {
	if name == "" {
		return nil
	}
	if base := path.Base(name); base == "." {
		return fail("RemoveAll", name, syscall.EINVAL)
	}
	err := d.Remove(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !errors.Is(err, syscall.ENOTEMPTY) {
		return err
	}
	entries, err := d.ReadDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.RemoveAll(path.Join(name, e.Name())); err != nil {
			return err
		}
	}
	return d.Remove(name)
}

// Rename moves a file or a directory; a file that has the new name is replaced.
func (d *Disk) Rename(oldname, newname string) error {
	hit := d.enter(Rename, oldname)
	defer d.mu.Unlock()
	err := hit.err
	if err == nil {
		err = d.rename(oldname, newname)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (d *Disk) rename(oldname, newname string) error {
	from, err := d.find(oldname, syscall.EBUSY)
	if err != nil {
		return err
	}
	to, err := d.find(newname, syscall.EEXIST)
	if err != nil {
		return err
	}
	switch {
	case from.node == nil:
		return syscall.ENOENT
	case to.node != nil && to.node.dir:
		return syscall.EEXIST // as os says it, for empty ones too
	case from.node == to.node:
		return nil // names of one file: both stay
	case from.node.dir && strings.HasPrefix(to.at+"/", from.at+"/"):
		return syscall.EINVAL
	case from.node.dir && to.node != nil:
		return syscall.ENOTDIR
	}
	if to.node != nil {
		d.flushed(from.node)
	}
	from.node.path = to.at
	d.link("rename "+from.at+" to "+to.at, entry{to.dir, to.base, from.node}, entry{from.dir, from.base, nil})
	d.release(to.node)
	return nil
}

// Link gives a file a second name.
func (d *Disk) Link(oldname, newname string) error {
	hit := d.enter(Link, oldname)
	defer d.mu.Unlock()
	err := hit.err
	if err == nil {
		err = d.hardlink(oldname, newname)
	}
	if err != nil {
		return &os.LinkError{Op: "link", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (d *Disk) hardlink(oldname, newname string) error {
	at, err := clean(oldname)
	if err != nil {
		return err
	}
	n, err := d.lookup(at)
	if err != nil {
		return err
	}
	p, err := d.find(newname, syscall.EEXIST)
	if err != nil {
		return err
	}
	if p.node != nil {
		return syscall.EEXIST
	}
	if n.dir {
		return syscall.EPERM
	}
	d.link("link "+p.at, entry{p.dir, p.base, n})
	return nil
}

// Chmod changes the permission bits.
func (d *Disk) Chmod(name string, mode fs.FileMode) error {
	hit := d.enter(Chmod, name)
	defer d.mu.Unlock()
	n, err := d.at(name, hit)
	if err != nil {
		return fail("chmod", name, err)
	}
	d.chmod(n, mode)
	return nil
}

// chmod changes a mode. That of a directory is durable at once.
func (d *Disk) chmod(n *node, mode fs.FileMode) {
	n.mode = mode.Perm()
	if !n.dir {
		d.remember(n, op{kind: chmod, size: n.now.size, mode: n.mode})
	}
}

// Chtimes changes the time of modification; the time of access is not kept. A zero mtime leaves it.
func (d *Disk) Chtimes(name string, _, mtime time.Time) error {
	hit := d.enter(Chmod, name)
	defer d.mu.Unlock()
	n, err := d.at(name, hit)
	if err != nil {
		return fail("chtimes", name, err)
	}
	if !mtime.IsZero() {
		n.mtime = mtime
	}
	return nil
}

// Truncate changes a file's size.
func (d *Disk) Truncate(name string, size int64) error {
	hit := d.enter(Truncate, name)
	defer d.mu.Unlock()
	if size < 0 && hit.err == nil {
		hit.err = syscall.EINVAL
	}
	n, err := d.at(name, hit)
	if err == nil {
		err = d.resize(n, size)
	}
	return fail("truncate", name, err)
}

// Stat describes what is at a path.
func (d *Disk) Stat(name string) (fs.FileInfo, error) {
	hit := d.enter(Stat, name)
	defer d.mu.Unlock()
	n, err := d.at(name, hit)
	if err != nil {
		return nil, fail("stat", name, err)
	}
	return n.info(base(name)), nil
}

// Lstat is Stat: there are no symbolic links.
func (d *Disk) Lstat(name string) (fs.FileInfo, error) { return d.Stat(name) }

// at finds the node at a path, unless a fault struck.
func (d *Disk) at(name string, hit hit) (*node, error) {
	if hit.err != nil {
		return nil, hit.err
	}
	at, err := clean(name)
	if err != nil {
		return nil, err
	}
	return d.lookup(at)
}

// ReadDir lists a directory, sorted by name.
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !f.node.dir {
		return nil, fail("open", name, syscall.ENOTDIR)
	}
	return f.ReadDir(-1)
}

// SyncDir makes the names in a directory durable, as the sync of its handle does.
func (d *Disk) SyncDir(name string) error {
	f, err := d.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// ReadFile reads a whole file.
func (d *Disk) ReadFile(name string) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readAll(f, info.Size())
}

// WriteFile writes a whole file, which it makes or truncates. Nothing is synced.
func (d *Disk) WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := d.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// CreateTemp makes a file of a new name in dir ("" is /tmp, which must exist). A number takes the place of the last * in
// pattern; numbers are counted, so that equal runs make equal names.
func (d *Disk) CreateTemp(dir, pattern string) (*File, error) {
	for {
		f, err := d.OpenFile(d.temp(dir, pattern), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// MkdirTemp makes a directory of a new name, as CreateTemp does.
func (d *Disk) MkdirTemp(dir, pattern string) (string, error) {
	for {
		name := d.temp(dir, pattern)
		if err := d.Mkdir(name, 0o700); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}

func (d *Disk) temp(dir, pattern string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.temps++
	if dir == "" {
		dir = "/tmp"
	}
	i := strings.LastIndexByte(pattern, '*')
	if i < 0 {
		i, pattern = len(pattern), pattern+"*"
	}
	return path.Join(dir, pattern[:i]+strconv.Itoa(d.temps)+pattern[i+1:])
}

// sorted returns the names in a directory.
func (n *node) sorted() []string { return slices.Sorted(maps.Keys(n.names)) }
