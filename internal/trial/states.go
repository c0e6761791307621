package trial

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/table"
)

// states follows an object along an order that a certificate has verified, to show what it held. It decides nothing.
type states struct {
	queue bool
	lists map[string][]history.Value // what queues and logs hold, by key
	step  func(before history.Value, op *history.Op) history.Value
	held  map[string]history.Value // by key
	init  history.Value            // of each key at first
}

// newStates returns nil for models whose state is not shown.
func newStates(model string, start *history.Value) *states {
	step, ok := map[string]func(history.Value, *history.Op) history.Value{
		"register": stepRegister, "cas-register": stepRegister, "kv": stepRegister,
		"counter": stepCounter, "queue": nil, "log": nil, "mutex": stepMutex, "owner-mutex": stepMutex,
	}[model]
	if !ok {
		return nil
	}
	s := &states{step: step, queue: step == nil, held: map[string]history.Value{}, lists: map[string][]history.Value{}}
	if start != nil {
		s.init = *start
	}
	return s
}

// after applies an operation, and tells what its part of the object holds then.
func (s *states) after(op *history.Op) string {
	key := op.Key.String()
	if s.queue {
		s.lists[key] = stepQueue(s.lists[key], op)
		return of(op, key, tellList(s.lists[key]))
	}
	before, touched := s.held[key]
	if !touched {
		before = s.init
	}
	s.held[key] = s.step(before, op)
	return of(op, key, table.Shorten(s.held[key].String(), mostOfState))
}

// How much of a state is shown: characters, and elements of a list.
const (
	mostOfState = 160
	mostOfList  = 8
)

// of names the key that holds something, where there are keys.
func of(op *history.Op, key, text string) string {
	if op.Key.IsNil() {
		return text
	}
	return fmt.Sprintf("%s = %s", strings.Trim(key, `"`), text)
}

// tellList shows the first elements, which are the next to come out.
func tellList(items []history.Value) string {
	text := table.Shorten(history.List(items[:min(len(items), mostOfList)]...).String(), mostOfState)
	if len(items) > mostOfList {
		text += fmt.Sprintf(" and %d more", len(items)-mostOfList)
	}
	return text
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

func stepQueue(items []history.Value, op *history.Op) []history.Value {
	switch {
	case op.Name == "enqueue", op.Name == "append":
		return append(items, op.Input)
	case op.Name == "dequeue" && len(items) > 0 && (op.Outcome != history.OK || !op.Output.IsNil()):
		return items[1:]
	}
	return items
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
