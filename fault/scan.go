package fault

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

func isNameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("._-", b) >= 0
}

func isArgumentByte(b byte) bool { return strings.IndexByte(",)=(\"", b) < 0 }

// take reads bytes while ok holds, and stops before an arrow: a name may hold
// "-", so "orders->payments" needs the look ahead.
func (p *parser) take(ok func(byte) bool) string {
	start := p.pos
	for p.pos < len(p.text) && ok(p.text[p.pos]) && !strings.HasPrefix(p.text[p.pos:], "->") {
		p.pos++
	}
	return p.text[start:p.pos]
}

// space skips blanks and returns where it stands then.
func (p *parser) space() int {
	for p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
	return p.pos
}

// arrow returns the arrow that comes next, without taking it, and where; "" if there is none.
func (p *parser) arrow() (int, string) {
	at := p.space()
	for _, arrow := range []string{"<->", "->", "<-"} {
		if strings.HasPrefix(p.text[at:], arrow) {
			return at, arrow
		}
	}
	return at, ""
}

// expect takes what must come after something.
func (p *parser) expect(what, after string) error {
	at := p.space()
	if !strings.HasPrefix(p.text[at:], what) {
		return p.wrong(at, "", "%q is expected after %s, and here is %s", what, after, p.next())
	}
	p.pos += len(what)
	return nil
}

// next names what stands at the parser's position.
func (p *parser) next() string {
	p.space()
	if p.pos >= len(p.text) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return fmt.Sprintf("%q", string(r))
}

// col turns a position in bytes into a column in characters.
func (p *parser) col(at int) int { return utf8.RuneCountInString(p.text[:at]) + 1 }

func (p *parser) wrong(at int, hint, format string, args ...any) error {
	return &ParseError{Col: p.col(at), Msg: fmt.Sprintf(format, args...), Hint: hint}
}
