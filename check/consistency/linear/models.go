package linear

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
)

// Names are the names of the ready models.
func Names() []string {
	var names []string
	for _, r := range ready() {
		names = append(names, r.name)
	}
	return names
}

// Named returns a ready model:
//
//	name            operation   input            output
//	register        read                         the value, nil at first
//	                write       the value
//	cas-register    read, write as above
//	                cas         [from, to]       false if it found another value; else it swapped
//	multi-register  txn         [[f, key, value], …] with f "r" or "read", "w" or "write"; the output is the same list, completed
//	kv              get         key in Key       the value, nil at first
//	                put         the value
//	                append      a string         (nil counts as "")
//	                delete                       true if the key was there, false if not, nil if nobody says
//	                cas         [from, to]       as above
//	mutex           acquire, release             any client may release what is held; false: it was not granted, and says nothing
//	owner-mutex     acquire, release             only the client that holds it may release it
//	lease           acquire, renew  nanoseconds  true or nil: granted, for so long; false: refused, and says nothing
//	                release                      of what one does not hold: does nothing
//	set             add, remove the element      true if that changed the set, false if not, nil if nobody says
//	                contains    the element      true or false
//	                read                         the list of elements, in any order
//	queue           enqueue     the value        first in, first out
//	                dequeue                      the value, nil if it was empty
//	counter         add         an integer       the new value, or nil if nobody says
//	                read                         the value, 0 at first
//	log             append      the value        its offset from 0, or nil if nobody says
//	                read        an offset        the value there, nil if there is none yet
//	                read                         without an offset: the list of all
//
// Registers, kv, mutexes, leases, queues, counters, logs and sets are apart for each Key; a register's key may be nil.
// Registers and counters may start from other values: see [Model.From].
func Named(name string) (Model, error) {
	for _, r := range ready() {
		if r.name == name {
			return r.make(), nil
		}
	}
	return Model{}, fmt.Errorf("no model is called %q (there are: %s)", name, strings.Join(Names(), ", "))
}

type readyModel struct {
	name string
	make func() Model
}

func ready() []readyModel {
	return []readyModel{
		{"register", Register}, {"cas-register", CASRegister}, {"multi-register", func() Model { return MultiRegister(history.Value{}) }},
		{"kv", KV}, {"mutex", Mutex}, {"owner-mutex", OwnerMutex}, {"lease", Lease}, {"set", Set}, {"queue", Queue},
		{"counter", Counter}, {"log", Log},
	}
}

// key is the part of an object by Key.
func key(op *history.Op) history.Value { return op.Key }

// only accepts operations by name.
func only(names ...string) func(op *history.Op) error {
	return func(op *history.Op) error {
		if !slices.Contains(names, op.Name) {
			return fmt.Errorf("its object has only %s", list(names))
		}
		return nil
	}
}

