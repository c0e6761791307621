package spec

import (
	"errors"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/expr"
)

// A cursor walks a scalar as it stands in the file, alongside its value.
type cursor struct {
	src       *source
	line, col int // from 0
	style     yaml.Style
}

// position returns where the character at offset of a scalar's value stands in
// the file. Quotes, escapes, folding and indentation are accounted for.
func (s *source) position(n *yaml.Node, offset int) (line, col int) {
	c := &cursor{src: s, line: n.Line - 1, col: n.Column - 1, style: n.Style}
	c.open()
	value := []rune(n.Value)
	for i := 0; i < min(offset, len(value)); i++ {
		c.pass(value[i])
	}
	if offset < len(value) && !unicode.IsSpace(value[offset]) {
		c.skipSpace()
	}
	if c.line >= len(s.lines) {
		return n.Line, n.Column
	}
	return c.line + 1, c.col + 1
}

// open moves to the first character of the value: past anchor, tag, quote or block header.
func (c *cursor) open() {
	for r := c.rune(); r == '&' || r == '!'; r = c.rune() {
		for r := c.rune(); !unicode.IsSpace(r); r = c.rune() {
			c.col++
		}
		c.skipSpace()
	}
	switch {
	case c.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		c.line, c.col = c.line+1, 0
	case c.style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		c.col++
	}
}

// rune returns the character under the cursor, a newline at the end of a line.
func (c *cursor) rune() rune {
	if c.line < 0 || c.line >= len(c.src.lines) || c.col < 0 || c.col >= len(c.src.lines[c.line]) {
		return '\n'
	}
	return c.src.lines[c.line][c.col]
}

func (c *cursor) ended() bool { return c.line >= len(c.src.lines) }

func (c *cursor) next() {
	if c.col < len(c.src.lines[c.line]) {
		c.col++
		return
	}
	c.line, c.col = c.line+1, 0
}

func (c *cursor) skipSpace() {
	for !c.ended() && unicode.IsSpace(c.rune()) {
		c.next()
	}
}

// pass moves over one character of the value. White space of the value matches
// any of the file, as folding and indentation change it.
func (c *cursor) pass(r rune) {
	if c.ended() {
		return
	}
	if unicode.IsSpace(r) && unicode.IsSpace(c.rune()) {
		c.next()
		return
	}
	c.skipSpace()
	if c.ended() {
		return
	}
	if c.style&yaml.DoubleQuotedStyle != 0 && c.rune() == '\\' {
		c.escape()
		return
	}
	if unicode.IsSpace(r) { // white space that the file has not, such as the end of a folded paragraph
		return
	}
	doubled := c.style&yaml.SingleQuotedStyle != 0 && r == '\'' || c.src.dollars && r == '$'
	c.next()
	if doubled && c.rune() == r {
		c.next()
	}
}

// escape moves over a double-quoted \n, \x41, \u0041 or \U00000041.
func (c *cursor) escape() {
	c.next()
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[c.rune()]
	for range digits + 1 {
		c.next()
		if c.ended() {
			return
		}
	}
}

// expression adds the mistake of an expression or template that is a scalar's value.
func (s *source) expression(n *yaml.Node, prefix string, err error) {
	var e *expr.Error
	if !errors.As(err, &e) {
		s.wrong(n, "", "%s%v", prefix, err)
		return
	}
	s.wrongAt(n, offsetOf([]rune(n.Value), e.Line, e.Col), e.Hint, "%s%s", prefix, e.Msg)
}

// offsetOf turns a line and column within a value, from 1, into an offset.
func offsetOf(value []rune, line, col int) int {
	offset := 0
	for i, r := range value {
		if line == 1 {
			break
		}
		if r == '\n' {
			line--
			offset = i + 1
		}
	}
	return min(offset+col-1, len(value))
}
