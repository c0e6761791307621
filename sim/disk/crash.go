package disk

import (
	"fmt"
	"maps"
	"path"
	"slices"
)

// A Loss is something that processes had seen, and that a crash took.
type Loss struct {
	Path string // of the file, or of the directory whose names changed
	What string
	// Decisions is how many the crash had made by then: the last of them took it.
	Decisions int
}

// String returns the path and what was lost there.
func (l Loss) String() string { return l.Path + ": " + l.What }

// Crash takes the power away and brings the disk back with what it kept: what was synced, and of the rest
// what the profile allows and choose decides. choose(n) returns a number below n; 0 always means the least harm,
// so that smaller decisions are smaller crashes. A nil choose keeps only what was synced.
//
// Locks are free afterwards, handles return [syscall.EIO], and faults stay. It returns what was lost, in a fixed order.
func (d *Disk) Crash(choose func(n int) int) []Loss {
	d.mu.Lock()
	defer d.mu.Unlock()
	im := image{disk: d, made: map[*node]*node{}, choice: choice{choose: choose, each: choose == nil}}
	d.install(&im, im.tree())
	return im.losses
}

// install makes a tree that a crash left the one that processes see.
func (d *Disk) install(im *image, root *node) {
	d.root, d.used = root, im.used
	d.journal = nil
	d.epoch++
	d.halted = false
	d.unlocked.Broadcast()
}

// A choice makes the decisions of a crash.
type choice struct {
	choose func(n int) int // nil: the last of all
	each   bool            // decide each thing by itself, so that every state is reached
	count  int             // decisions so far
}

// pick returns a number below n. There is no decision among one.
func (c *choice) pick(n int) int {
	if n <= 1 {
		return 0
	}
	if c.choose == nil {
		return n - 1
	}
	c.count++
	i := c.choose(n)
	if i < 0 || i >= n {
		panic(fmt.Sprintf("disk: choose(%d) returned %d: want a number from 0 to %d", n, i, n-1))
	}
	return i
}

// An image is what a crash leaves, while it is being decided. It changes nothing of the disk.
type image struct {
	choice
	disk   *Disk
	made   map[*node]*node            // what became of nodes
	names  map[*node]map[string]*node // ext4: of directories that kept records of the journal change
	cut    uint64                     // ext4: the last entry of the journal that was kept
	used   int64
	losses []Loss
}

// tree decides the whole disk and returns its root.
func (im *image) tree() *node {
	if im.disk.profile == Ext4Ordered {
		im.prefix()
	}
	return im.dir(im.disk.root, "")
}

// prefix decides how much of the journal was kept.
func (im *image) prefix() {
	journal := im.disk.journal
	kept := len(journal) - im.pick(len(journal)+1)
	im.names, im.cut = map[*node]map[string]*node{}, im.disk.committed
	for _, r := range journal[:kept] {
		im.cut = r.seq
		for _, e := range r.entries {
			if im.names[e.dir] == nil {
				im.names[e.dir] = maps.Clone(e.dir.durableNames)
			}
			set(im.names[e.dir], e)
		}
	}
	for _, r := range journal[kept:] {
		if r.what != "" {
			im.lost(r.entries[0].dir, r.what+" was lost")
		}
	}
}

func set(names map[string]*node, e entry) {
	if e.to == nil {
		delete(names, e.name)
	} else {
		names[e.name] = e.to
	}
}

// dir decides a directory and all below it. Names are taken in order, so that the decisions come in the same order each time.
func (im *image) dir(n *node, at string) *node {
	made := im.disk.newDir(n.mode)
	made.mtime, made.path = n.mtime, at
	im.made[n] = made
	names := im.entries(n)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		child, below := names[name], path.Join(at, name)
		if child.dir && im.made[child] != nil {
			im.loses(at, "the second name "+name+" of a directory removed")
			continue // two halves of a rename: recovery leaves a directory one name
		}
		if im.made[child] == nil {
			im.child(child, below)
		}
		im.made[child].links++
		made.names[name] = im.made[child]
	}
	made.durableNames = maps.Clone(made.names)
	return made
}

func (im *image) child(n *node, at string) {
	if n.dir {
		im.dir(n, at)
		return
	}
	made := im.file(n, at)
	made.mtime, made.path = n.mtime, at
	im.made[n] = made
	im.used += made.now.used
}

// entries decides the names in a directory.
func (im *image) entries(n *node) map[string]*node {
	if names := im.names[n]; names != nil {
		return names
	}
	if len(n.changes) == 0 {
		return n.durableNames
	}
	names := maps.Clone(n.durableNames)
	mode := 2
	if !im.each && len(n.changes) > 1 {
		mode = im.pick(3)
	}
	for _, c := range n.changes {
		keep := mode == 0
		if mode == 2 {
			keep = im.pick(2) == 0
		}
		if !keep {
			im.lost(n, c.what+" was lost")
			continue
		}
		for _, e := range c.entries {
			set(names, e)
		}
	}
	return names
}

// lost notes a loss in a node that is named as it was last.
func (im *image) lost(n *node, what string) {
	im.loses(orDot(n.path), what)
}

func (im *image) loses(at, what string) {
	im.losses = append(im.losses, Loss{Path: at, What: what, Decisions: im.count})
}

func orDot(at string) string {
	if at == "" {
		return "."
	}
	return at
}
