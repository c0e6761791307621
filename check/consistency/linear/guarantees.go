package linear

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// The session guarantees, of a register for each key.
const (
	MonotonicReads    = "monotonic reads"     // no client reads an older value after a newer one
	ReadYourWrites    = "read your writes"    // no client reads an older value after it wrote one
	MonotonicWrites   = "monotonic writes"    // a client's writes are seen in the order in which it made them
	WritesFollowReads = "writes follow reads" // a client's write is seen after the values that it had read
)

// A Guarantee is a session guarantee and whether a history keeps it.
type Guarantee struct {
	Name    string
	Verdict verdict.Verdict
	Reason  string
	Core    []int32 // for a fail: operations that ask for a circle in the order of a key's values, as places in the history
}

// Guarantees decides the four session guarantees of Terry et al. (1994) for reads and writes, key by key, where no value is written
// twice. A guarantee holds if each key's values have an order in which every client sees them as the guarantee says. The order of
// writes is known by reads alone, so each of the other three is decided together with monotonic reads, and is unknown where those
// are not kept. A pending write may come at any time, and says nothing about order but that it comes after what its client had read. Where
// a client does several things at once a fail is unknown, for its order is.
func Guarantees(ops []history.Op) []Guarantee {
	g, why := newVersions(ops)
	var all []Guarantee
	for _, name := range []string{MonotonicReads, ReadYourWrites, MonotonicWrites, WritesFollowReads} {
		if why != "" {
			all = append(all, Guarantee{Name: name, Reason: why})
			continue
		}
		all = append(all, g.decide(name))
	}
	if why := atOnce(ops); why != "" {
		for i := range all {
			if all[i].Verdict == verdict.Fail {
				all[i].Verdict, all[i].Reason, all[i].Core = verdict.Unknown, why, nil
			}
		}
	}
	return all
}

// versions are the values of all keys, and what each guarantee says about their order. Version 0 of each key is nil.
type versions struct {
	ops   []history.Op
	first []bool              // version: it is nil, and so before all others
	edges map[string][][]edge // guarantee: version: what must come later
}

// An edge leads to a later version, as two operations of one client say.
type edge struct{ to, before, then int32 }

func newVersions(ops []history.Op) (*versions, string) {
	g := &versions{ops: ops, edges: map[string][][]edge{}}
	ids := map[string]int32{}
	id := func(key, value history.Value) int32 {
		b := string(appendValue(appendValue(nil, key), value))
		if _, ok := ids[b]; !ok {
			ids[b] = int32(len(ids))
			g.first = append(g.first, value.IsNil())
		}
		return ids[b]
	}
	written := map[int32]int32{}
	for i := range ops {
		op := &ops[i]
		switch {
		case op.Outcome == history.Failed:
		case op.Name != "read" && op.Name != "write":
			return nil, fmt.Sprintf("operation %d is a %s, and session guarantees are of reads and writes", op.ID, op.Name)
		case op.Name == "write":
			v := id(op.Key, op.Input)
			if other, twice := written[v]; twice || op.Input.IsNil() {
				return nil, fmt.Sprintf("operation %d writes %v, which is there more than once (operation %d): values must be unique to be told apart", op.ID, op.Input, ops[other].ID)
			}
			written[v] = int32(i)
		}
	}
	for i := range ops {
		if op := &ops[i]; op.Name == "read" && op.Outcome == history.OK && !op.Output.IsNil() {
			if _, ok := written[id(op.Key, op.Output)]; !ok {
				return nil, fmt.Sprintf("operation %d read %v, which nobody wrote", op.ID, op.Output)
			}
		}
	}
	g.relate(id)
	return g, ""
}

// A session is what a client last did with a key.
type session struct{ read, write, lastRead, lastWrite int32 } // versions and operations, -1 if there is none

