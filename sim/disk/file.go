package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// A File is a handle, as os.File is. It belongs to the processes of one boot: after a crash it
// returns [syscall.EIO].
type File struct {
	disk   *Disk
	node   *node
	name   string // as it was opened
	path   string // the clean path
	flag   int
	epoch  int
	pos    int64
	list   []string // of a directory: names not read yet
	listed bool
	closed bool
	failed int // failed syncs of the node that this handle has told of
	held   held
}

// Open opens a file or directory to read.
func (d *Disk) Open(name string) (*File, error) { return d.OpenFile(name, os.O_RDONLY, 0) }

// Create makes or truncates a file, to read and write.
func (d *Disk) Create(name string) (*File, error) {
	return d.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file with the flags of package os. O_SYNC makes each write durable before it returns.
func (d *Disk) OpenFile(name string, flag int, perm fs.FileMode) (*File, error) {
	hit := d.enter(Open, name)
	defer d.mu.Unlock()
	if hit.err != nil {
		return nil, fail("open", name, hit.err)
	}
	n, at, err := d.open(name, flag, perm)
	if err != nil {
		return nil, fail("open", name, err)
	}
	n.opens++
	return &File{disk: d, node: n, name: name, path: at, flag: flag, epoch: d.epoch, failed: n.failed}, nil
}

func writes(flag int) bool { return flag&(os.O_WRONLY|os.O_RDWR) != 0 }

func (d *Disk) open(name string, flag int, perm fs.FileMode) (*node, string, error) {
	at, err := clean(name)
	if err != nil {
		return nil, "", err
	}
	n, err := d.lookup(at)
	switch {
	case err != nil && (flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist)):
		return nil, "", err
	case err != nil:
		dir, base, err := d.parent(at)
		if err != nil {
			return nil, "", err
		}
		n = d.newFile(perm)
		d.add(place{at: at, dir: dir, base: base}, "create "+at, n)
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, "", syscall.EEXIST
	case n.dir && (writes(flag) || flag&(os.O_CREATE|os.O_TRUNC) != 0):
		return nil, "", syscall.EISDIR
	case flag&os.O_TRUNC != 0:
		return n, at, d.resize(n, 0)
	}
	return n, at, nil
}

// resize changes the size of a file.
func (d *Disk) resize(n *node, size int64) error {
	switch {
	case size < 0:
		return syscall.EINVAL
	case n.dir:
		return syscall.EISDIR
	case size > maxSize:
		return syscall.EFBIG
	case size == n.now.size:
		return nil
	}
	n.emptied = n.emptied || size == 0
	used := n.now.used
	n.now.resize(size)
	d.used += n.now.used - used
	n.mtime = d.now()
	d.resized(n)
	n.changed(nil, 0)
	return nil
}

// enter begins an operation on the handle. The disk is locked when it returns, whatever err is.
func (f *File) enter(op Op) (hit, error) {
	hit := f.disk.enter(op, f.path)
	switch {
	case f.closed:
		return hit, fs.ErrClosed
	case f.epoch != f.disk.epoch:
		return hit, syscall.EIO
	}
	return hit, hit.err
}

// Name returns the path as it was given when the file was opened.
func (f *File) Name() string { return f.name }

// Stat describes the file, whatever became of its name.
func (f *File) Stat() (fs.FileInfo, error) {
	_, err := f.enter(Stat)
	defer f.disk.mu.Unlock()
	if err != nil {
		return nil, fail("stat", f.name, err)
	}
	return f.node.info(base(f.name)), nil
}

// Read reads from the handle's position.
func (f *File) Read(b []byte) (int, error) {
	hit, err := f.enter(Read)
	defer f.disk.mu.Unlock()
	n, err := f.read(b, f.pos, hit, err)
	f.pos += int64(n)
	if n == 0 && len(b) > 0 && err == nil {
		return 0, io.EOF
	}
	return n, err
}

// ReadAt reads from off, and leaves the position alone.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fail("readat", f.name, errors.New("negative offset"))
	}
	if len(b) == 0 {
		return 0, nil // as os does, whatever the handle
	}
	hit, err := f.enter(Read)
	defer f.disk.mu.Unlock()
	n, err := f.read(b, off, hit, err)
	if n < len(b) && err == nil {
		err = io.EOF
	}
	return n, err
}

func (f *File) read(b []byte, off int64, hit hit, err error) (int, error) {
	switch {
	case err != nil:
	case len(b) == 0:
		return 0, nil
	case f.flag&os.O_WRONLY != 0:
		err = syscall.EBADF
	case f.node.dir:
		err = syscall.EISDIR
	}
	if err != nil {
		return 0, fail("read", f.name, err)
	}
	n := f.node.now.readAt(b, off)
	hit.flip(b[:n])
	return n, nil
}

