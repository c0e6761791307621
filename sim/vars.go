package sim

import (
	"fmt"
	"os"
	"strings"
)

// A variable is a package variable of this program.
type variable struct {
	name       string
	addr, size uintptr
	sum        uint64 // of what it held and led to when a simulation began
}

// A watch is on package variables. A crash of a host does not reset them, and what a seed leaves there the next one meets.
type watch struct {
	all                     []variable
	statics, objects, table []uintptr
}

// newWatch reads a file of lines in hexadecimal, and takes down what variables hold: "address size .name" is a variable, "begin end size"
// memory without names, with objects of that size, which variables lead to. Of each variable it looks at 4096 objects, and 16 MiB.
func newWatch(file string) (*watch, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	const most = 4096
	w := &watch{objects: make([]uintptr, most), table: make([]uintptr, 2*most)}
	for line := range strings.Lines(string(text)) {
		var v variable
		var size uintptr
		if _, err := fmt.Sscanf(line, "%x %x %x", &v.addr, &v.size, &size); err == nil {
			w.statics = append(w.statics, v.addr, v.size, size)
		} else if _, err := fmt.Sscanf(line, "%x %x .%s", &v.addr, &v.size, &v.name); err == nil {
			w.all = append(w.all, v)
		} else {
			return nil, fmt.Errorf("%s: %q: %w", file, line, err)
		}
	}
	for i := range w.all {
		w.all[i].sum = w.sum(w.all[i])
	}
	return w, nil
}

func (w *watch) sum(v variable) uint64 {
	clear(w.table)
	sum, _ := rtReach(v.addr, v.size, w.statics, w.objects, w.table)
	return sum
}

// changed are the names of those that hold something else now.
func (w *watch) changed() []string {
	var names []string
	for _, v := range w.all {
		if w.sum(v) != v.sum {
			names = append(names, v.name)
		}
	}
	return names
}
