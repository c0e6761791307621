package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// members calls yield with each key and value of the JSON object that line is, as they are written: a
// string keeps its quotes and escapes. It ends early when yield returns false.
//
// A run of ten minutes leaves hundreds of megabytes of records, of which a report needs a few fields. Decoding
// them whole takes ten times as long as finding these. What is nested is stepped over by its brackets and strings.
func members(line []byte, yield func(key, value []byte) bool) error {
	i := space(line, 0)
	if i >= len(line) || line[i] != '{' {
		return fmt.Errorf("%q is no record", line[:min(len(line), 60)])
	}
	i = space(line, i+1)
	if i < len(line) && line[i] == '}' {
		return tail(line, i+1)
	}
	for {
		key, value, next, err := member(line, i)
		if err != nil {
			return err
		}
		if !yield(key, value) {
			return nil
		}
		switch i = space(line, next); {
		case i >= len(line):
			return errOpen
		case line[i] == '}':
			return tail(line, i+1)
		case line[i] != ',':
			return fmt.Errorf("%q at byte %d stands where , or } must", line[i], i)
		}
		i = space(line, i+1)
	}
}

var errOpen = errors.New("the record does not end")

// member reads `"key": value` at i.
func member(line []byte, i int) (key, value []byte, next int, err error) {
	end, err := text(line, i)
	if err != nil {
		return nil, nil, 0, err
	}
	key = line[i+1 : end-1]
	i = space(line, end)
	if i >= len(line) || line[i] != ':' {
		return nil, nil, 0, fmt.Errorf("no value follows the name %q", key)
	}
	i = space(line, i+1)
	if next, err = skip(line, i); err != nil {
		return nil, nil, 0, err
	}
	return key, line[i:next], next, nil
}

// tail accepts white space alone after the record.
func tail(line []byte, i int) error {
	if rest := line[space(line, i):]; len(rest) > 0 {
		return fmt.Errorf("after the record: %q", rest[:min(len(rest), 60)])
	}
	return nil
}

func space(line []byte, i int) int {
	for i < len(line) && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r' || line[i] == '\n') {
		i++
	}
	return i
}

// text returns where the string that starts at i ends, after its closing quote.
func text(line []byte, i int) (int, error) {
	if i >= len(line) || line[i] != '"' {
		return 0, errors.New("a string is missing")
	}
	for at := i + 1; ; {
		quote := bytes.IndexByte(line[at:], '"')
		if quote < 0 {
			return 0, errOpen
		}
		at += quote + 1
		back := at - 2
		for back > i && line[back] == '\\' {
			back--
		}
		if (at-2-back)%2 == 0 { // an even number of backslashes escapes itself, not the quote
			return at, nil
		}
	}
}

// skip returns where the value that starts at i ends.
func skip(line []byte, i int) (int, error) {
	if i >= len(line) {
		return 0, errOpen
	}
	switch line[i] {
	case '"':
		return text(line, i)
	case '{', '[':
		return nested(line, i)
	}
	end := i
	for end < len(line) && line[end] != ',' && line[end] != '}' && line[end] > ' ' {
		end++
	}
	if !scalar(line[i:end]) {
		return 0, fmt.Errorf("%q is no value", line[i:min(end, i+60)])
	}
	return end, nil
}

// scalar says whether text is a number or one of JSON's three words. A number's form is checked where it is read.
func scalar(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	if c := text[0]; c == '-' || c >= '0' && c <= '9' {
		return true
	}
	return string(text) == "true" || string(text) == "false" || string(text) == "null"
}

func nested(line []byte, i int) (int, error) {
	depth := 0
	for i < len(line) {
		switch line[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		case '"':
			end, err := text(line, i)
			if err != nil {
				return 0, err
			}
			i = end
			continue
		}
		i++
	}
	return 0, errOpen
}

// unquote returns the text of a JSON string. What is no string is returned as it is written.
func unquote(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return string(value)
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(bytes.ToValidUTF8(value[1:len(value)-1], []byte("\uFFFD")))
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return string(bytes.ToValidUTF8(value[1:len(value)-1], []byte("\uFFFD")))
	}
	return s
}

// whole reads an integer. Records are written by a program, so a number of another form is damage.
func whole(value []byte) (int64, error) {
	var n int64
	digits := value
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return strconv.ParseInt(string(value), 10, 64)
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is no whole number", value[:min(len(value), 40)])
		}
		n = n*10 + int64(c-'0')
	}
	if value[0] == '-' {
		n = -n
	}
	return n, nil
}

func duration(value []byte) (time.Duration, error) {
	n, err := whole(value)
	return time.Duration(n), err
}
