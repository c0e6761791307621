package jsonschema

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
)

// maxStates bounds how far a comparison of patterns goes before it says that it does not know.
const maxStates = 3000

// maxWork bounds the instructions that it looks at.
const maxWork = 300_000

// A matcher is a pattern as a program that is run on all texts at once.
type matcher struct {
	prog *syntax.Prog
	work int
}

// A run is where a matcher stands after some text: which instructions are next, or that it has matched.
type run struct {
	at      []uint32
	matched bool
}

func newMatcher(pattern string) (*matcher, error) {
	text, err := translate(pattern)
	if err != nil {
		return nil, err
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(re.Simplify())
	return &matcher{prog: prog}, err
}

// step goes on by a character, or by the end of the text where next is -1. before is the character before, or -1.
func (m *matcher) step(r run, before, next rune) run {
	if r.matched {
		return r
	}
	flags := syntax.EmptyOpContext(before, next)
	seen := map[uint32]bool{}
	var open []uint32
	var follow func(pc uint32)
	follow = func(pc uint32) {
		if seen[pc] || r.matched {
			return
		}
		seen[pc] = true
		m.work++
		switch in := &m.prog.Inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			follow(in.Out)
			follow(in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			follow(in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^flags == 0 {
				follow(in.Out)
			}
		case syntax.InstMatch:
			r.matched = true
		case syntax.InstFail:
		default:
			if next >= 0 && in.MatchRune(next) {
				open = append(open, in.Out)
			}
		}
	}
	for _, pc := range r.at {
		follow(pc)
	}
	follow(uint32(m.prog.Start)) // a match may start anywhere
	if r.matched {
		return run{matched: true}
	}
	slices.Sort(open)
	return run{at: slices.Compact(open)}
}

// letters returns a character of each class that the matchers tell apart.
func letters(all []*matcher) []rune {
	ends := []rune{0, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1, '0', '9' + 1, '\n', '\n' + 1, 'é'}
	for _, m := range all {
		for i := range m.prog.Inst {
			runes := m.prog.Inst[i].Rune
			for j := 0; j < len(runes); j += 2 {
				ends = append(ends, runes[j])
				if j+1 < len(runes) {
					ends = append(ends, runes[j+1]+1)
				} else {
					ends = append(ends, runes[j]+1)
				}
			}
			if len(runes) == 1 { // may fold
				for f := unicode.SimpleFold(runes[0]); f != runes[0]; f = unicode.SimpleFold(f) {
					ends = append(ends, f, f+1)
				}
			}
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	out := slices.DeleteFunc(ends, func(r rune) bool { return r != sane(r) })
	slices.SortStableFunc(out, func(a, b rune) int { return plainness(a) - plainness(b) })
	return out
}

// plainness puts what people write first, so that witnesses are readable.
func plainness(r rune) int {
	switch {
	case r >= 'a' && r <= 'z':
		return 0
	case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
		return 1
	case r > ' ' && r < 127:
		return 2
	}
	return 3
}

// A place in the search for a text that all of some patterns match, and another does not.
type search struct {
	runs   []run // the last is that of the other
	before rune
	text   string
}

func (s search) key() string {
	word := s.before >= 0 && syntax.IsWordChar(s.before)
	return fmt.Sprint(s.runs, s.before < 0, word, s.before == '\n')
}

// between looks for a text that all of the patterns match and other does not. decided is false where it gave up.
func between(patterns []string, other string) (text string, found, decided bool) {
	var all []*matcher
	for i, p := range append(slices.Clone(patterns), other) {
		m, err := newMatcher(p)
		if err != nil && i == len(patterns) {
			return "", false, false
		}
		if err == nil { // without it, more texts are thought possible
			all = append(all, m)
		}
	}
	alphabet := letters(all)
	queue := []search{{runs: make([]run, len(all)), before: -1}}
	seen := map[string]bool{queue[0].key(): true}
	for i := 0; i < len(queue); i++ {
		if len(seen) > maxStates || workOf(all) > maxWork {
			return "", false, false
		}
		if end := queue[i].next(all, -1); end.witness() {
			return queue[i].text, true, true
		}
		for _, r := range alphabet {
			n := queue[i].next(all, r)
			if k := n.key(); !n.runs[len(n.runs)-1].matched && !seen[k] {
				seen[k] = true
				queue = append(queue, n)
			}
		}
	}
	return "", false, true
}

func workOf(all []*matcher) int {
	n := 0
	for _, m := range all {
		n += m.work
	}
	return n
}

func (s search) next(all []*matcher, r rune) search {
	n := search{runs: make([]run, len(all)), before: r, text: s.text}
	for i, m := range all {
		n.runs[i] = m.step(s.runs[i], s.before, r)
	}
	if r >= 0 {
		n.text += string(r)
	}
	return n
}

// witness reports whether the text so far is one.
func (s search) witness() bool {
	last := len(s.runs) - 1
	return !s.runs[last].matched && !slices.ContainsFunc(s.runs[:last], func(r run) bool { return !r.matched })
}
