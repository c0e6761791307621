package linear

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/history"
)

// Mutex returns the model of a lock that one holds at a time. Whoever releases it may be another client, as after a restart.
func Mutex() Model {
	return New(Spec[bool]{
		Name: "mutex", Partition: key, Valid: only("acquire", "release"), Reads: refused,
		Step: func(held bool, op *history.Op) []bool {
			if refused(op) {
				return []bool{held}
			}
			return one(held == (op.Name == "release"), !held)
		},
	})
}

// OwnerMutex returns the model of a lock that is released only by the client that holds it.
func OwnerMutex() Model {
	return New(Spec[string]{
		Name: "owner-mutex", Partition: key, Valid: only("acquire", "release"), Reads: refused, ByClient: true,
		Step: func(holder string, op *history.Op) []string {
			me := "client " + op.Client
			switch {
			case refused(op):
				return []string{holder}
			case op.Name == "acquire":
				return one(holder == "", me)
			}
			return one(holder == me, "")
		},
	})
}

// A leaseState is who holds a lease and the earliest moment at which it may have run out, given that each operation took effect as
// early as it could: an earlier grant ends earlier, and so is never worse.
type leaseState struct {
	holder     string
	until, now time.Duration
}

// Lease returns the model of a lock that runs out: never do two clients hold it. A grant counts from the moment at which it took
// effect, which is within its operation.
func Lease() Model {
	return New(Spec[leaseState]{
		Name: "lease", Partition: key, Valid: all(only("acquire", "renew", "release"), hasDuration), Reads: refused, ByClient: true, ByTime: true,
		Step: stepLease,
	})
}

func hasDuration(op *history.Op) error {
	if ttl, ok := op.Input.AsInt(); op.Name != "release" && (!ok || ttl < 0) {
		return fmt.Errorf("its input is %v, and a duration in nanoseconds was expected", op.Input)
	}
	return nil
}

func stepLease(s leaseState, op *history.Op) []leaseState {
	if refused(op) {
		return []leaseState{s}
	}
	end := op.Return
	if op.Outcome == history.Maybe {
		end = forever
	}
	me, now := "client "+op.Client, max(s.now, op.Call)
	if op.Name == "release" {
		if s.holder != me {
			return one(now <= end, leaseState{s.holder, s.until, now})
		}
		return one(now <= end, leaseState{now: now})
	}
	if s.holder != me && s.holder != "" {
		now = max(now, s.until)
	}
	ttl, _ := op.Input.AsInt()
	return one(now <= end, leaseState{me, now + min(time.Duration(ttl), forever-max(now, 0)), now})
}

// Set returns the model of a set with add, remove, contains and read, which is empty at first.
func Set() Model {
	m := New(Spec[string]{
		Name: "set", Partition: key, Valid: all(only("add", "remove", "contains", "read"), setOutputs),
		Step:  stepSet,
		Reads: func(op *history.Op) bool { return op.Name == "contains" || op.Name == "read" || refused(op) },
		Touch: touchSet,
	})
	m.monitor, m.split = lifetimes(), splitElements
	return m
}

func setOutputs(op *history.Op) error {
	_, isBool := op.Output.AsBool()
	switch {
	case op.Outcome != history.OK:
	case op.Name == "read" && op.Output.Kind() != history.KindList:
		return fmt.Errorf("its output is %v, and a list was expected", op.Output)
	case op.Name == "contains" && !isBool:
		return fmt.Errorf("its output is %v, and true or false was expected", op.Output)
	case !isBool && !op.Output.IsNil() && (op.Name == "add" || op.Name == "remove"):
		return fmt.Errorf("its output is %v, and true, false or nothing was expected", op.Output)
	}
	return nil
}

// A set's state is the text of its elements, each after its length, in order.
func stepSet(s string, op *history.Op) []string {
	if op.Name == "read" {
		all, once := elements(op.Output.Items())
		return one(op.Outcome == history.Maybe || once && s == all, s)
	}
	word := string(element(nil, op.Input))
	at, found := findElement(s, word)
	yes, known := said(op)
	switch op.Name {
	case "contains":
		return one(op.Outcome == history.Maybe || yes == found, s)
	case "add":
		if found {
			return one(!known || !yes, s)
		}
		return one(!known || yes, s[:at]+word+s[at:])
	}
	if !found {
		return one(!known || !yes, s)
	}
	return one(!known || yes, s[:at]+s[at+len(word):])
}

