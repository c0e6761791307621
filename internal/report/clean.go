package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longText = 2000          // characters of a text that are shown; records hold the whole
	keptText = longText - 60 // of a text that is kept in the model, which leaves room for the words on what was cut
)

// Plain returns s so that it cannot act on what shows it: control characters (a terminal obeys them), marks that
// turn the direction of writing (they make a name read as another), and bytes that are no text are shown as \x1b, \u202e and
// \U000e0001, as all commands do. Line ends and tabs become spaces.
func Plain(s string) string {
	if isPlain(s) {
		return s
	}
	var out strings.Builder
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			out.WriteByte(' ')
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case r < 0x20:
			fmt.Fprintf(&out, `\x%02x`, r)
		case acts(r) && r > 0xffff:
			fmt.Fprintf(&out, `\U%08x`, r)
		case acts(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func isPlain(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || acts(r) {
			return false
		}
	}
	return true
}

// acts says whether a character does something else than stand there. Of the format characters the two joiners
// are left, which scripts and emoji need.
func acts(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' ||
		r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Co, r) || r >= 0xfff0 && r <= 0xffff && r != utf8.RuneError
}

// cut returns the first n characters of s, and says how many more there are.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := 0
	for i := range s {
		if runes == n {
			return fmt.Sprintf("%s… (%d more bytes)", s[:i], len(s)-i)
		}
		runes++
	}
	return s
}

// shown is a text of records as a report shows it.
func shown(s string) string { return Plain(cut(s, longText)) }

// brief is a text for one line of a table.
func brief(s string, n int) string {
	s = Plain(cut(s, 4*n)) // no more than needed of a text that may be long
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}

// pattern is an error's text without what differs from one operation to the next: hexadecimal ids and long numbers
// become #, so that the same error counts as one. Status codes and ports stay.
func pattern(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), 600)], "") // how much longer it is differs, too
	var out strings.Builder
	for i := 0; i < len(s); {
		n := idLength(s[i:])
		if n == 0 || i > 0 && wordByte(s[i-1]) {
			out.WriteByte(s[i])
			i++
			continue
		}
		out.WriteByte('#')
		i += n
	}
	return out.String()
}

// idLength returns how long the id or number is that s starts with, and 0 where it is an ordinary word: five digits
// or more, a hexadecimal word of eight or more with a digit in it, several of them with dashes, or a fraction.
func idLength(s string) int {
	n, digits := 0, 0
	for n < len(s) && (wordByte(s[n]) || s[n] == '-' || s[n] == '.') {
		if s[n] == '.' && (digits < n || n+1 >= len(s) || s[n+1] < '0' || s[n+1] > '9') {
			break
		}
		if s[n] >= '0' && s[n] <= '9' || s[n] == '.' {
			digits++
		} else if !hexByte(s[n]) && s[n] != '-' {
			return fraction(s)
		}
		n++
	}
	for n > 0 && (s[n-1] == '-' || s[n-1] == '.') {
		n--
	}
	switch {
	case n >= 5 && digits >= n:
		return n
	case n >= 8 && digits > 0:
		return n
	}
	return 0
}

// fraction returns the length of a number with decimals before a unit, such as 1.2034 of 1.2034s.
func fraction(s string) int {
	n, dot := 0, false
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.' && !dot) {
		dot = dot || s[n] == '.'
		n++
	}
	if !dot || n < 3 || s[n-1] == '.' {
		return 0
	}
	return n
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func hexByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func plural[N int | int64](n N, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
