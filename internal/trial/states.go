package trial

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
)

// states follows an object along an order that a certificate has verified, to show what it held. It decides nothing.
type states struct {
	step func(before history.Value, op *history.Op) history.Value
	held map[string]history.Value // by key
	init history.Value            // of each key at first
}

// newStates returns nil for models whose state is not shown.
func newStates(model string, start *history.Value) *states {
	step, ok := map[string]func(history.Value, *history.Op) history.Value{
		"register": stepRegister, "cas-register": stepRegister, "kv": stepRegister,
		"counter": stepCounter, "queue": stepQueue, "log": stepQueue, "mutex": stepMutex, "owner-mutex": stepMutex,
	}[model]
	if !ok {
		return nil
	}
	s := &states{step: step, held: map[string]history.Value{}}
	if start != nil {
		s.init = *start
	}
	return s
}

// after applies an operation, and tells what its part of the object holds then.
func (s *states) after(op *history.Op) string {
	key := op.Key.String()
	before, touched := s.held[key]
	if !touched {
		before = s.init
	}
	s.held[key] = s.step(before, op)
	text := s.held[key].String()
	if op.Key.IsNil() {
		return text
	}
	return fmt.Sprintf("%s = %s", strings.Trim(key, `"`), text)
}

func stepRegister(before history.Value, op *history.Op) history.Value {
	switch op.Name {
	case "write", "put":
		return op.Input
	case "delete":
		return history.Value{}
	case "append":
		old, _ := before.AsString()
		more, _ := op.Input.AsString()
		return history.String(old + more)
	case "cas":
		pair := op.Input.Items()
		if swapped, says := op.Output.AsBool(); len(pair) == 2 && before.Equal(pair[0]) && (swapped || !says) {
			return pair[1]
		}
	}
	return before
}

func stepCounter(before history.Value, op *history.Op) history.Value {
	old, _ := before.AsInt()
	by, _ := op.Input.AsInt()
	if op.Name != "add" {
		by = 0
	}
	return history.Int(old + by)
}

func stepQueue(before history.Value, op *history.Op) history.Value {
	items := before.Items()
	switch {
	case op.Name == "enqueue", op.Name == "append":
		return history.List(append(slices.Clone(items), op.Input)...)
	case op.Name == "dequeue" && len(items) > 0:
		return history.List(items[1:]...)
	}
	return before
}

func stepMutex(before history.Value, op *history.Op) history.Value {
	granted, says := op.Output.AsBool()
	switch {
	case says && !granted:
		return before
	case op.Name == "acquire":
		return history.String("held by " + op.Client)
	}
	return history.String("free")
}
