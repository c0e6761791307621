package disk

import "syscall"

// A watcher is told what processes read of a file.
type watcher struct {
	by  *File
	say func(b []byte, off, size int64)
}

// Watch tells changed what the file holds, now and after each change, until the handle is closed or the disk crashes: bytes at an
// offset, and the size. It is called with the disk locked, so it must not use it.
func (f *File) Watch(changed func(b []byte, off, size int64)) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.usable()
	if err == nil && f.node.dir {
		err = syscall.EISDIR
	}
	if err != nil {
		return fail("watch", f.name, err)
	}
	f.node.watchers = append(f.node.watchers, watcher{f, changed})
	changed(nil, 0, f.node.now.size)
	b := make([]byte, pageSize)
	for off := int64(0); off < f.node.now.size; off += pageSize {
		changed(b[:f.node.now.readAt(b, off)], off, f.node.now.size)
	}
	return nil
}

func (n *node) changed(b []byte, off int64) {
	for _, w := range n.watchers {
		w.say(b, off, n.now.size)
	}
}

// reread tells of a page that was dropped from the cache.
func (n *node) reread(page int64) {
	if len(n.watchers) > 0 {
		b := make([]byte, pageSize)
		n.changed(b[:n.now.readAt(b, page*pageSize)], page*pageSize)
	}
}