func list(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// all joins validations.
func all(checks ...func(op *history.Op) error) func(op *history.Op) error {
	return func(op *history.Op) error {
		for _, check := range checks {
			if err := check(op); err != nil {
				return err
			}
		}
		return nil
	}
}

func pairs(op *history.Op) error {
	if op.Name == "cas" && len(op.Input.Items()) != 2 {
		return fmt.Errorf("its input is %v, and [from, to] was expected", op.Input)
	}
	return nil
}

// said returns what an operation that returned said, and whether it said so.
func said(op *history.Op) (yes, known bool) {
	yes, isBool := op.Output.AsBool()
	return yes, isBool && op.Outcome == history.OK
}

func refused(op *history.Op) bool {
	yes, known := said(op)
	return known && !yes
}

// one returns the state if it fits.
func one[S any](fits bool, s S) []S {
	if !fits {
		return nil
	}
	return []S{s}
}

// cas returns what a cas makes of state s, where from says that s is the value to swap.
func cas(from bool, to, s string, op *history.Op) []string {
	switch yes, known := said(op); {
	case op.Outcome == history.Maybe:
		if from {
			return []string{to}
		}
		return []string{s}
	case known && !yes:
		return one(!from, s)
	}
	return one(from, to)
}

// Register returns the model of a register that starts as nil, with read and write, apart for each key.
func Register() Model { return register("register", history.Value{}, "read", "write") }

// CASRegister returns the model of a register that starts as nil, with read, write and cas, apart for each key.
func CASRegister() Model { return register("cas-register", history.Value{}, "read", "write", "cas") }

func register(name string, start history.Value, names ...string) Model {
	m := New(Spec[string]{
		Name: name, Init: text(start), Partition: key, Valid: all(only(names...), pairs),
		Step:  stepRegister,
		Reads: func(op *history.Op) bool { return op.Name == "read" || op.Name == "cas" && refused(op) },
		Blind: func(op *history.Op) bool { return op.Name == "write" },
		Touch: touchRegister,
	})
	m.monitor = zones(start)
	m.cell = func(op *history.Op) cell { return registerCell(op, start) }
	m.from = func(start history.Value) (Model, error) { return register(name, start, names...), nil }
	return m
}

func text(v history.Value) string { return string(appendValue(nil, v)) }

func stepRegister(s string, op *history.Op) []string {
	switch op.Name {
	case "read":
		return one(op.Outcome == history.Maybe || s == text(op.Output), s)
	case "write":
		return []string{text(op.Input)}
	}
	pair := op.Input.Items()
	return cas(s == text(pair[0]), text(pair[1]), s, op)
}

// registerCell says what an operation certainly read, and what it wrote if it took effect.
func registerCell(op *history.Op, start history.Value) cell {
	c := cell{start: start}
	switch ok := op.Outcome == history.OK; {
	case op.Name == "read":
		c.reads, c.read = ok, op.Output
	case op.Name == "write":
		c.writes, c.wrote = true, op.Input
	case !refused(op):
		pair := op.Input.Items()
		c.reads, c.read, c.writes, c.wrote = ok, pair[0], true, pair[1]
	}
	return c
}

func touchRegister(op *history.Op) Touch {
	switch op.Name {
	case "read":
		if op.Outcome == history.Maybe {
			return Touch{}
		}
		return Touch{Shows: []history.Value{op.Output}}
	case "write":
		return Touch{Puts: []history.Value{op.Input}}
	}
	pair := op.Input.Items()
	if refused(op) {
		return Touch{Any: true}
	}
	return Touch{Shows: pair[:1], Puts: pair[1:]}
}

// KV returns the model of a store of values by key, which start as nil, with get, put, append, delete and cas.
func KV() Model {
	return New(Spec[string]{
		Name: "kv", Init: text(history.Value{}), Partition: key, Valid: all(only("get", "put", "append", "delete", "cas"), pairs, appendsText, deleteSays),
		Step: stepKV,
		Reads: func(op *history.Op) bool {
			return op.Name == "get" || (op.Name == "cas" || op.Name == "delete") && refused(op)
		},
		Blind: func(op *history.Op) bool {
			_, known := said(op)
			return op.Name == "put" || op.Name == "delete" && !known
		},
		Touch: touchKV,
	})
}

func appendsText(op *history.Op) error {
	if op.Name == "append" && op.Input.Kind() != history.KindString {
		return fmt.Errorf("its input is %v, and a string was expected", op.Input)
	}
	return nil
}

func deleteSays(op *history.Op) error {
	if _, isBool := op.Output.AsBool(); op.Name == "delete" && op.Outcome == history.OK && !isBool && !op.Output.IsNil() {
		return fmt.Errorf("its output is %v, and true, false or nothing was expected", op.Output)
	}
	return nil
}

func stepKV(s string, op *history.Op) []string {
	absent := text(history.Value{})
	switch op.Name {
	case "get":
		if out, ok := op.Output.AsString(); ok && out == "" && s == absent && op.Outcome == history.OK {
			return []string{s} // some stores say "" of what is not there
		}
		return one(op.Outcome == history.Maybe || s == text(op.Output), s)
	case "put":
		return []string{text(op.Input)}
	case "append":
		more, _ := op.Input.AsString()
		if s == absent {
			return []string{text(history.String(more))}
		}
		return one(s[0] == 's', text(history.String(s[min(5, len(s)):]+more)))
	case "delete":
		yes, known := said(op)
		if known && !yes {
			return one(s == absent, s)
		}
		return one(!known || s != absent, absent)
	}
	pair := op.Input.Items()
	return cas(s == text(pair[0]), text(pair[1]), s, op)
}

func touchKV(op *history.Op) Touch {
	switch op.Name {
	case "get":
		return Touch{Any: true}
	case "put":
		return Touch{Puts: []history.Value{op.Input}}
	case "append":
		return Touch{Any: true, Puts: []history.Value{op.Input}} // it shows that there is a string, or nothing
	case "delete":
		return Touch{Any: true, Fixed: op.Outcome == history.OK, Puts: []history.Value{{}}}
	}
	return Touch{Any: op.Name == "cas", Puts: touchRegister(op).Puts}
}

// MultiRegister returns the model of registers that are read and written together, in transactions. They start as in the map, and
// as nil.
func MultiRegister(start history.Value) Model {
	m := New(Spec[string]{
		Name: "multi-register", Init: start.String(), Valid: all(only("txn"), microOps),
		Step: func(s string, op *history.Op) []string { return stepMulti(s, op) },
		Reads: func(op *history.Op) bool {
			return !slices.ContainsFunc(op.Input.Items(), func(v history.Value) bool { return writes(v) })
		},
		Touch: touchMulti,
	})
	m.from = func(start history.Value) (Model, error) {
		if start.Kind() != history.KindMap {
			return Model{}, fmt.Errorf("a multi-register starts from a map, such as {\"x\": 0, \"y\": 0}, and not from %v", start)
		}
		return MultiRegister(start), nil
	}
	return m
}

func microOps(op *history.Op) error {
	if op.Input.Kind() != history.KindList {
		return fmt.Errorf("its input is %v, and a list of reads and writes was expected", op.Input)
	}
	for _, v := range op.Input.Items() {
		f, _ := firstOf(v).AsString()
		if len(v.Items()) != 3 || !slices.Contains([]string{"r", "read", "w", "write"}, f) {
			return fmt.Errorf("%v is neither [\"r\", key, null] nor [\"w\", key, value]", v)
		}
	}
	same := func(in, out history.Value) bool {
		return writes(in) || len(out.Items()) == 3 && !writes(out) && out.Items()[1].Equal(in.Items()[1])
	}
	if op.Outcome == history.OK && !slices.EqualFunc(op.Input.Items(), op.Output.Items(), same) {
		return fmt.Errorf("its output %v does not complete its input %v", op.Output, op.Input)
	}
	return nil
}

func firstOf(v history.Value) history.Value {
	if len(v.Items()) == 0 {
		return history.Value{}
	}
	return v.Items()[0]
}

func writes(v history.Value) bool {
	f, _ := firstOf(v).AsString()
	return f == "w" || f == "write"
}

func stepMulti(s string, op *history.Op) []string {
	var state history.Value
	if err := state.UnmarshalJSON([]byte(s)); err != nil {
		panic("linear: a state that cannot be read: " + err.Error())
	}
	entries := state.Entries()
	for i, v := range op.Input.Items() {
		key := v.Items()[1]
		at := slices.IndexFunc(entries, func(e history.Entry) bool { return e.Key.Equal(key) })
		switch {
		case writes(v):
			entries = append(slices.Clone(entries), history.Entry{Key: key, Val: v.Items()[2]})
			entries = history.Map(entries...).Entries()
		case op.Outcome == history.Maybe:
		default:
			var found history.Value
			if at >= 0 {
				found = entries[at].Val
			}
			if out := op.Output.Items()[i].Items(); len(out) != 3 || !out[2].Equal(found) {
				return nil
			}
		}
	}
	return []string{history.Map(entries...).String()}
}

// touchMulti: what nobody read of a transaction's writes, another write may as well have come in place of.
func touchMulti(op *history.Op) Touch {
	var t Touch
	for i, v := range op.Input.Items() {
		switch {
		case writes(v):
			t.Puts = append(t.Puts, history.List(v.Items()[1:]...))
		case op.Outcome == history.OK:
			if out := op.Output.Items()[i].Items(); len(out) == 3 {
				t.Shows = append(t.Shows, history.List(v.Items()[1], out[2]))
			}
		}
	}
	return t
}
