package jepsen

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/assay-dev/assay/history"
)

// An edn reads the part of EDN that histories use.
type edn struct{ *scanner }

// ednEnds are what ends symbols, keywords and numbers.
var ednEnds = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, '\f': true, ',': true, '(': true, ')': true,
	'[': true, ']': true, '{': true, '}': true, '"': true, ';': true}

// space skips blanks, commas, comments and discarded forms. It returns the next byte, and false at the end.
func (e edn) space(depth int) (byte, bool, error) {
	for {
		c, ok := e.peek()
		if !ok {
			if e.err != nil {
				return 0, false, e.place(e.err)
			}
			return 0, false, nil
		}
		switch c {
		case '\n':
			e.newline()
			e.pos++
		case ' ', ',', '\t', '\r', '\f':
			e.pos++
		case ';':
			e.comment()
		case '#':
			if e.second() != '_' {
				return c, true, nil
			}
			e.pos += 2
			if _, err := e.value(depth+1, false); err != nil {
				return 0, false, err
			}
		default:
			return c, true, nil
		}
	}
}

func (e edn) comment() {
	for {
		if i := bytes.IndexByte(e.buf[e.pos:e.end], '\n'); i >= 0 {
			e.pos += i
			return
		}
		e.pos = e.end
		if !e.more() {
			return
		}
	}
}

// value reads one form. Without keep it is only skipped.
func (e edn) value(depth int, keep bool) (history.Value, error) {
	c, ok, err := e.space(depth)
	if err != nil {
		return history.Value{}, err
	}
	if !ok {
		return history.Value{}, e.cut("a value")
	}
	if depth > mostNesting {
		return history.Value{}, e.wrong("values are nested more than 100 deep", "")
	}
	switch c {
	case '[':
		return e.list(depth, ']', keep)
	case '(':
		return e.list(depth, ')', keep)
	case '{':
		return e.mapping(depth, keep)
	case '"':
		return e.text(keep)
	case '#':
		return e.dispatch(depth, keep)
	case '^':
		e.pos++
		if _, err := e.value(depth+1, false); err != nil { // metadata says nothing to us
			return history.Value{}, err
		}
		return e.value(depth+1, keep)
	case '\\':
		return e.char()
	case ')', ']', '}':
		return history.Value{}, e.wrong("a "+string(c)+" that closes nothing", "")
	}
	return e.atom(keep)
}

func (e edn) list(depth int, end byte, keep bool) (history.Value, error) {
	base := len(e.stack)
	if err := e.items(depth, end, keep); err != nil || !keep {
		return history.Value{}, err
	}
	return history.List(e.pop(base)...), nil
}

// items puts what stands up to the closing bracket on the stack; the opening one is next.
func (e edn) items(depth int, end byte, keep bool) error {
	line, column := e.line, e.column()
	e.pos++
	for {
		c, ok, err := e.space(depth)
		switch {
		case err != nil:
			return err
		case !ok:
			return e.cut(opened(end, line, column))
		case c == end:
			e.pos++
			return nil
		}
		item, err := e.value(depth+1, keep)
		if err != nil {
			return err
		}
		if keep {
			e.stack = append(e.stack, item)
		}
	}
}

func opened(end byte, line, column int) string {
	opening := map[byte]string{']': "[", ')': "(", '}': "{"}[end]
	return "what " + opening + " opens at " + strconv.Itoa(line) + ":" + strconv.Itoa(column)
}

func (e edn) mapping(depth int, keep bool) (history.Value, error) {
	line, column, base := e.line, e.column(), len(e.stack)
	if err := e.items(depth, '}', true); err != nil {
		return history.Value{}, err
	}
	items := e.pop(base)
	if len(items)%2 != 0 {
		return history.Value{}, e.wrong("the map that opens at "+strconv.Itoa(line)+":"+strconv.Itoa(column)+" has a key without a value", "")
	}
	entries := make([]history.Entry, 0, len(items)/2)
	for pair := range slices.Chunk(items, 2) {
		entries = append(entries, history.Entry{Key: pair[0], Val: pair[1]})
	}
	return history.Map(entries...), nil
}

func (e edn) text(keep bool) (history.Value, error) {
	line, column := e.line, e.column()
	raw, escapes, err := e.quoted()
	if err != nil || !keep {
		return history.Value{}, err
	}
	if !escapes {
		return history.String(e.intern(raw)), nil
	}
	text, err := unescape(raw, line, column)
	return history.String(text), err
}

