package disk_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/sim/disk"
)

// A done is one operation of a small history, for the disk and for the enumerator. Files lie in the root.
type done struct {
	op   string // write, truncate, sync, syncdir, create, rename, remove
	file string
	to   string
	off  int
	size int
	fill byte
}

func (o done) String() string {
	switch o.op {
	case "write":
		return fmt.Sprintf("write(%s, %d+%d, %c)", o.file, o.off, o.size, o.fill)
	case "truncate":
		return fmt.Sprintf("truncate(%s, %d)", o.file, o.size)
	case "rename":
		return fmt.Sprintf("rename(%s, %s)", o.file, o.to)
	}
	return fmt.Sprintf("%s(%s)", o.op, o.file)
}

func (o done) do(d *disk.Disk) error {
	if o.op == "write" || o.op == "sync" || o.op == "create" {
		flag := os.O_RDWR
		if o.op == "create" {
			flag |= os.O_CREATE | os.O_EXCL
		}
		f, err := d.OpenFile(o.file, flag, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		switch o.op {
		case "write":
			_, err = f.WriteAt([]byte(strings.Repeat(string(o.fill), o.size)), int64(o.off))
		case "sync":
			err = f.Sync()
		}
		return err
	}
	switch o.op {
	case "truncate":
		return d.Truncate(o.file, int64(o.size))
	case "rename":
		return d.Rename(o.file, o.to)
	case "remove":
		return d.Remove(o.file)
	}
	return d.SyncDir("/")
}

// A past is all that a file ever was, whole, by steps: one for each sector of a write and one for each
// truncation. The enumerator needs no more, and shares no code with the disk.
type past struct {
	at     []string // contents; at[0] is what was synced
	when   []int    // the operation that led to it
	kind   []string // "write", "truncate", "flush" or "" for the first
	pinned int      // ext4: the last step that the journal's certain part has
	empty  bool     // ext4: cut to nothing since it was last closed
	about  int      // ext4: the last operation that put something about it in the journal
}

func (p *past) add(op int, kind, content string) {
	p.at, p.when, p.kind = append(p.at, content), append(p.when, op), append(p.kind, kind)
}

func (p *past) last() string { return p.at[len(p.at)-1] }

// A world is the history as the enumerator sees it.
type world struct {
	profile disk.Profile
	sector  int
	names   map[string]*past // as seen
	durable map[string]*past
	changes []nameChange // not durable
	step    int
	about   int // as of a file
}

type nameChange struct {
	set map[string]*past // nil: gone
	op  int
}

func (w *world) change(set map[string]*past) {
	w.about = w.step
	for name, p := range set {
		if old := w.names[name]; old != nil {
			old.about = w.step
		}
		if p != nil {
			p.about = w.step
		}
		if p == nil {
			delete(w.names, name)
		} else {
			w.names[name] = p
		}
	}
	w.changes = append(w.changes, nameChange{set, w.step})
}

func (w *world) syncNames(until int) {
	for len(w.changes) > 0 && w.changes[0].op <= until {
		apply(w.durable, w.changes[0])
		w.changes = w.changes[1:]
	}
}

func apply(names map[string]*past, c nameChange) {
	for name, p := range c.set {
		if p == nil {
			delete(names, name)
		} else {
			names[name] = p
		}
	}
}

// next does an operation, and what a sync makes of it.
func (w *world) next(o done) {
	w.do(o)
	if o.op == "sync" || o.op == "syncdir" {
		w.fold(o)
	}
}

func (w *world) do(o done) {
	w.step++
	p := w.names[o.file]
	switch o.op {
	case "create":
		p = &past{}
		p.add(w.step, "", "")
		w.change(map[string]*past{o.file: p})
	case "write":
		for off := o.off; off < o.off+o.size; {
			end := min((off/w.sector+1)*w.sector, o.off+o.size)
			b := []byte(p.last())
			b = append(b, make([]byte, max(0, end-len(b)))...)
			copy(b[off:end], strings.Repeat(string(o.fill), end-off))
			p.add(w.step, "write", string(b))
			off = end
		}
		w.close(p)
	case "truncate":
		if b := p.last(); o.size != len(b) {
			p.add(w.step, "truncate", (b + strings.Repeat("\x00", max(0, o.size-len(b))))[:o.size])
			w.changes = append(w.changes, nameChange{op: w.step})
			p.about, p.empty = w.step, p.empty || o.size == 0
		}
	case "rename":
		if w.names[o.to] != nil && w.names[o.to] != p && len(p.at) > 1 && w.profile == disk.Ext4Ordered {
			p.add(w.step, "flush", p.last())
		}
		if o.file != o.to {
			w.change(map[string]*past{o.to: p, o.file: nil})
		}
	case "remove":
		w.change(map[string]*past{o.file: nil})
	}
}

// close is of a handle: what was emptied and written again goes to the disk.
func (w *world) close(p *past) {
	if p.empty && w.profile == disk.Ext4Ordered {
		w.step++
		p.add(w.step, "flush", p.last())
		w.changes = append(w.changes, nameChange{op: w.step})
		p.about = w.step
	}
	p.empty = false
}

// The enumerator: all states of all names, each with all states of its file, as texts.

func (w *world) states() map[string]bool {
	all := map[string]bool{}
	if w.profile == disk.Posix {
		var real []nameChange
		for _, c := range w.changes {
			if c.set != nil {
				real = append(real, c)
			}
		}
		for subset := range 1 << len(real) {
			names := maps.Clone(w.durable)
			for i, c := range real {
				if subset&(1<<i) != 0 {
					apply(names, c)
				}
			}
			w.contents(names, 1<<30, all)
		}
		return all
	}
	for kept := range len(w.changes) + 1 {
		names, lost := maps.Clone(w.durable), 1<<30
		for _, c := range w.changes[:kept] {
			apply(names, c)
		}
		if kept < len(w.changes) {
			lost = w.changes[kept].op
		}
		w.contents(names, lost, all)
	}
	return all
}

func (w *world) contents(names map[string]*past, lost int, all map[string]bool) {
	files := map[*past]string{} // and one of their names
	for name, p := range names {
		files[p] = name
	}
	sum := []map[*past]string{{}}
	for p := range files {
		var next []map[*past]string
		for content := range w.file(p, lost) {
			for _, s := range sum {
				s = maps.Clone(s)
				s[p] = content
				next = append(next, s)
			}
		}
		sum = next
	}
	for _, s := range sum {
		text := ""
		for _, name := range slices.Sorted(maps.Keys(names)) {
			text += fmt.Sprintf("%s=%s\n", name, brief(s[names[name]]))
		}
		all[text] = true
	}
}

// file returns all contents a file may have, if the first change of the journal that was lost is given.
func (w *world) file(p *past, lost int) map[string]bool {
	all := map[string]bool{}
	for size := range p.at { // the step of the size
		if w.sizeAllowed(p, size, lost) {
			parts := []string{""}
			for x := 0; x*w.sector < len(p.at[size]); x++ {
				var next []string
				for v := range w.sectorAt(p, size, x, lost) {
					for _, s := range parts {
						next = append(next, s+v)
					}
				}
				parts = next
			}
			for _, s := range parts {
				all[s] = true
			}
		}
	}
	return all
}

func (w *world) sizeAllowed(p *past, size, lost int) bool {
	if w.profile == disk.Posix {
		return true
	}
	if size > 0 && p.when[size] >= lost {
		return false // it would be in the journal after what was lost
	}
	for i := size + 1; i < len(p.at); i++ { // what is in the journal and was kept has set the size
		if (p.kind[i] == "truncate" || p.kind[i] == "flush") && p.when[i] < lost {
			return false
		}
	}
	return size >= p.pinned
}

// sectorAt returns all contents of sector x, given the step that the size is of.
func (w *world) sectorAt(p *past, size, x, lost int) map[string]bool {
	all := map[string]bool{}
	low, high := x*w.sector, min((x+1)*w.sector, len(p.at[size]))
versions:
	for v := range p.at {
		for i := 1; i < len(p.at); i++ {
			cut := p.kind[i] == "truncate" && len(p.at[i]) < len(p.at[i-1])
			if cut && i <= size && v < i && (x+1)*w.sector > len(p.at[i]) {
				continue versions // the size has the cut, the sector has not
			}
			if cut && i > size && v >= i && low >= len(p.at[i]) {
				continue versions // the other way round
			}
			grew := p.kind[i] == "write" && len(p.at[i]) > len(p.at[i-1])
			touches := grew && whole(p.at[i], low, low+w.sector) != whole(p.at[i-1], low, low+w.sector)
			if w.profile == disk.Ext4Ordered && touches && i <= size && v < i && w.bound(p, i, size) {
				continue versions // appended bytes go before the size
			}
		}
		all[whole(p.at[v], low, high)] = true
	}
	return all
}

// bound says that no truncation between the growth and the size frees the size of its bytes.
func (w *world) bound(p *past, grew, size int) bool {
	flushed := false
	free := false
	for i := grew + 1; i <= size; i++ {
		flushed = flushed || p.kind[i] == "flush"
		free = free || p.kind[i] == "truncate"
	}
	return flushed || !free
}

func whole(s string, low, high int) string {
	s += strings.Repeat("\x00", max(0, high-len(s)))
	return s[min(low, high):high]
}

// brief writes runs of equal bytes as their count.
func brief(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n := 1
		for i+n < len(s) && s[i+n] == s[i] {
			n++
		}
		fmt.Fprintf(&b, "%d%q", n, s[i])
		i += n
	}
	return b.String()
}

