package txn

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
)

// FromOps makes a History of the operations named "txn": the input is a list of micro-operations, [["append", key, value],
// ["r", key, null], ["w", key, value]], and the output of one that is ok is the same list with what the reads returned.
// Operations with other names are not transactions, and are left out.
func FromOps(ops []history.Op) (*History, error) {
	var txns []history.Op
	for _, op := range ops {
		if op.Name == "txn" {
			txns = append(txns, op)
		}
	}
	slices.SortStableFunc(txns, func(a, b history.Op) int {
		switch {
		case a.Call < b.Call:
			return -1
		case a.Call > b.Call:
			return 1
		}
		return 0
	})
	typ, err := typeOf(txns)
	if err != nil {
		return nil, err
	}
	b := NewBuilder(typ)
	for _, op := range txns {
		if err := b.op(op); err != nil {
			return nil, fmt.Errorf("operation %d of client %s: %w", op.ID, op.Client, err)
		}
	}
	return b.History()
}

// typeOf tells lists from registers by their writes, or where nothing writes by what was read.
func typeOf(txns []history.Op) (DataType, error) {
	var appends, writes, lists bool
	for _, op := range txns {
		for _, m := range append(slices.Clone(op.Input.Items()), op.Output.Items()...) {
			parts := m.Items()
			if len(parts) != 3 {
				continue // reported when it is added
			}
			switch f, _ := parts[0].AsString(); f {
			case "append":
				appends = true
			case "w":
				writes = true
			case "r":
				lists = lists || parts[2].Kind() == history.KindList
			}
		}
	}
	if appends && writes {
		return 0, fmt.Errorf(`transactions both append and write: a history is of lists ("append") or of registers ("w")`)
	}
	if appends || lists && !writes {
		return ListAppend, nil
	}
	return Register, nil
}

func (b *Builder) op(op history.Op) error {
	mops := op.Input
	if op.Outcome == history.OK {
		mops = op.Output
		if len(mops.Items()) != len(op.Input.Items()) {
			return fmt.Errorf("it is ok and returned %d micro-operations of %d", len(mops.Items()), len(op.Input.Items()))
		}
	}
	b.Begin(history.String(op.Client), op.Call)
	for i, m := range mops.Items() {
		if asked := op.Input.Items()[i]; !answers(m, asked) {
			return fmt.Errorf("micro-operation %d: asked for %v, it is ok and returned %v: only what a read returned may differ", i+1, asked, m)
		}
		if err := b.mop(m, op.Outcome == history.OK); err != nil {
			return fmt.Errorf("micro-operation %d: %w", i+1, err)
		}
	}
	b.End(op.Outcome, op.Return)
	return nil
}

// answers says whether a micro-operation that is ok is the one that was asked for.
func answers(m, asked history.Value) bool {
	got, want := m.Items(), asked.Items()
	if len(got) != 3 || len(want) != 3 {
		return len(got) == len(want) // reported when it is added
	}
	return got[0].Equal(want[0]) && got[1].Equal(want[1]) && (got[0].Equal(history.String("r")) || got[2].Equal(want[2]))
}

func (b *Builder) mop(m history.Value, ok bool) error {
	parts := m.Items()
	if len(parts) != 3 {
		return fmt.Errorf(`%v: want ["append", key, value], ["w", key, value] or ["r", key, value]`, m)
	}
	switch f, _ := parts[0].AsString(); {
	case f == "append", f == "w":
		b.Write(parts[1], parts[2])
	case f != "r":
		return fmt.Errorf(`%v: no micro-operation is called %v (allowed: "append", "w", "r")`, m, parts[0])
	case !ok:
		b.ReadUnknown(parts[1])
	case b.h.typ == Register:
		b.ReadValue(parts[1], parts[2])
	case !parts[2].IsNil() && parts[2].Kind() != history.KindList:
		return fmt.Errorf("%v: a read of lists returned no list", m)
	default:
		b.ReadList(parts[1], parts[2].Items())
	}
	return nil
}