func (g *versions) relate(id func(key, value history.Value) int32) {
	var places []int32
	for i := range g.ops {
		if op := &g.ops[i]; op.Outcome == history.OK || op.Outcome == history.Maybe && op.Name == "write" {
			places = append(places, int32(i))
			id(op.Key, history.Value{})
		}
	}
	slices.SortStableFunc(places, func(a, b int32) int { return cmp.Compare(g.ops[a].Call, g.ops[b].Call) })
	open := map[string]*session{}
	for _, i := range places {
		op := &g.ops[i]
		name := string(appendValue([]byte(op.Client+"\x00"), op.Key))
		s := open[name]
		if s == nil {
			s = &session{-1, -1, -1, -1}
			open[name] = s
		}
		if op.Name == "read" {
			v := id(op.Key, op.Output)
			g.edge(MonotonicReads, s.read, v, s.lastRead, i)
			g.edge(ReadYourWrites, s.write, v, s.lastWrite, i)
			s.read, s.lastRead = v, i
			continue
		}
		v := id(op.Key, op.Input)
		g.edge(WritesFollowReads, s.read, v, s.lastRead, i)
		if op.Outcome == history.OK {
			g.edge(MonotonicWrites, s.write, v, s.lastWrite, i)
			s.write, s.lastWrite = v, i
		}
	}
}

func (g *versions) edge(name string, from, to, before, then int32) {
	if from < 0 || from == to {
		return
	}
	for len(g.edges[name]) < len(g.first) {
		g.edges[name] = append(g.edges[name], nil)
	}
	g.edges[name][from] = append(g.edges[name][from], edge{to, before, then})
}

func (g *versions) decide(name string) Guarantee {
	if core := g.circle(MonotonicReads, MonotonicReads); core != nil {
		if name != MonotonicReads {
			if core := g.circle(name, name); core != nil {
				return g.broken(name, core)
			}
			return Guarantee{Name: name, Reason: "reads are not monotonic, so they do not tell the order of writes"}
		}
		return g.broken(name, core)
	}
	if core := g.circle(name, MonotonicReads); core != nil {
		return g.broken(name, core)
	}
	return Guarantee{Name: name, Verdict: verdict.Pass, Reason: fmt.Sprintf("the %d values of all keys have an order that keeps it", len(g.first))}
}

func (g *versions) broken(name string, core []int32) Guarantee {
	var words []string
	for _, i := range core {
		words = append(words, Describe(&g.ops[i], forever))
	}
	return Guarantee{Name: name, Verdict: verdict.Fail, Core: core, Reason: "no order of the values keeps it: " + strings.Join(words, ", ")}
}

// circle returns the operations that ask for a circle of versions, by two guarantees together; or that ask for a version before nil.
func (g *versions) circle(names ...string) []int32 {
	names = slices.Compact(names)
	const (
		fresh = iota
		open
		done
	)
	color := make([]uint8, len(g.first))
	type step struct {
		version int32
		next    int
		by      edge
	}
	later := func(v int32) []edge {
		var all []edge
		for _, name := range names {
			if int(v) < len(g.edges[name]) {
				all = append(all, g.edges[name][v]...)
			}
		}
		return all
	}
	for start := range color {
		if color[start] != fresh {
			continue
		}
		color[start] = open
		path := []step{{version: int32(start)}}
		for len(path) > 0 {
			top := &path[len(path)-1]
			edges := later(top.version)
			if top.next == len(edges) {
				color[top.version] = done
				path = path[:len(path)-1]
				continue
			}
			e := edges[top.next]
			top.next++
			switch {
			case g.first[e.to]:
				return operations(e)
			case color[e.to] == open:
				at := slices.IndexFunc(path, func(s step) bool { return s.version == e.to })
				var all []edge
				for _, s := range path[at+1:] {
					all = append(all, s.by)
				}
				return operations(append(all, e)...)
			case color[e.to] == fresh:
				color[e.to] = open
				path = append(path, step{version: e.to, by: e})
			}
		}
	}
	return nil
}

func operations(edges ...edge) []int32 {
	var all []int32
	for _, e := range edges {
		all = append(all, e.before, e.then)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
