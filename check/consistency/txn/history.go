package txn

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/assay-dev/assay/history"
)

// A DataType says what the keys of a history hold.
type DataType uint8

const (
	ListAppend DataType = iota // lists that transactions read and append unique values to
	Register                   // registers that transactions read and write unique values to
)

var dataTypes = [...]string{"list-append", "rw-register"}

// String returns the name of the data type.
func (d DataType) String() string { return dataTypes[d] }

// What a micro-operation does.
const (
	opRead  uint8 = iota
	opWrite       // or append
)

// What a read returned, besides a length of its key's trunk or an element.
const (
	unknownRead = -1 // nothing is known: the transaction is not ok
	// A list that is no prefix of its key's trunk is -2 minus its index in branches.
	firstBranch = -2
	noElem      = -1 // a register that was never written
)

// A History holds transactions in columns, without a pointer per operation: about 40 bytes a transaction and 17 a micro-operation.
//
// Transactions are numbered from 0 in order of their calls. An element is a value together with its key; a list that was read is
// kept once per key (its trunk), of which a read knows the length.
type History struct {
	typ      DataType
	proc     []int32 // by transaction
	call     []int64
	ret      []int64
	outcome  []history.Outcome
	first    []int32 // of transaction t: micro-operations first[t] to first[t+1]
	op       []uint8 // by micro-operation
	key      []int32
	arg      []int32 // append, write: the element. read: a length, a branch, or an element
	elemKey  []int32 // by element
	elemVal  []int32
	writer   []int32   // by element: the transaction, or -1
	trunk    [][]int32 // by key: elements of the longest list read, as long as lists agree
	branches [][]int32 // lists that disagree with the trunk of their key
	names    values    // of keys, values and processes
	keyName  []int32   // by key: its id in names
	again    []int32   // micro-operations that write an element another one writes
}

// Len returns the number of transactions.
func (h *History) Len() int { return len(h.proc) }

// Type returns what the keys hold.
func (h *History) Type() DataType { return h.typ }

// Outcome returns what is known of a transaction's effect.
func (h *History) Outcome(t int) history.Outcome { return h.outcome[t] }

// Interval returns when a transaction was called and when it returned.
func (h *History) Interval(t int) (call, ret time.Duration) {
	return time.Duration(h.call[t]), time.Duration(h.ret[t])
}

// Process returns the client of a transaction.
func (h *History) Process(t int) history.Value { return h.names.value(h.proc[t]) }

// A Mop is one micro-operation of a transaction.
type Mop struct {
	Write bool // an append or a write, else a read
	Key   history.Value
	Value history.Value // written or appended, or read from a register: nil if it was never written
	List  []history.Value
	Known bool // of a read: whether what it returned is known
}

// Mops returns the micro-operations of a transaction, made anew at each call.
func (h *History) Mops(t int) []Mop {
	mops := make([]Mop, 0, h.first[t+1]-h.first[t])
	for i := h.first[t]; i < h.first[t+1]; i++ {
		m := Mop{Write: h.op[i] == opWrite, Key: h.names.value(h.keyName[h.key[i]])}
		switch {
		case m.Write:
			m.Value, m.Known = h.elem(h.arg[i]), true
		case h.typ == Register:
			m.Known = h.arg[i] != firstBranch
			if h.arg[i] >= 0 {
				m.Value = h.elem(h.arg[i])
			}
		default:
			m.Known = h.arg[i] != unknownRead
			for _, e := range h.list(i) {
				m.List = append(m.List, h.elem(e))
			}
		}
		mops = append(mops, m)
	}
	return mops
}

func (h *History) elem(e int32) history.Value { return h.names.value(h.elemVal[e]) }

// list returns the elements that a read of a list returned.
func (h *History) list(mop int32) []int32 {
	switch arg := h.arg[mop]; {
	case arg == unknownRead:
		return nil
	case arg >= 0:
		return h.trunk[h.key[mop]][:arg]
	default:
		return h.branches[firstBranch-arg]
	}
}