func element(b []byte, v history.Value) []byte {
	t := text(v)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(t))), t...)
}

// elements returns the state of a set that has the items, and whether each is there once: no set has an element twice.
func elements(items []history.Value) (state string, once bool) {
	var words []string
	for _, v := range items {
		words = append(words, string(element(nil, v)))
	}
	slices.Sort(words)
	all := len(words)
	words = slices.Compact(words)
	return strings.Join(words, ""), len(words) == all
}

func findElement(s, word string) (at int, found bool) {
	for at < len(s) {
		size := 4 + int(s[at])<<24 + int(s[at+1])<<16 + int(s[at+2])<<8 + int(s[at+3])
		if next := s[at : at+size]; next >= word {
			return at, next == word
		}
		at += size
	}
	return at, false
}

func touchSet(op *history.Op) Touch {
	one := []history.Value{op.Input}
	switch {
	case op.Name == "read":
		return Touch{Any: true}
	case op.Name == "contains" || refused(op):
		return Touch{Shows: one}
	case op.Name == "remove":
		return Touch{Takes: one}
	}
	return Touch{Puts: one}
}

// An item is a value and those that came before it: values that were put one after the other, which share what they begin with.
type item struct {
	before *item
	value  history.Value
	length int
}

// chains make items so that equal ones are the same.
type itemTable map[itemKey]*item

type itemKey struct {
	before *item
	value  string
}

func (t itemTable) after(before *item, v history.Value) *item {
	k := itemKey{before, text(v)}
	if t[k] == nil {
		t[k] = &item{before, v, before.len() + 1}
	}
	return t[k]
}

func (i *item) len() int {
	if i == nil {
		return 0
	}
	return i.length
}

// at returns the value at an offset from 0, which is there.
func (i *item) at(offset int) history.Value {
	for i.length > offset+1 {
		i = i.before
	}
	return i.value
}

// A queueState is what was enqueued, and how many of that were dequeued.
type queueState struct {
	last *item
	gone int
}

// Queue returns the model of a queue, first in first out, which is empty at first.
func Queue() Model {
	spec := Spec[queueState]{
		Name: "queue", Partition: key, Valid: all(only("enqueue", "dequeue"), enqueuesValue),
		Reads: func(op *history.Op) bool {
			return op.Name == "dequeue" && op.Outcome == history.OK && op.Output.IsNil()
		},
		Touch: touchQueue,
	}
	m := fresh(spec.never(), func() Spec[queueState] {
		items := itemTable{}
		s := spec
		s.Step = func(q queueState, op *history.Op) []queueState { return stepQueue(items, q, op) }
		return s
	})
	m.monitor = fifo()
	return m
}

func enqueuesValue(op *history.Op) error {
	if op.Name == "enqueue" && op.Input.IsNil() {
		return fmt.Errorf("it enqueues nil, and a dequeue of nil is one that found the queue empty")
	}
	return nil
}

// never is a specification whose steps are made for each search.
func (spec Spec[S]) never() Spec[S] {
	spec.Step = func(S, *history.Op) []S { return nil }
	return spec
}

func stepQueue(items itemTable, q queueState, op *history.Op) []queueState {
	empty := q.gone == q.last.len()
	switch {
	case op.Name == "enqueue":
		if empty {
			q = queueState{} // how it became empty does not matter
		}
		return []queueState{{items.after(q.last, op.Input), q.gone}}
	case op.Outcome == history.Maybe:
		if empty {
			return []queueState{q}
		}
		return []queueState{{q.last, q.gone + 1}}
	case op.Output.IsNil():
		return one(empty, q)
	}
	return one(!empty && q.last.at(q.gone).Equal(op.Output), queueState{q.last, q.gone + 1})
}

func touchQueue(op *history.Op) Touch {
	switch {
	case op.Name == "enqueue":
		return Touch{Puts: []history.Value{op.Input}}
	case op.Outcome == history.OK && !op.Output.IsNil():
		return Touch{Takes: []history.Value{op.Output}}
	}
	return Touch{}
}

