package disk

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"
)

const (
	maxName = 255
	maxPath = 4095
)

// A node is a file or a directory, whatever names it has.
type node struct {
	dir   bool
	mode  fs.FileMode // as processes see it, permission bits alone
	mtime time.Time
	path  string // the last name it was given, for reports
	links int    // names, as processes see them
	opens int    // handles
	lock  flock

	// Of a file: what processes read, what a crash certainly keeps, and what lies between them.
	now, durable content
	durableMode  fs.FileMode
	pending      []op
	dirty        []byte             // bytes of the writes in pending
	stray        map[int64]struct{} // pages that differ on the disk from what processes read, with nothing pending
	failed       int                // syncs that failed
	emptied      bool               // cut to nothing since it was last closed
	watchers     []watcher

	// Of a directory.
	names, durableNames map[string]*node
	changes             []change // Posix: not durable yet

	last uint64 // the last entry of the journal about it
}

func (d *Disk) newDir(mode fs.FileMode) *node {
	return &node{dir: true, mode: mode.Perm(), mtime: d.now(), names: map[string]*node{}, durableNames: map[string]*node{}}
}

func (d *Disk) newFile(mode fs.FileMode) *node {
	mode = mode.Perm()
	return &node{mode: mode, durableMode: mode, mtime: d.now(), now: newContent(), durable: newContent()}
}

// clean returns the path below the root, "" for the root itself.
func clean(name string) (string, error) {
	if name == "" {
		return "", syscall.ENOENT
	}
	if strings.ContainsRune(name, 0) {
		return "", syscall.EINVAL
	}
	if len(name) > maxPath {
		return "", syscall.ENAMETOOLONG
	}
	return path.Clean("/" + name)[1:], nil
}

// lookup finds what is at a clean path.
func (d *Disk) lookup(at string) (*node, error) {
	n := d.root
	for at != "" {
		var elem string
		elem, at, _ = strings.Cut(at, "/")
		if !n.dir {
			return nil, syscall.ENOTDIR
		}
		if len(elem) > maxName {
			return nil, syscall.ENAMETOOLONG
		}
		if n = n.names[elem]; n == nil {
			return nil, syscall.ENOENT
		}
	}
	return n, nil
}

// parent finds the directory of a clean path, whether or not its last element exists there.
func (d *Disk) parent(at string) (dir *node, base string, err error) {
	i := strings.LastIndexByte(at, '/')
	base = at[i+1:]
	if dir, err = d.lookup(at[:max(i, 0)]); err != nil {
		return nil, "", err
	}
	if !dir.dir {
		return nil, "", syscall.ENOTDIR
	}
	if len(base) > maxName {
		return nil, "", syscall.ENAMETOOLONG
	}
	return dir, base, nil
}

// place is a name in a directory, and what is there now.
type place struct {
	at   string // the clean path
	dir  *node
	base string
	node *node // nil: nothing
}

// find returns the place of a path. The root has no place: err is what the caller says of it.
func (d *Disk) find(name string, root error) (place, error) {
	at, err := clean(name)
	if err != nil {
		return place{}, err
	}
	if at == "" {
		return place{}, root
	}
	dir, base, err := d.parent(at)
	if err != nil {
		return place{}, err
	}
	return place{at: at, dir: dir, base: base, node: dir.names[base]}, nil
}