// shown returns the element that a read returned, or that ends the list it returned; noElem where there is none or none is known.
func (h *History) shown(mop int32) int32 {
	if h.typ == Register {
		return max(h.arg[mop], noElem)
	}
	return h.last(mop)
}

// last returns the last element of a list that was read, noElem for the empty list and one that is not known.
func (h *History) last(mop int32) int32 {
	arg := h.arg[mop]
	if arg > 0 {
		return h.trunk[h.key[mop]][arg-1]
	}
	if list := h.list(mop); len(list) > 0 {
		return list[len(list)-1]
	}
	return noElem
}

// A Builder makes a History, transaction by transaction in order of call:
//
//	b := txn.NewBuilder(txn.ListAppend)
//	b.Begin(history.String("c1"), call)
//	b.Write(history.Int(7), history.Int(1))
//	b.ReadList(history.Int(8), []history.Value{history.Int(3)})
//	b.End(history.OK, ret)
//	h, err := b.History()
//
// It is for one goroutine.
type Builder struct {
	h     History
	keys  table
	elems table
	ids   []int32 // scratch
	open  bool
	errs  []error
}

// NewBuilder returns a builder of a history whose keys hold typ.
func NewBuilder(typ DataType) *Builder {
	return &Builder{h: History{typ: typ, first: []int32{0}}}
}

// Begin starts a transaction of a process.
func (b *Builder) Begin(process history.Value, call time.Duration) {
	b.begin(b.h.names.id(process), int64(call))
}

func (b *Builder) begin(process int32, call int64) {
	h := &b.h
	if b.open {
		b.fail("transaction %d begins before transaction %d ended", h.Len()+1, h.Len())
	}
	if n := h.Len(); n > 0 && h.call[n-1] > call {
		b.fail("transaction %d is called at %v, before the one that was added ahead of it: add them in order of call", n, time.Duration(call))
	}
	b.open = true
	h.proc = append(h.proc, process)
	h.call = append(h.call, call)
}

// Write adds a write of a register, or an append to a list.
func (b *Builder) Write(key, value history.Value) {
	b.write(b.key(b.h.names.id(key)), b.h.names.id(value))
}

// WriteInt is Write for integers, and faster.
func (b *Builder) WriteInt(key, value int64) {
	b.write(b.key(b.h.names.int(key)), b.h.names.int(value))
}

func (b *Builder) write(key, value int32) {
	h := &b.h
	e := b.elem(key, value)
	if h.writer[e] >= 0 {
		h.again = append(h.again, int32(len(h.op)))
	}
	h.writer[e] = int32(h.Len() - 1)
	b.add(opWrite, key, e)
}

// ReadValue adds a read of a register; nil is a register that was never written.
func (b *Builder) ReadValue(key, value history.Value) {
	k := b.key(b.h.names.id(key))
	if value.IsNil() {
		b.add(opRead, k, noElem)
		return
	}
	b.add(opRead, k, b.elem(k, b.h.names.id(value)))
}

// ReadInt is ReadValue for integers, and faster.
func (b *Builder) ReadInt(key, value int64) {
	k := b.key(b.h.names.int(key))
	b.add(opRead, k, b.elem(k, b.h.names.int(value)))
}

// ReadUnknown adds a read of which nothing is known.
func (b *Builder) ReadUnknown(key history.Value) {
	arg := int32(unknownRead)
	if b.h.typ == Register {
		arg = firstBranch
	}
	b.add(opRead, b.key(b.h.names.id(key)), arg)
}

// ReadList adds a read of a list.
func (b *Builder) ReadList(key history.Value, list []history.Value) {
	k := b.key(b.h.names.id(key))
	b.ids = b.ids[:0]
	for _, v := range list {
		b.ids = append(b.ids, b.h.names.id(v))
	}
	b.readIDs(k, b.ids)
}