// Counter returns the model of a counter that starts at 0, with add and read.
func Counter() Model { return counter(0) }

func counter(start int64) Model {
	m := New(Spec[int64]{
		Name: "counter", Init: start, Partition: key, Valid: all(only("add", "read"), addsInteger),
		Reads: func(op *history.Op) bool { return op.Name == "read" },
		Step: func(n int64, op *history.Op) []int64 {
			by, _ := op.Input.AsInt()
			if op.Name == "read" {
				by = 0
			}
			silent := op.Outcome == history.Maybe || op.Name == "add" && op.Output.IsNil()
			return one(silent || op.Output.Equal(history.Int(n+by)), n+by)
		},
		rising: &rising[int64]{
			level: func(n int64) int64 { return n },
			rises: func(op *history.Op) bool { by, _ := op.Input.AsInt(); return op.Name == "read" || by >= 0 },
			limit: limitCounter,
		},
	})
	m.from = func(start history.Value) (Model, error) {
		n, ok := start.AsInt()
		if !ok {
			return Model{}, fmt.Errorf("a counter starts from an integer, and not from %v", start)
		}
		return counter(n), nil
	}
	return m
}

// limitCounter is the value at which an operation found the counter.
func limitCounter(op *history.Op) int64 {
	found, known := op.Output.AsInt()
	if !known {
		return math.MaxInt64
	}
	if by, _ := op.Input.AsInt(); op.Name == "add" {
		found -= by
	}
	return found
}

// mostAdded is how much an add may add: sums must stay within 64 bits.
const mostAdded = 1 << 53

func addsInteger(op *history.Op) error {
	if by, isInt := op.Input.AsInt(); op.Name == "add" && (!isInt || by > mostAdded || by < -mostAdded) {
		return fmt.Errorf("its input is %v, and an integer of at most 2^53 was expected", op.Input)
	}
	return nil
}

// Log returns the model of a log that starts empty, with append and read.
func Log() Model {
	spec := Spec[*item]{
		Name: "log", Partition: key, Valid: all(only("append", "read"), readsOffset),
		Reads: func(op *history.Op) bool { return op.Name == "read" },
	}
	m := fresh(spec.never(), func() Spec[*item] {
		items := itemTable{}
		s := spec
		s.Step = func(last *item, op *history.Op) []*item { return stepLog(items, last, op) }
		return s
	})
	m.informed, m.rises = informedLog, func(*history.Op) bool { return true }
	return m
}

func readsOffset(op *history.Op) error {
	if op.Name == "append" && op.Input.IsNil() {
		return fmt.Errorf("it appends nil, and a read of nil is one that found nothing there")
	}
	if offset, ok := op.Input.AsInt(); op.Name == "read" && !op.Input.IsNil() && (!ok || offset < 0) {
		return fmt.Errorf("its input is %v, and an offset or nothing was expected", op.Input)
	}
	if op.Name == "read" && op.Outcome == history.OK && op.Input.IsNil() && !op.Output.IsNil() && op.Output.Kind() != history.KindList {
		return fmt.Errorf("its output is %v, and the list of all was expected", op.Output)
	}
	return nil
}

func stepLog(items itemTable, last *item, op *history.Op) []*item {
	offset, one := op.Input.AsInt()
	fits := op.Outcome == history.Maybe
	switch {
	case op.Name == "append":
		fits = fits || op.Output.IsNil() || op.Output.Equal(history.Int(int64(last.len())))
		last = items.after(last, op.Input)
	case fits:
	case one && int(offset) < last.len():
		fits = last.at(int(offset)).Equal(op.Output)
	case one:
		fits = op.Output.IsNil()
	default:
		fits = last.equal(op.Output.Items())
	}
	if !fits {
		return nil
	}
	return []*item{last}
}

func (i *item) equal(values []history.Value) bool {
	if i.len() != len(values) {
		return false
	}
	for ; i != nil; i = i.before {
		if !i.value.Equal(values[i.length-1]) {
			return false
		}
	}
	return true
}
