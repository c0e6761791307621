package jsonschema

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// A prover tries to show that what some schemas all allow, another allows. Each of its rules is safe: where it says yes, there is
// no counterexample. Where it says no, it does not know.
type prover struct {
	from, to  *Schema // that judge values where there are few
	steps     int
	level     int // how deep in the document the proof is
	stack     []claim
	memo      map[string]bool
	numbers   map[*part]int // for keys
	trying    int           // how many attempts are under way: their failures are no obligations
	lowest    int           // index of the lowest claim that was taken for granted
	owed      []obligation
	shown     []string                  // paths at which something changed, and was proven
	noRuleFor func(keyword string) bool // tests plant a wrong rule by it: a keyword that is waved through
}

// A claim is one that is under way.
type claim struct {
	key   string
	level int
}

// An obligation is what could not be proven.
type obligation struct {
	path    string
	keyword string
	from    conj
	to      *part
}

const maxSteps = 20_000

func newProver(from, to *Schema) *prover {
	return &prover{from: from, to: to, memo: map[string]bool{}, numbers: map[*part]int{}, lowest: math.MaxInt}
}

// key names a claim.
func (p *prover) key(as conj, split []*part, b *part) string {
	ids := make([]int, 0, len(as))
	for _, a := range as {
		ids = append(ids, p.number(a))
	}
	slices.Sort(ids)
	used := make([]int, 0, len(split))
	for _, s := range split {
		used = append(used, p.number(s))
	}
	slices.Sort(used)
	return fmt.Sprint(ids, used, p.number(b))
}

func (p *prover) number(s *part) int {
	n, ok := p.numbers[s]
	if !ok {
		n = len(p.numbers)
		p.numbers[s] = n
	}
	return n
}

// subset reports whether b allows each value that all of as allow. split are those of as whose branches were told apart already.
//
// A claim that is met again below itself is taken for granted if the proof went into the document in between: by induction over
// the depth of documents it then holds. What rests on such a claim is not remembered before the claim is shown.
func (p *prover) subset(as conj, split []*part, b *part, path string) bool {
	as = flatten(as)
	b = target(b)
	if p.trivial(as, b) {
		return true
	}
	key := p.key(as, split, b)
	if ok, known := p.memo[key]; known && (ok || p.trying > 0) {
		return ok
	}
	if i := slices.IndexFunc(p.stack, func(c claim) bool { return c.key == key }); i >= 0 {
		p.lowest = min(p.lowest, i)
		return p.stack[i].level < p.level || p.owe(as, b, path, "$ref")
	}
	if p.steps++; p.steps > maxSteps || len(p.stack) > 200 {
		return p.owe(as, b, path, "size")
	}
	outer, here := p.lowest, len(p.stack)
	p.lowest = math.MaxInt
	p.stack = append(p.stack, claim{key, p.level})
	ok := p.direct(as, split, b, path)
	p.stack = p.stack[:here]
	if !ok || p.lowest >= here {
		p.memo[key] = ok
		if ok && p.trying == 0 {
			p.shown = append(p.shown, path)
		}
	}
	if p.lowest >= here {
		p.lowest = math.MaxInt
	}
	p.lowest = min(p.lowest, outer)
	return ok
}

// trivial knows what needs no look at keywords.
func (p *prover) trivial(as conj, b *part) bool {
	if b == nil || b.Bool != nil && *b.Bool {
		return true
	}
	return slices.ContainsFunc(as, func(a *part) bool { return a == b || same(a, b) }) || p.none(as, 4)
}

// direct proves keyword by keyword, and where that fails, case by case.
func (p *prover) direct(as conj, split []*part, b *part, path string) bool {
	if ok, decided := p.listed(as, b); decided {
		return ok || p.owe(as, b, path, "enum")
	}
	before := len(p.owed)
	if p.keywords(as, split, b, path) {
		return true
	}
	if p.attempt(func() bool { return p.cases(as, split, b, path) }) {
		p.owed = p.owed[:before]
		return true
	}
	return false
}

// attempt runs f without noting what it fails at.
func (p *prover) attempt(f func() bool) bool {
	p.trying++
	defer func() { p.trying-- }()
	return f()
}