// shown is a disk as the enumerator shows it.
func shown(t tester, d *disk.Disk) string {
	entries, err := d.ReadDir("/")
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, e := range entries {
		b, err := d.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%s=%s\n", e.Name(), brief(string(b)))
	}
	return text
}

// fold makes what was synced the only past. Under ext4 it takes the journal along, up to what is about it.
func (w *world) fold(o done) {
	until := w.about
	if o.op == "sync" {
		p := w.names[o.file]
		if until = p.about; len(p.last()) > len(p.at[0]) {
			until = w.step // its size is the newest entry
		}
		*p = past{at: []string{p.last()}, when: []int{0}, kind: []string{""}, about: p.about}
		if w.profile == disk.Posix {
			return
		}
	}
	w.pin(until)
	w.syncNames(until)
}

// pin marks steps that the journal has for certain.
func (w *world) pin(until int) {
	if w.profile != disk.Ext4Ordered {
		return
	}
	for _, p := range w.all() {
		for i := range p.at {
			if (p.kind[i] == "truncate" || p.kind[i] == "flush") && p.when[i] <= until {
				p.pinned = i
			}
		}
	}
}

func (w *world) all() []*past {
	seen := map[*past]bool{}
	for _, names := range []map[string]*past{w.names, w.durable} {
		for _, p := range names {
			seen[p] = true
		}
	}
	for _, c := range w.changes {
		for _, p := range c.set {
			if p != nil {
				seen[p] = true
			}
		}
	}
	return slices.Collect(maps.Keys(seen))
}

