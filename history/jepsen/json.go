package jepsen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/pair"
)

// A jsonText reads JSON.
type jsonText struct{ *scanner }

var jsonEnds = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, ',': true, ':': true, '[': true, ']': true, '{': true, '}': true, '"': true}

// space skips blanks. It returns the next byte, and false at the end.
func (j jsonText) space() (byte, bool, error) {
	for {
		c, ok := j.peek()
		if !ok {
			if j.err != nil {
				return 0, false, j.place(j.err)
			}
			return 0, false, nil
		}
		switch c {
		case '\n':
			j.newline()
			j.pos++
		case ' ', '\t', '\r':
			j.pos++
		default:
			return c, true, nil
		}
	}
}

// value reads one value. Without keep it is only skipped.
func (j jsonText) value(depth int, keep bool) (history.Value, error) {
	c, ok, err := j.space()
	switch {
	case err != nil:
		return history.Value{}, err
	case !ok:
		return history.Value{}, j.cut("a value")
	case depth > mostNesting:
		return history.Value{}, j.wrong("values are nested more than 100 deep", "")
	}
	switch c {
	case '[':
		return j.list(depth, keep)
	case '{':
		return j.object(depth, keep)
	case '"':
		text, err := j.text(keep)
		return history.String(text), err
	}
	return j.atom()
}

func (j jsonText) atom() (history.Value, error) {
	text := j.token(&jsonEnds)
	if j.err != nil {
		return history.Value{}, j.place(j.err)
	}
	switch string(text) {
	case "null":
		return history.Value{}, nil
	case "true":
		return history.Bool(true), nil
	case "false":
		return history.Bool(false), nil
	}
	if len(text) > 0 && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid(text) {
		if v, ok := number(text); ok {
			return v, nil
		}
	}
	if len(text) > 0 && j.pos == j.end && j.eof {
		return history.Value{}, j.cut("a value")
	}
	j.pos -= len(text)
	if len(text) == 0 {
		text = j.buf[j.pos : j.pos+1]
	}
	return history.Value{}, j.wrong(shown(text)+" is no value", "")
}

func (j jsonText) text(keep bool) (string, error) {
	line, column := j.line, j.column()
	raw, escapes, err := j.quoted()
	switch {
	case err != nil || !keep:
		return "", err
	case !escapes:
		return j.intern(raw), nil
	}
	return unescape(raw, line, column)
}

// unescape reads the escapes of JSON, which those of EDN are, too.
func unescape(raw []byte, line, column int) (string, error) {
	quoted := slices.Concat([]byte{'"'}, raw, []byte{'"'})
	for i, c := range quoted { // a string of EDN may go over lines
		if c < ' ' {
			text, err := unescapeLines(raw)
			if err == nil {
				return text, nil
			}
			return "", &pair.Error{Line: line, Column: column, Msg: fmt.Sprintf("a string has a control character at byte %d, and an escape that does not end: %v", i, err)}
		}
	}
	var text string
	if !utf8.Valid(quoted) || json.Unmarshal(quoted, &text) != nil {
		return "", &pair.Error{Line: line, Column: column, Msg: "a string has an escape that there is not: " + shown(raw), Try: `there are \" \\ \n \r \t \b \f and \u with four digits`}
	}
	return text, nil
}

// unescapeLines is unescape for strings with raw control characters.
func unescapeLines(raw []byte) (string, error) {
	var safe strings.Builder
	for _, c := range raw {
		if c < ' ' {
			fmt.Fprintf(&safe, `\u%04x`, c)
		} else {
			safe.WriteByte(c)
		}
	}
	var text string
	err := json.Unmarshal([]byte(`"`+safe.String()+`"`), &text)
	return text, err
}

func (j jsonText) list(depth int, keep bool) (history.Value, error) {
	base := len(j.stack)
	err := j.each(']', func() error {
		item, err := j.value(depth+1, keep)
		if keep && err == nil {
			j.stack = append(j.stack, item)
		}
		return err
	})
	return history.List(j.pop(base)...), err
}

func (j jsonText) object(depth int, keep bool) (history.Value, error) {
	var entries []history.Entry
	err := j.each('}', func() error {
		key, err := j.key()
		if err != nil {
			return err
		}
		val, err := j.value(depth+1, keep)
		if keep && err == nil {
			entries = append(entries, history.Entry{Key: history.String(key), Val: val})
		}
		return err
	})
	return history.Map(entries...), err
}

// key reads a key and its colon.
func (j jsonText) key() (string, error) {
	c, ok, err := j.space()
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", j.cut("an object")
	case c != '"':
		return "", j.wrong("a key is no string", "")
	}
	key, err := j.text(true)
	if err != nil {
		return "", err
	}
	c, ok, err = j.space()
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", j.cut("an object")
	case c != ':':
		return "", j.wrong("no : after the key "+strconv.Quote(key), "")
	}
	j.pos++
	return key, nil
}

// each calls item for what stands between commas, up to the closing bracket; the opening one is next.
func (j jsonText) each(end byte, item func() error) error {
	line, column := j.line, j.column()
	j.pos++
	for n := 0; ; n++ {
		c, ok, err := j.space()
		switch {
		case err != nil:
			return err
		case !ok:
			return j.cut(opened(end, line, column))
		case c == end:
			j.pos++
			return nil
		case n > 0 && c != ',':
			return j.wrong("no , between values", "")
		case n > 0:
			j.pos++
		}
		if c, _, err = j.space(); err == nil && n > 0 && c == end {
			return j.wrong("a value is missing after the last ,", "")
		}
		if err != nil {
			return err
		}
		if err := item(); err != nil {
			return err
		}
	}
}