// ReadInts is ReadList for integers, and faster.
func (b *Builder) ReadInts(key int64, list []int64) {
	h := &b.h
	k := b.key(h.names.int(key))
	if trunk := h.trunk[k]; len(list) <= len(trunk) && b.agrees(trunk, list) {
		b.add(opRead, k, int32(len(list)))
		return
	}
	b.ids = b.ids[:0]
	for _, x := range list {
		b.ids = append(b.ids, h.names.int(x))
	}
	b.readIDs(k, b.ids)
}

func (b *Builder) agrees(trunk []int32, list []int64) bool {
	if len(b.h.names.other) > 0 {
		return false // the slow way decides
	}
	for i, x := range list {
		if b.h.names.nums[b.h.elemVal[trunk[i]]] != x {
			return false
		}
	}
	return true
}

func (b *Builder) readIDs(key int32, list []int32) {
	h := &b.h
	trunk := h.trunk[key]
	both := min(len(trunk), len(list))
	for i := range both {
		if h.elemVal[trunk[i]] != list[i] {
			branch := make([]int32, len(list))
			for j, id := range list {
				branch[j] = b.elem(key, id)
			}
			h.branches = append(h.branches, branch)
			b.add(opRead, key, firstBranch-int32(len(h.branches)-1))
			return
		}
	}
	for _, id := range list[both:] {
		trunk = append(trunk, b.elem(key, id))
	}
	h.trunk[key] = trunk
	b.add(opRead, key, int32(len(list)))
}

func (b *Builder) add(op uint8, key, arg int32) {
	if !b.open {
		b.fail("an operation outside of a transaction")
	}
	b.h.op, b.h.key, b.h.arg = append(b.h.op, op), append(b.h.key, key), append(b.h.arg, arg)
}

// End ends a transaction. What it read counts only if it is ok: use ReadUnknown in others.
func (b *Builder) End(outcome history.Outcome, ret time.Duration) {
	h := &b.h
	if !b.open {
		b.fail("a transaction ends that did not begin")
		return
	}
	b.open = false
	t := h.Len() - 1
	if int64(ret) < h.call[t] {
		b.fail("transaction %d returns at %v, before its call", t+1, ret)
	}
	h.ret = append(h.ret, int64(ret))
	h.outcome = append(h.outcome, outcome)
	h.first = append(h.first, int32(len(h.op)))
	if len(h.op) > math.MaxInt32-1024 {
		b.fail("more than 2^31 operations: split the history")
	}
}

// History returns what was built, and what was wrong with it. The builder must not be used again.
func (b *Builder) History() (*History, error) {
	if b.open {
		b.fail("the last transaction did not end")
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	b.keys, b.elems = table{}, table{}
	h := b.h
	return &h, nil
}

func (b *Builder) fail(format string, args ...any) {
	if len(b.errs) < 10 {
		b.errs = append(b.errs, fmt.Errorf(format, args...))
	}
}

func (b *Builder) key(name int32) int32 {
	h := &b.h
	return b.keys.find(mix(uint64(name)), len(h.keyName), func(k int32) bool { return h.keyName[k] == name }, func() {
		h.keyName, h.trunk = append(h.keyName, name), append(h.trunk, nil)
	}, func(k int32) uint64 { return mix(uint64(h.keyName[k])) })
}

func (b *Builder) elem(key, value int32) int32 {
	h := &b.h
	return b.elems.find(elemHash(key, value), len(h.elemVal), func(e int32) bool { return h.elemVal[e] == value && h.elemKey[e] == key }, func() {
		h.elemKey, h.elemVal = append(h.elemKey, key), append(h.elemVal, value)
		h.writer = append(h.writer, -1)
	}, func(e int32) uint64 { return elemHash(h.elemKey[e], h.elemVal[e]) })
}

func elemHash(key, value int32) uint64 { return mix(uint64(key)<<32 | uint64(uint32(value))) }
