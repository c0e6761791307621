package proto

import (
	"fmt"

	"github.com/assay-dev/assay/contract"
)

// tooDeep refuses what nests deeper than the limit, before anything that recurses sees it: a stack that overflows ends the
// process, and no one can recover from that.
func tooDeep(name string, text []byte) error {
	depth, line, start := 0, 1, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\n':
			line, start = line+1, i+1
		case '"', '\'':
			i = endOfString(text, i)
		case '/':
			i = endOfComment(text, i, &line, &start)
		case '{', '[', '(', '<':
			if depth++; depth > contract.MaxDepth {
				return fmt.Errorf("%s:%d:%d: nested deeper than %d levels, the most that is read", name, line, i-start+1, contract.MaxDepth)
			}
		case '}', ']', ')', '>':
			depth = max(0, depth-1)
		}
	}
	return nil
}

// endOfString returns where the string that starts at i ends. Strings end with their line.
func endOfString(text []byte, i int) int {
	for quote := text[i]; i+1 < len(text) && text[i+1] != '\n'; i++ {
		switch text[i+1] {
		case quote:
			return i + 1
		case '\\':
			i++
		}
	}
	return i
}

// endOfComment returns where the comment that may start at i ends, or i.
func endOfComment(text []byte, i int, line, start *int) int {
	if i+1 >= len(text) {
		return i
	}
	switch text[i+1] {
	case '/':
		for i+1 < len(text) && text[i+1] != '\n' {
			i++
		}
	case '*':
		for i += 2; i+1 < len(text) && (text[i] != '*' || text[i+1] != '/'); i++ {
			if text[i] == '\n' {
				*line, *start = *line+1, i+1
			}
		}
		i++
	}
	return i
}
