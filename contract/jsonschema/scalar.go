package jsonschema

import (
	"encoding/json"
	"math/big"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxLong is the longest text, and the longest list, that is written to meet a bound.
const maxLong = 2000

// someNumbers returns numbers on, and beside, each bound and multiple.
func someNumbers(hints conj) []any {
	set := []*big.Rat{rat(1, 1), rat(0, 1), rat(-1, 1), rat(1, 2), rat(100, 1)}
	product := rat(1, 1)
	var multiples []*big.Rat
	for _, h := range hints {
		if h.MultipleOf != nil {
			multiples = append(multiples, h.MultipleOf)
			product.Mul(product, h.MultipleOf)
		}
	}
	multiples = append(multiples, product)
	for _, h := range hints {
		for _, b := range []*big.Rat{h.Minimum, h.Maximum, h.ExclusiveMinimum, h.ExclusiveMaximum} {
			if b != nil {
				set = append(set, around(b, multiples)...)
			}
		}
	}
	for _, m := range multiples {
		for _, n := range []int64{1, 2, 3, 5, 7, -1} {
			set = append(set, new(big.Rat).Mul(m, rat(n, 1)))
		}
	}
	var out []any
	for _, r := range set {
		if n, ok := decimal(r); ok {
			out = append(out, n)
		}
	}
	return out
}

// around returns numbers at a bound, close to it on both sides, and the multiples next to it.
func around(b *big.Rat, multiples []*big.Rat) []*big.Rat {
	out := []*big.Rat{b}
	for _, d := range []*big.Rat{rat(1, 1), rat(1, 2), rat(1, 1000)} {
		out = append(out, new(big.Rat).Add(b, d), new(big.Rat).Sub(b, d))
	}
	for _, m := range append(multiples, rat(1, 1)) {
		q := new(big.Rat).Quo(b, m)
		floor := new(big.Int).Div(q.Num(), q.Denom())
		for _, n := range []int64{-1, 0, 1, 2} {
			k := new(big.Int).Add(floor, big.NewInt(n))
			out = append(out, new(big.Rat).Mul(m, new(big.Rat).SetInt(k)))
		}
	}
	return out
}

func rat(a, b int64) *big.Rat { return big.NewRat(a, b) }

// decimal writes a number as JSON does, where it has an end.
func decimal(r *big.Rat) (json.Number, bool) {
	if r.IsInt() {
		return json.Number(r.Num().String()), true
	}
	n, exact := r.FloatPrec()
	if !exact || n > 60 {
		return "", false
	}
	return json.Number(r.FloatString(n)), true
}

// someStrings returns texts of the lengths on and beside each bound, that match each pattern, and of each format.
func (g *generator) someStrings(hints conj) []any {
	texts := []string{"a", "", "A", "0", "é"}
	lengths := []int{}
	for _, h := range hints {
		for _, n := range []*int{h.MinLength, h.MaxLength} {
			if n != nil {
				lengths = append(lengths, *n-1, *n, *n+1)
			}
		}
		if h.Format != nil {
			texts = append(texts, formatted(h.Format.Name)...)
		}
	}
	for _, n := range lengths {
		if n >= 0 && n <= maxLong {
			texts = append(texts, filler(n), strings.Repeat("é", n))
		}
	}
	for _, h := range hints {
		if h.Pattern != nil {
			texts = append(texts, g.matching(h.Pattern.String(), lengths)...)
			texts = append(texts, g.unmatched(hints.patternsBut(h), h.Pattern.String())...)
		}
	}
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

// maxSearches bounds how often one comparison looks for texts between patterns.
const maxSearches = 200

// unmatched returns texts that some patterns match, together or one of them, and another does not.
func (g *generator) unmatched(patterns []string, other string) []string {
	var out []string
	sets := [][]string{patterns}
	for _, p := range patterns {
		sets = append(sets, []string{p})
	}
	for _, set := range sets {
		if g.searches++; g.searches > maxSearches {
			return out
		}
		if text, found, _ := between(set, other); found {
			out = append(out, text)
		}
	}
	return out
}

// patternsBut returns the patterns besides that of one.
func (as conj) patternsBut(s *part) []string {
	return slices.DeleteFunc(as.patterns(), func(p string) bool { return p == s.Pattern.String() })
}

// matching returns texts that a pattern matches, and some that are close.
func (g *generator) matching(pattern string, lengths []int) []string {
	text, err := translate(pattern)
	if err != nil {
		return nil
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil
	}
	re = re.Simplify()
	var out []string
	add := func(s string) {
		if utf8.ValidString(s) && len(s) <= maxLong && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, repeat := range append([]int{0, 1, 2, 3}, lengths...) {
		if repeat < 0 || repeat > maxLong {
			continue
		}
		for pick := range 12 { // the ends of classes, then by chance
			add(g.sample(re, repeat, pick))
		}
	}
	for _, s := range slices.Clone(out[:min(len(out), 4)]) {
		add("a" + s)
		add(s + "a")
		add(s + "\n")
		add(strings.ToUpper(s))
		add(strings.ToLower(s))
	}
	return out
}

// sample writes a text that matches: repeats what may repeat so often, and picks the same end of each class, or by chance.
func (g *generator) sample(re *syntax.Regexp, repeat, pick int) string {
	var out strings.Builder
	var write func(re *syntax.Regexp)
	steps := 0 // what repeats nothing repeats it for long
	times := func(n int, re *syntax.Regexp) {
		for range n {
			if steps++; out.Len() > maxLong || steps > 4*maxLong {
				return
			}
			write(re)
		}
	}
	write = func(re *syntax.Regexp) {
		switch re.Op {
		case syntax.OpLiteral:
			out.WriteString(string(re.Rune))
		case syntax.OpCharClass:
			out.WriteRune(g.member(re.Rune, pick))
		case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
			out.WriteRune([]rune("aZ0 é")[pick%5])
		case syntax.OpConcat, syntax.OpCapture:
			for _, sub := range re.Sub {
				write(sub)
			}
		case syntax.OpAlternate:
			i := pick % len(re.Sub)
			if pick > 5 {
				i = g.rng.IntN(len(re.Sub))
			}
			write(re.Sub[i])
		case syntax.OpStar:
			times(repeat, re.Sub[0])
		case syntax.OpPlus:
			times(max(repeat, 1), re.Sub[0])
		case syntax.OpQuest:
			times(min(repeat, 1), re.Sub[0])
		case syntax.OpRepeat:
			n := max(repeat, re.Min)
			if re.Max >= 0 {
				n = min(n, re.Max)
			}
			times(n, re.Sub[0])
		}
	}
	write(re)
	return out.String()
}

// member returns a character of a class, of which ranges has the ends.
func (g *generator) member(ranges []rune, pick int) rune {
	if len(ranges) == 0 {
		return 'a'
	}
	if pick < 8 {
		return sane(ranges[pick%len(ranges)])
	}
	i := g.rng.IntN(len(ranges)/2) * 2
	return sane(ranges[i] + rune(g.rng.IntN(int(min(ranges[i+1]-ranges[i], 200))+1)))
}

// sane replaces what no text can have.
func sane(r rune) rune {
	if !utf8.ValidRune(r) {
		return '\ufffd'
	}
	return r
}

// formatted returns texts of a format.
func formatted(name string) []string {
	return map[string][]string{
		"date-time": {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+01:00"}, "date": {"2024-02-29"}, "time": {"12:00:00Z"}, "duration": {"P1DT2H"},
		"email": {"a@example.com"}, "hostname": {"example.com"}, "ipv4": {"192.0.2.1"}, "ipv6": {"2001:db8::1"}, "uri": {"https://example.com/a"},
		"uri-reference": {"/a", "https://example.com/a"}, "uuid": {"123e4567-e89b-12d3-a456-426614174000"}, "regex": {"^a+$"},
		"json-pointer": {"/a"}, "relative-json-pointer": {"1/a"}, "uri-template": {"/a/{b}"}, "iri": {"https://example.com/é"},
		"idn-email": {"é@example.com"}, "idn-hostname": {"é.example.com"}, "iri-reference": {"/é"},
	}[name]
}