// dispatch reads what begins with #: a set, a symbolic number, or a tagged value, whose tag is dropped.
func (e edn) dispatch(depth int, keep bool) (history.Value, error) {
	switch e.second() {
	case '{':
		e.pos++
		base := len(e.stack)
		err := e.items(depth, '}', keep)
		items := e.pop(base)
		slices.SortFunc(items, history.Value.Compare) // a set has no order, so two that are equal shall look equal
		return history.List(items...), err
	case '#':
		e.pos += 2
		return e.symbolic()
	}
	e.pos++
	if tag := e.token(&ednEnds); len(tag) == 0 {
		return history.Value{}, e.wrong("a # with nothing behind it", "")
	}
	return e.value(depth+1, keep)
}

func (e edn) symbolic() (history.Value, error) {
	switch name := e.token(&ednEnds); string(name) {
	case "Inf":
		return history.Float(math.Inf(1)), nil
	case "-Inf":
		return history.Float(math.Inf(-1)), nil
	case "NaN":
		return history.Float(math.NaN()), nil
	default:
		return history.Value{}, e.wrong("##"+string(name)+" is no number", "there are ##Inf, ##-Inf and ##NaN")
	}
}

func (e edn) char() (history.Value, error) {
	e.pos++
	c, ok := e.peek()
	if !ok {
		return history.Value{}, e.cut("a character")
	}
	if ednEnds[c] {
		e.pos++
		return history.String(string(rune(c))), nil
	}
	name := string(e.token(&ednEnds))
	if long, ok := map[string]string{"newline": "\n", "space": " ", "tab": "\t", "return": "\r", "formfeed": "\f", "backspace": "\b"}[name]; ok {
		return history.String(long), nil
	}
	if len(name) == 5 && name[0] == 'u' {
		if code, err := strconv.ParseUint(name[1:], 16, 16); err == nil {
			return history.String(string(rune(code))), nil
		}
	}
	if utf8.RuneCountInString(name) != 1 {
		return history.Value{}, e.wrong("no character is called \\"+name, "")
	}
	return history.String(name), nil
}

// atom reads nil, a boolean, a number, a keyword or a symbol; the last two become strings.
func (e edn) atom(keep bool) (history.Value, error) {
	text := e.token(&ednEnds)
	if e.err != nil {
		return history.Value{}, e.place(e.err)
	}
	if !keep {
		return history.Value{}, nil
	}
	v, ok := ednAtom(text, e.scanner)
	if !ok {
		if e.pos == e.end && e.eof {
			return v, e.cut("a value")
		}
		e.pos -= len(text)
		return history.Value{}, e.wrong(shown(text)+" is no value", "")
	}
	return v, nil
}

func ednAtom(text []byte, s *scanner) (history.Value, bool) {
	c := text[0]
	switch {
	case c == ':':
		return history.String(s.intern(text[1:])), len(text) > 1
	case c >= '0' && c <= '9', (c == '-' || c == '+') && len(text) > 1 && text[1] >= '0' && text[1] <= '9':
		return number(text)
	case !utf8.Valid(text), c < ' ', c == 0x7f:
		return history.Value{}, false
	}
	switch string(text) {
	case "nil":
		return history.Value{}, true
	case "true":
		return history.Bool(true), true
	case "false":
		return history.Bool(false), true
	}
	return history.String(s.intern(text)), true
}

// number reads an integer, a float, or a ratio, which stays text; so do integers that do not fit.
func number(text []byte) (history.Value, bool) {
	if i, ok := integer(text); ok {
		return history.Int(i), true
	}
	if bytes.IndexByte(text, '_') >= 0 || len(text) > 400 {
		return history.Value{}, false
	}
	bare := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("N")), []byte("M"))
	if i, err := strconv.ParseInt(string(bare), 10, 64); err == nil && text[len(text)-1] != 'M' {
		return history.Int(i), true
	}
	if digits(bytes.TrimLeft(bare, "+-")) {
		return history.String(string(bare)), true
	}
	if over, under, ok := bytes.Cut(text, []byte("/")); ok {
		return history.String(string(text)), digits(bytes.TrimLeft(over, "+-")) && digits(under)
	}
	for _, c := range bare {
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '-' && c != '+' {
			return history.Value{}, false
		}
	}
	f, err := strconv.ParseFloat(string(bare), 64)
	return history.Float(f), err == nil
}

// integer is the fast path: at most 18 digits.
func integer(text []byte) (int64, bool) {
	neg := text[0] == '-'
	if neg || text[0] == '+' {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		return -n, true
	}
	return n, true
}

func digits(text []byte) bool {
	return len(text) > 0 && !bytes.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

// ParseValue reads one value in EDN, with nothing but blanks and comments around it.
func ParseValue(text string) (history.Value, error) {
	e := edn{&scanner{buf: []byte(text), end: len(text), eof: true, line: 1, interns: map[string]string{}}}
	v, err := e.value(0, true)
	if err != nil {
		return v, err
	}
	if c, ok, err := e.space(0); err != nil || ok {
		return v, errors.Join(err, e.wrong("after the value stands "+shown([]byte{c}), ""))
	}
	return v, nil
}
