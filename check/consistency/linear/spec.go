package linear

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/assay-dev/assay/history"
)

// A Spec says what an object does when its operations come one after the other.
// It may be nondeterministic. S is its state, which Step must not modify.
type Spec[S any] struct {
	Name string
	Init S
	// Step returns the states that the object may be in after op took effect in state s: none where what op returned does not
	// fit s. An operation whose outcome is Maybe returned nothing: its Output says nothing.
	Step func(s S, op *history.Op) []S
	// Hash returns a comparable value that is equal for equal states. It may be nil where S is comparable.
	Hash func(s S) any
	// Partition returns the part of the object that op is on: parts have states of their own. Nil: the object is one part.
	Partition func(op *history.Op) history.Value
	// Valid returns why op is none of this object's operations. Nil: all are.
	Valid func(op *history.Op) error
	// Reads says whether op leaves every state as it is, so that it can be left out. Nil: none does.
	Reads func(op *history.Op) bool
	// Blind says whether op takes effect in every state and leads to the same states from all of them, as a write does that returns
	// nothing. Nil: none does.
	Blind func(op *history.Op) bool
	// Touch says which values op puts into the object and which it shows to be there, so that what nobody saw can be left out.
	// Nil: every operation may matter to every other.
	Touch func(op *history.Op) Touch
	// ByClient and ByTime say that Step looks at the client and at the times of an operation, and not only at its name, key, input,
	// output and outcome.
	ByClient, ByTime bool

	rising *rising[S] // nil: states need not rise
}

// A Touch is what an operation has to do with values, for a model where an order stays one
//   - without an operation that only shows values and changes nothing (Reads);
//   - without the operations that put a value that no operation left shows or takes;
//   - without the operations that take a value, where all that put it are left out too.
type Touch struct {
	Puts, Shows, Takes []history.Value
	// Any says that the operation may show any value, or its absence.
	Any bool
	// Fixed says that the operation can never be left out.
	Fixed bool
}

// A Model is a Spec that is ready to be checked against. The zero Model is invalid. It is safe for concurrent use.
type Model struct {
	name      string
	start     func() machine
	walk      func() walker // for Certify alone
	partition func(op *history.Op) history.Value
	valid     func(op *history.Op) error
	reads     func(op *history.Op) bool
	blind     func(op *history.Op) bool
	rises     func(op *history.Op) bool // nil: states need not rise
	byTime    bool
	touch     func(op *history.Op) Touch
	monitor   *monitor // decides parts whose values are unique; nil if there is none
	// informed is start for a history of which some operations returned and others are open; nil: start.
	informed func(ops []history.Op, returned, open []int32) machine
	// split decides a part of which parts are apart, or returns false and how many steps it took to find out that it cannot.
	split func(ctx context.Context, ops []history.Op, part []int32, until time.Duration, budget int64) (outcome, bool)
	// cell says what an operation on a register reads and writes, so that orders can be found that are forced; nil: not known.
	cell func(op *history.Op) cell
	from func(start history.Value) (Model, error)
}

// From returns the model with other values at first: a register with any value, for each key; a counter with an integer, for each key;
// a multi-register with a map from its registers to their values. Other models start in one way only, which is an error.
func (m Model) From(start history.Value) (Model, error) {
	if m.from == nil {
		return Model{}, fmt.Errorf("the %s starts in one way only, and not from %v (register, cas-register, multi-register and counter start from any)", m.name, start)
	}
	return m.from(start)
}

// String returns the name of the model.
func (m Model) String() string { return m.name }

// New returns the model of a specification. It panics where Step is missing, or a state is not comparable and Hash is missing.
func New[S any](spec Spec[S]) Model {
	return fresh(spec, func() Spec[S] { return spec })
}

// fresh is New for a specification that is made anew for each search, since it remembers states.
func fresh[S any](spec Spec[S], make func() Spec[S]) Model {
	if spec.Step == nil {
		panic("linear: a Spec without Step")
	}
	if spec.Hash == nil && !reflect.TypeFor[S]().Comparable() {
		panic(fmt.Sprintf("linear: states of type %v are not comparable, and the Spec has no Hash", reflect.TypeFor[S]()))
	}
	m := Model{name: spec.Name, partition: spec.Partition, valid: spec.Valid, reads: spec.Reads, touch: spec.Touch}
	m.byTime = spec.ByTime
	m.start = func() machine { return newTables(make()) }
	m.walk = func() walker { return newStates(make()) }
	if m.name == "" {
		m.name = "a model without a name"
	}
	if m.valid == nil {
		m.valid = func(*history.Op) error { return nil }
	}
	if m.blind = spec.Blind; m.blind == nil {
		m.blind = func(*history.Op) bool { return false }
	}
	if spec.rising != nil {
		m.rises = spec.rising.rises
	}
	if m.reads == nil {
		m.reads = func(*history.Op) bool { return false }
	}
	return m
}
