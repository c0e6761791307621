package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/expr"
)

// An Error is one mistake in a file, and where it stands.
type Error struct {
	File      string // as the user wrote it, or below the folder that the user wrote
	Line, Col int    // in characters, from 1
	Msg       string // what was found
	Hint      string // what is allowed, or ""
}

// Error returns "file:line:column: what was found (what is allowed)".
func (e *Error) Error() string {
	text := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Errors are all mistakes that were found, in order of file and position.
type Errors []*Error

// Error returns one line for each mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted orders mistakes by position and drops those that were found twice.
// Files stay in the order in which they were read.
func (e Errors) sorted() Errors {
	var order []string
	for _, one := range e {
		if !slices.Contains(order, one.File) {
			order = append(order, one.File)
		}
	}
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.File), slices.Index(order, b.File)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.CompactFunc(e, func(a, b *Error) bool { return *a == *b })
}

// hint returns what to write instead of word: the nearest of allowed, and all of them.
func hint(word string, allowed []string) string {
	list := "allowed: " + strings.Join(allowed, ", ")
	if len(allowed) == 0 {
		list = "there are none"
	}
	if len(allowed) > 20 {
		list = ""
	}
	if near := expr.Suggest(word, allowed); near != "" && word != "" {
		return strings.TrimSpace(fmt.Sprintf("did you mean %q? %s", near, list))
	}
	return list
}
