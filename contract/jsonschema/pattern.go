package jsonschema

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// patterns notes when a judgement asked for a pattern that cannot be matched here: that judgement is then none.
type patterns struct {
	sync.Mutex
	unknown string
	opaque  bool // some pattern is
}

// compile reads a pattern of ECMA-262. One that RE2 has no words for, such as a lookahead, compiles and is unknown when asked.
func (p *patterns) compile(pattern string) (validator.Regexp, error) {
	text, err := translate(pattern)
	if err == nil {
		var re *regexp.Regexp
		if re, err = regexp.Compile(text); err == nil {
			return known{re, pattern}, nil
		}
	}
	p.opaque = true
	return opaque{p, pattern, err}, nil
}

// known is a pattern that can be matched.
type known struct {
	re   *regexp.Regexp
	text string
}

func (k known) MatchString(s string) bool { return k.re.MatchString(s) }

// String returns the pattern as it was written.
func (k known) String() string { return k.text }

// opaque is one that cannot.
type opaque struct {
	all  *patterns
	text string
	err  error
}

func (o opaque) MatchString(string) bool {
	o.all.unknown = fmt.Sprintf("the pattern %q cannot be matched here: %v", o.text, o.err)
	return false
}

// String returns the pattern as it was written.
func (o opaque) String() string { return o.text }

// translate writes a pattern of ECMA-262 as RE2 has it. What both accept and read differently is refused or rewritten.
func translate(pattern string) (string, error) {
	const spaces = `\t\n\v\f\r \x{a0}\x{feff}\x{2028}\x{2029}\p{Zs}`
	var out strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			n, err := translateEscape(&out, pattern[i:], class, spaces)
			if err != nil {
				return "", err
			}
			i += n
		case class && c == '[':
			out.WriteString(`\[`) // [[:alpha:]] is a class of single characters there
		case class && c == ']':
			class = false
			out.WriteByte(c)
		case !class && c == '[':
			class = true
			if strings.HasPrefix(pattern[i:], "[^]") || strings.HasPrefix(pattern[i:], "[]") {
				return "", fmt.Errorf("%q has an empty class", pattern)
			}
			out.WriteByte(c)
		case !class && c == '.':
			out.WriteString(`[^\n\r\x{2028}\x{2029}]`)
		case !class && strings.HasPrefix(pattern[i:], "(?") && !anyPrefix(pattern[i:], "(?:", "(?<"):
			return "", fmt.Errorf("%q has a group that is a lookahead or sets flags", pattern)
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

// translateEscape writes an escape, of which rest has what follows the backslash, and returns how many bytes it took more than one.
func translateEscape(out *strings.Builder, rest string, class bool, spaces string) (int, error) {
	switch c := rest[0]; {
	case c == 's' && class:
		out.WriteString(spaces)
	case c == 's':
		out.WriteString("[" + spaces + "]")
	case c == 'S' && !class:
		out.WriteString("[^" + spaces + "]")
	case c == 'b' && class:
		out.WriteString(`\x08`)
	case c == '0' && (len(rest) == 1 || rest[1] < '0' || rest[1] > '9'):
		out.WriteString(`\x00`)
	case c == 'c' && len(rest) > 1:
		fmt.Fprintf(out, `\x%02x`, rest[1]&0x1f)
		return 1, nil
	case c == 'u' && len(rest) >= 5 && rest[1] != '{':
		if hex := rest[1:5]; strings.ToLower(hex) >= "d800" && strings.ToLower(hex) <= "dfff" {
			return 0, fmt.Errorf(`\u%s is half of a character`, hex)
		}
		out.WriteString(`\x{` + rest[1:5] + `}`)
		return 4, nil
	case c == 'u':
		out.WriteString(`\x`)
	case c == '/' || c == '-':
		out.WriteString(`\` + string(c))
	case strings.IndexByte("AzZQEaCS", c) >= 0:
		return 0, fmt.Errorf(`\%c means another thing elsewhere`, c)
	default:
		out.WriteString(`\` + string(c))
	}
	return 0, nil
}

func anyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
