package simrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// An InputError is what was asked for and cannot be done: a file of decisions with file:line, a flag, a pattern of packages; and why.
type InputError struct{ Msg string }

func (e *InputError) Error() string { return e.Msg }

// CheckReplay reads a file for Options.Replay: a log of decisions, or a saved failure.
func CheckReplay(path string) error {
	_, err := readDecisions(path)
	return err
}

// isSaved tells a saved failure, whose object goes over many lines, from a log, where each line has one.
func isSaved(path string) bool {
	text, err := os.ReadFile(path)
	first, _, more := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return err == nil && more && !json.Valid(first) && bytes.HasPrefix(first, []byte("{")) && len(bytes.TrimSpace(first)) == 1
}

func checkKind(d sim.Decision) error {
	if !slices.Contains(kinds(), d.Kind) {
		return fmt.Errorf("no decision is called %q (%s)", d.Kind, strings.Join(kinds(), ", "))
	}
	return nil
}

// notJSON says where a text is not what it should be.
func notJSON(path string, text []byte, err error) error {
	offset := int64(len(text))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	before := text[:min(int(offset), len(text))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := max(1, len(before)-1-bytes.LastIndexByte(before, '\n'))
	return &InputError{fmt.Sprintf("%s:%d:%d: %v", path, line, column, err)}
}

// lineOf is the line of the nth place, from 0, at which a text has something.
func lineOf(text []byte, what string, n int) int {
	at := 0
	for range n + 1 {
		i := bytes.Index(text[at:], []byte(what))
		if i < 0 {
			return 1
		}
		at += i + len(what)
	}
	return 1 + bytes.Count(text[:at], []byte("\n"))
}
