package consistency

import (
	"slices"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// sure returns res, but unknown where it passes on values that cannot be told
// apart: of two acknowledged appends of one value, one seen value shows only one.
// What is gone altogether, or was never appended, fails all the same.
func (j journal) sure(res check.Result) check.Result {
	if res.Verdict != verdict.Pass {
		return res
	}
	if op := j.clash(); op != nil {
		return unknown("two acknowledged appends have the value %v: values must be unique to be judged (record a unique value)", op.Input)
	}
	return res
}

// clash returns the first acknowledged append whose value an earlier
// acknowledged one has, nil if there is none. Tries of one append that failed,
// or whose outcome is not known, are no appends of their own.
func (j journal) clash() *history.Op {
	places := j.places()
	seen := map[place]bool{}
	for _, op := range j.appends {
		if op.Outcome != history.OK {
			continue
		}
		at := places(op.Key, op.Input)
		if seen[at] {
			return op
		}
		seen[at] = true
	}
	return nil
}

// A place is where a value can be seen: two values in one place cannot be told apart.
type place struct{ key, value string }

// places returns the place of a value under a key. Where some look is at the
// whole object, the values of all keys are in one.
func (j journal) places() func(key, value history.Value) place {
	whole := j.looksAtWhole()
	return func(key, value history.Value) place {
		if whole {
			return place{"", text(value)}
		}
		return place{text(key), text(value)}
	}
}

// looksAtWhole says whether some look is at the whole object.
func (j journal) looksAtWhole() bool {
	whole := func(op *history.Op) bool { return op.Key.IsNil() }
	return slices.ContainsFunc(j.reads, whole) || slices.ContainsFunc(j.taken, whole)
}

// manifold returns the places whose value was acknowledged more than once, so
// that it may well be there as often.
func (j journal) manifold() map[place]bool {
	places := j.places()
	seen, twice := map[place]bool{}, map[place]bool{}
	for _, op := range j.appends {
		if op.Outcome == history.OK {
			at := places(op.Key, op.Input)
			twice[at] = seen[at]
			seen[at] = true
		}
	}
	return twice
}
