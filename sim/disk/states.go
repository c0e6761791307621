package disk

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
)

// triesPerState bounds the work of States where many decisions lead to few states.
const triesPerState = 64

// States returns the states in which a crash now could leave the disk, each as a disk of its own without
// faults, and whether these are all of them. It returns no more than limit. The first is the one that
// lost nothing; the order is always the same. The disk itself goes on as if nothing had been asked.
func (d *Disk) States(limit int) (states []*Disk, complete bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := map[string]bool{}
	w := walk{}
	for range limit * triesPerState {
		im := image{disk: d, made: map[*node]*node{}, choice: choice{choose: w.choose, each: true}}
		root := im.tree()
		if key := fingerprint(root); !seen[key] {
			if len(states) == limit {
				return states, false
			}
			seen[key] = true
			state := New(Options{Profile: d.profile, Sector4K: d.sector == sector4K, Now: d.now, Sleep: d.sleep, Choose: d.choose})
			state.install(&im, root)
			states = append(states, state)
		}
		if !w.next() {
			return states, true
		}
	}
	return states, false
}

// A walk goes through all sequences of decisions, in order.
type walk struct {
	path, width []int
	at          int
}

func (w *walk) choose(n int) int {
	if w.at == len(w.path) {
		w.path, w.width = append(w.path, 0), append(w.width, n)
	}
	w.at++
	return w.path[w.at-1]
}

// next goes to the next sequence, if there is one.
func (w *walk) next() bool {
	w.at = 0
	for i := len(w.path) - 1; i >= 0; i-- {
		if w.path[i]+1 < w.width[i] {
			w.path[i]++
			w.path, w.width = w.path[:i+1], w.width[:i+1]
			return true
		}
	}
	return false
}

// Fingerprint returns a hash of all names, modes and bytes that processes see. Equal disks have equal
// fingerprints; times do not count, and which names are links of one file does not.
func (d *Disk) Fingerprint() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("%x", fingerprint(d.root))
}

func fingerprint(root *node) string {
	hash := sha256.New()
	w := bufio.NewWriterSize(hash, 1<<12)
	root.print(w, "")
	w.Flush() // a hash takes everything
	return string(hash.Sum(nil))
}

func (n *node) print(w io.Writer, at string) {
	if !n.dir {
		fmt.Fprintf(w, "%q %o %d\n", at, n.mode, n.now.size)
		buf := make([]byte, pageSize)
		for off := int64(0); off < n.now.size; off += pageSize {
			w.Write(buf[:n.now.readAt(buf, off)])
		}
		return
	}
	fmt.Fprintf(w, "%q/ %o\n", at, n.mode)
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		n.names[name].print(w, path.Join(at, name))
	}
}