func history(t *rapid.T, w *world) []done {
	var ops []done
	next := func(o done) {
		w.next(o)
		ops = append(ops, o)
	}
	if rapid.Bool().Draw(t, "durable at first") {
		for _, o := range []done{{op: "create", file: "a"}, {op: "write", file: "a", size: 1100, fill: '.'}, {op: "sync", file: "a"}, {op: "syncdir"}} {
			next(o)
		}
	}
	for range rapid.IntRange(1, 7).Draw(t, "length") {
		next(draw(t, w))
	}
	return ops
}

func draw(t *rapid.T, w *world) done {
	there := slices.Sorted(maps.Keys(w.names))
	kinds := []string{"create"}
	if len(there) > 0 {
		kinds = []string{"write", "write", "write", "truncate", "sync", "syncdir", "rename", "remove", "create"}
	}
	o := done{op: rapid.SampledFrom(kinds).Draw(t, "op")}
	if o.op == "create" {
		o.file = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "file")
		if w.names[o.file] != nil {
			o.op = "write"
		}
	} else {
		o.file = rapid.SampledFrom(there).Draw(t, "file")
	}
	switch o.op {
	case "write":
		o.off = rapid.SampledFrom([]int{0, 100, 512, 600, 1100}).Draw(t, "off")
		o.size = rapid.SampledFrom([]int{1, 300, 600}).Draw(t, "size")
		o.fill = 'a' + byte(w.step)
	case "truncate":
		o.size = rapid.SampledFrom([]int{0, 50, 512, 700, 1200}).Draw(t, "size")
	case "rename":
		o.to = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "to")
	}
	return o
}