// Write writes at the handle's position, or at the end of a file opened with O_APPEND.
func (f *File) Write(b []byte) (int, error) {
	hit, err := f.enter(Write)
	defer f.disk.mu.Unlock()
	off := f.pos
	if f.flag&os.O_APPEND != 0 {
		off = f.node.now.size
	}
	n, err := f.write(b, off, hit, err)
	if n > 0 {
		f.pos = off + int64(n)
	}
	return n, err
}

// WriteString is Write of a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes at off, and leaves the position alone.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	if f.flag&os.O_APPEND != 0 {
		return 0, errors.New("disk: invalid use of WriteAt on file opened with O_APPEND")
	}
	if off < 0 {
		return 0, fail("writeat", f.name, errors.New("negative offset"))
	}
	if len(b) == 0 {
		return 0, nil // as os does, whatever the handle
	}
	hit, err := f.enter(Write)
	defer f.disk.mu.Unlock()
	return f.write(b, off, hit, err)
}

func (f *File) write(b []byte, off int64, hit hit, err error) (int, error) {
	switch {
	case err != nil:
	case !writes(f.flag):
		err = syscall.EBADF
	case off+int64(len(b)) > maxSize || off+int64(len(b)) < 0:
		err = syscall.EFBIG
	}
	if err != nil {
		return 0, fail("write", f.name, err)
	}
	part, err := hit.cut(b, f.node, off)
	f.disk.write(f.node, part, off, hit)
	if f.flag&os.O_SYNC != 0 && err == nil {
		if _, err = f.flush(); err != nil {
			return 0, fail("write", f.name, err)
		}
	}
	if err == io.ErrShortWrite {
		return len(part), err // bare, as os returns it
	}
	return len(part), fail("write", f.name, err)
}

// write puts b at off and remembers it, as far as the fault lets it reach the disk.
func (d *Disk) write(n *node, b []byte, off int64, hit hit) {
	if len(b) == 0 {
		return
	}
	used := n.now.used
	n.now.writeAt(b, off)
	d.used += n.now.used - used
	n.mtime = d.now()
	n.changed(b, off)
	if !hit.astray(n, b, off) {
		d.wrote(n, b, off)
	}
}

// Truncate changes the file's size.
func (f *File) Truncate(size int64) error {
	_, err := f.enter(Truncate)
	defer f.disk.mu.Unlock()
	if err == nil && (!writes(f.flag) || size < 0) {
		err = syscall.EINVAL
	}
	if err == nil {
		err = f.disk.resize(f.node, size)
	}
	return fail("truncate", f.name, err)
}

// Sync makes the file durable, or the names in a directory. After an error the bytes that were to be written are
// given up, though they can still be read: a second Sync succeeds and writes nothing. Each handle
// that was open is told once.
func (f *File) Sync() error {
	hit := f.disk.enter(Sync, f.path)
	defer f.disk.mu.Unlock()
	err := f.usable()
	if err == nil {
		err = f.syncOr(hit)
	}
	return fail("sync", f.name, err)
}

func (f *File) usable() error {
	switch {
	case f.closed:
		return fs.ErrClosed
	case f.epoch != f.disk.epoch || f.disk.halted:
		return syscall.EIO
	}
	return nil
}

// flush is the sync within a write of a file opened with O_SYNC.
func (f *File) flush() (hit, error) {
	hit := f.disk.strike(Sync, f.path)
	return hit, f.syncOr(hit)
}

func (f *File) syncOr(hit hit) error {
	if hit.err != nil {
		if !f.node.dir {
			f.node.lose()
			f.failed = f.node.failed
		}
		return hit.err
	}
	f.disk.sync(f.node)
	if f.failed != f.node.failed {
		f.failed = f.node.failed
		return syscall.EIO
	}
	return nil
}

// Seek sets the position.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.usable()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += f.node.now.size
	default:
		err = errors.Join(err, syscall.EINVAL)
	}
	if err == nil && (offset < 0 || f.node.dir && offset != 0) {
		err = syscall.EINVAL
	}
	if err != nil {
		return 0, fail("seek", f.name, err)
	}
	f.pos, f.list, f.listed = offset, nil, false
	return offset, nil
}

// Chmod changes the permission bits.
func (f *File) Chmod(mode fs.FileMode) error {
	_, err := f.enter(Chmod)
	defer f.disk.mu.Unlock()
	if err == nil {
		f.disk.chmod(f.node, mode)
	}
	return fail("chmod", f.name, err)
}

// Close gives the handle back, and its lock.
func (f *File) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.usable(); err != nil {
		f.closed = true
		return fail("close", f.name, err)
	}
	f.closed = true
	f.node.watchers = slices.DeleteFunc(f.node.watchers, func(w watcher) bool { return w.by == f })
	f.unlock()
	if f.node.emptied {
		f.node.emptied = false
		f.disk.flushed(f.node)
	}
	f.node.opens--
	f.disk.release(f.node)
	return nil
}

// readAll reads to the end of a file that had the size.
func readAll(r io.Reader, size int64) ([]byte, error) {
	b := make([]byte, 0, size+1)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}
