package consistency

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
)

// Models are the names of the models that an object may be asked to be of.
func Models() []string { return linear.Names() }

// An object is the operations on one object, of a model.
type object struct {
	model   linear.Model
	implied bool         // nobody named the model
	ops     []history.Op // without those that say nothing; what was there before comes first, and is numbered 0
	there   int          // how many those are
	keys    map[string]bool
	looked  bool // some operation says what it found
	changed bool // some operation would change it, even if it failed
}

// newObject returns what is known of an object, or why nothing can be decided.
func newObject(all []*history.Op, name, model string) (object, error) {
	o := object{keys: map[string]bool{}, implied: model == ""}
	for _, op := range all {
		o.changed = o.changed || !onlyLooks(op)
		if op.Outcome == history.Failed || op.Outcome == history.Maybe && onlyLooks(op) {
			continue
		}
		o.ops = append(o.ops, *op)
		o.keys[text(op.Key)] = true
		o.looked = o.looked || looks(op)
	}
	if len(o.ops) == 0 {
		return o, fmt.Errorf("%q recorded no operation that ended well", name)
	}
	if o.implied {
		var err error
		if model, err = impliedModel(o.ops); err != nil {
			return o, err
		}
	}
	var err error
	if o.model, err = linear.Named(model); err != nil {
		return o, err
	}
	if err := known(o.ops); err != nil {
		return o, err
	}
	if len(o.keys) > 1 && o.keys[text(history.Value{})] {
		return o, fmt.Errorf("%q recorded operations with a key and without one, and a %s is apart for each key (record all with keys, or none)", name, model)
	}
	before := thereBefore(all, names(o.ops))
	o.there, o.ops = len(before), append(before, o.ops...)
	return o, nil
}

// String says what the object is, and who says so.
func (o object) String() string {
	if o.implied {
		return fmt.Sprintf("%v, as %s imply", o.model, list(names(o.ops)))
	}
	return fmt.Sprintf("%v, as was asked", o.model)
}

// onlyLooks says whether an operation has no effect, so that one without an answer says nothing.
func onlyLooks(op *history.Op) bool {
	return slices.Contains([]string{"read", "get", "contains"}, op.Name)
}

// looks says whether an operation tells what it found, so that some order may not fit it.
func looks(op *history.Op) bool {
	if op.Outcome != history.OK {
		return false
	}
	switch op.Name {
	case "cas", "dequeue", "acquire", "renew":
		return true
	case "txn":
		return slices.ContainsFunc(op.Output.Items(), func(m history.Value) bool { return len(m.Items()) == 3 && !writes(m) })
	}
	return onlyLooks(op) || !op.Output.IsNil()
}

// known returns an error where an operation may have had an effect that nobody knows: what it put there and somebody saw would
// look as if it came from nowhere.
func known(ops []history.Op) error {
	for i := range ops {
		op := &ops[i]
		needs := slices.Contains([]string{"write", "append", "add", "remove", "put", "enqueue", "cas", "txn"}, op.Name)
		if needs && op.Outcome == history.Maybe && op.Input.IsNil() {
			return fmt.Errorf("operation %d, a %s, may have taken effect, and what it did is not known: %s", op.ID, op.Name, op.Error)
		}
	}
	return nil
}

// impliedModel returns the model that operations are of by their names.
func impliedModel(ops []history.Op) (string, error) {
	used := names(ops)
	for _, m := range []struct{ name, ops string }{
		{"cas-register", "read write cas"}, {"log", "append read"}, {"queue", "enqueue dequeue"}, {"set", "add remove contains read"},
		{"kv", "get put append delete cas"}, {"mutex", "acquire release"}, {"lease", "acquire renew release"}, {"multi-register", "txn"},
	} {
		if slices.ContainsFunc(used, func(name string) bool { return !slices.Contains(strings.Fields(m.ops), name) }) {
			continue
		}
		switch {
		case m.name == "set" && slices.ContainsFunc(ops, readsNumber):
			return "counter", nil
		case m.name == "mutex" && slices.ContainsFunc(ops, func(op history.Op) bool { return !op.Input.IsNil() }):
			return "lease", nil
		}
		return m.name, nil
	}
	return "", fmt.Errorf("no model has all of %s (there are: %s)", list(used), strings.Join(Models(), ", "))
}

func readsNumber(op history.Op) bool { return op.Name == "read" && op.Output.Kind() == history.KindInt }

// names are those of the operations, each once, in order.
func names(ops []history.Op) []string {
	var used []string
	for i := range ops {
		if !slices.Contains(used, ops[i].Name) {
			used = append(used, ops[i].Name)
		}
	}
	slices.Sort(used)
	return used
}

func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// thereBefore returns operations, numbered 0, that put there what was read of a key before anything was called that might change it,
// even if it failed.
func thereBefore(ops []*history.Op, used []string) []history.Op {
	if slices.Contains(used, "txn") {
		return before(ops)
	}
	first := map[string]time.Duration{} // key: call of the first operation that might change it
	begin := time.Duration(math.MaxInt64)
	for _, op := range ops {
		begin = min(begin, op.Call)
		if at, ok := first[text(op.Key)]; !onlyLooks(op) && (!ok || op.Call < at) {
			first[text(op.Key)] = op.Call
		}
	}
	var there []history.Op
	seen := map[string]bool{}
	for _, op := range ops {
		change, ok := first[text(op.Key)]
		early := op.Outcome == history.OK && (!ok || op.Return < change)
		if early && (op.Name == "read" && op.Input.IsNil() || op.Name == "get") && !seen[text(op.Key)] {
			seen[text(op.Key)] = true
			there = append(there, leadTo(op, used)...)
		}
	}
	for i := range there { // one after the other
		there[i].Call = begin - time.Duration(len(there)-i)
		there[i].Return = there[i].Call
	}
	return there
}

// leadTo returns the operations that lead to what a look found.
func leadTo(look *history.Op, used []string) []history.Op {
	name := "write"
	for _, other := range []string{"add", "append"} {
		if look.Name == "read" && slices.Contains(used, other) {
			name = other
		}
	}
	if look.Name == "get" {
		name = "put"
	}
	values := look.Output.Items()
	switch {
	case look.Output.IsNil():
		return nil
	case name == "write", name == "put", look.Output.Kind() == history.KindInt:
		values = []history.Value{look.Output}
	}
	var all []history.Op
	for _, v := range values {
		all = append(all, history.Op{Kind: history.Model, Name: name, Object: look.Object, Key: look.Key, Input: v, Client: "what was there before", Outcome: history.OK})
	}
	return all
}