// What the disk says a crash may leave is what an enumerator says that keeps every content each file ever
// had, and tries all combinations of them.
func TestStatesAreThoseOfTheEnumerator(t *testing.T) {
	t.Parallel()
	for _, profile := range []disk.Profile{disk.Posix, disk.Ext4Ordered} {
		t.Run(profile.String(), func(t *testing.T) {
			t.Parallel()
			for range 4 { // hundreds of histories
				rapid.Check(t, func(t *rapid.T) {
					w := &world{profile: profile, sector: 512, names: map[string]*past{}, durable: map[string]*past{}}
					compare(t, w, history(t, w))
				})
			}
		})
	}
}

// Histories that chance seldom makes.
func TestStatesOfRareHistories(t *testing.T) {
	t.Parallel()
	a, b := func(op string, size int) done { return done{op: op, file: "a", size: size, fill: 'a'} }, func(op string, size int) done {
		return done{op: op, file: "b", size: size, fill: 'b'}
	}
	for name, ops := range map[string][]done{
		"replaced, then longer":                {b("create", 0), a("create", 0), a("write", 1100), {op: "rename", file: "a", to: "b"}, b("truncate", 1200)},
		"emptied, written, closed, longer":     {a("create", 0), a("write", 600), a("truncate", 0), a("write", 1100), a("truncate", 1200)},
		"written, then longer":                 {a("create", 0), a("write", 1100), a("truncate", 1200), b("create", 0)},
		"the sync of a longer file":            {a("create", 0), a("write", 600), b("create", 0), a("sync", 0)},
		"the sync of bytes in place":           {a("create", 0), a("write", 600), a("sync", 0), b("create", 0), a("write", 100), a("sync", 0)},
		"the sync of a file that lost a name":  {a("create", 0), b("create", 0), b("write", 600), a("write", 5), {op: "rename", file: "a", to: "b"}, b("sync", 0)},
		"cut within a sector, then longer":     {a("create", 0), a("write", 1000), a("sync", 0), a("truncate", 700), a("truncate", 1000), {op: "syncdir"}},
		"a lost cut under bytes that are kept": {a("create", 0), a("write", 1500), a("sync", 0), {op: "syncdir"}, a("truncate", 512), {op: "write", file: "a", off: 600, size: 700, fill: 'z'}},
	} {
		for _, profile := range []disk.Profile{disk.Posix, disk.Ext4Ordered} {
			t.Run(name+"/"+profile.String(), func(t *testing.T) {
				t.Parallel()
				w := &world{profile: profile, sector: 512, names: map[string]*past{}, durable: map[string]*past{}}
				for _, o := range ops {
					w.next(o)
				}
				compare(t, w, ops)
			})
		}
	}
}

// tester is a test, or a check of one.
type tester interface {
	Fatal(...any)
	Fatalf(string, ...any)
	Skip(...any)
}

func compare(t tester, w *world, ops []done) {
	d := disk.New(disk.Options{Profile: w.profile})
	for _, o := range ops {
		if err := o.do(d); err != nil {
			t.Fatal(o, err)
		}
	}
	states, complete := d.States(3000)
	if !complete {
		t.Skip("too many states")
	}
	got := map[string]bool{}
	for _, s := range states {
		got[shown(t, s)] = true
	}
	want := w.states()
	for s := range want {
		if !got[s] {
			t.Fatalf("%v\nmissing:\n%s", ops, s)
		}
	}
	for s := range got {
		if !want[s] {
			t.Fatalf("%v\nimpossible:\n%s", ops, s)
		}
	}
	if a, b := shown(t, states[0]), shown(t, d); a != b {
		t.Fatalf("%v: the first state lost something:\n%s\nwas\n%s", ops, a, b)
	}
}