// owe notes an obligation, and is false.
func (p *prover) owe(as conj, b *part, path, keyword string) bool {
	if p.noRuleFor != nil && p.noRuleFor(keyword) {
		return true
	}
	if p.trying == 0 && !slices.ContainsFunc(p.owed, func(o obligation) bool { return o.path == path && o.keyword == keyword && o.to == b }) {
		p.owed = append(p.owed, obligation{path, keyword, as, b})
	}
	return false
}

// listed decides by trying all values where they are few.
func (p *prover) listed(as conj, b *part) (ok, decided bool) {
	values, few := as.values()
	if !few {
		return false, false
	}
	for _, v := range values {
		allowed := true
		for _, a := range as {
			refusal, unknown := p.judge(a, v)
			if unknown {
				return false, false
			}
			allowed = allowed && !refusal
		}
		if !allowed {
			continue
		}
		refusal, unknown := p.judge(b, v)
		if unknown {
			return false, false
		}
		if refusal {
			return false, true
		}
	}
	return true, true
}

// judge says whether a part of either schema refuses a value.
func (p *prover) judge(s *part, v any) (refused, unknown bool) {
	refusal, unknown := p.refusal(s, v)
	return refusal != nil, unknown
}

// refusal returns why a part of either schema refuses a value.
func (p *prover) refusal(s *part, v any) (refusal *validator.ValidationError, unknown bool) {
	if p.from.asked.opaque || p.to.asked.opaque {
		defer lock(p.from, p.to)()
		p.from.asked.unknown, p.to.asked.unknown = "", ""
		defer func() { unknown = p.from.asked.unknown+p.to.asked.unknown != "" }()
	}
	errors.As(s.Validate(v), &refusal)
	return refusal, false
}

// lock takes what two schemas note for one judgement, in an order that is the same for whoever compares them the other way round.
func lock(a, b *Schema) (unlock func()) {
	if a.asked == b.asked {
		a.asked.Lock()
		return a.asked.Unlock
	}
	if fmt.Sprintf("%p", a.asked) > fmt.Sprintf("%p", b.asked) {
		a, b = b, a
	}
	a.asked.Lock()
	b.asked.Lock()
	return func() { a.asked.Unlock(); b.asked.Unlock() }
}

// cases tells apart what as can be: the branches of an anyOf or oneOf, the ways of an if, the kinds of values.
func (p *prover) cases(as conj, split []*part, b *part, path string) bool {
	for _, a := range as {
		if slices.Contains(split, a) {
			continue
		}
		var ways [][]*part
		switch {
		case len(a.AnyOf) > 1:
			ways = each(a.AnyOf)
		case len(a.OneOf) > 1:
			ways = each(a.OneOf)
		case a.If != nil:
			ways = [][]*part{notNil(a.If, a.Then), notNil(a.Else)}
		default:
			continue
		}
		return p.all(as, append(slices.Clone(split), a), ways, b, path)
	}
	if len(b.AnyOf)+len(b.OneOf) == 0 {
		return false
	}
	k := as.kinds(3)
	var ways [][]*part
	for _, name := range []string{"null", "boolean", "number", "string", "array", "object"} {
		if k&kindsOf([]string{name}) != 0 {
			ways = append(ways, []*part{typed(name)})
		}
	}
	return len(ways) > 1 && p.all(as, split, ways, b, path)
}

func (p *prover) all(as conj, split []*part, ways [][]*part, b *part, path string) bool {
	return !slices.ContainsFunc(ways, func(way []*part) bool {
		return !p.subset(append(slices.Clone(as), way...), split, b, path)
	})
}

func each(list []*part) [][]*part {
	out := make([][]*part, len(list))
	for i, s := range list {
		out[i] = []*part{s}
	}
	return out
}

func notNil(list ...*part) []*part {
	return slices.DeleteFunc(list, func(s *part) bool { return s == nil })
}

// into runs f one level deeper in the document.
func (p *prover) into(f func() bool) bool {
	p.level++
	defer func() { p.level-- }()
	return f()
}

// joinPath adds a property to a path.
func joinPath(path, name string) string {
	if strings.ContainsAny(name, ".[] ") || name == "" {
		name = fmt.Sprintf("%q", name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
