package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/assay-dev/assay/system"
)

// A ParseError says where a text is no fault.
type ParseError struct {
	Col  int // in characters, from 1
	Msg  string
	Hint string // what is allowed, or ""
}

// Error returns "column 1: no fault is called "dealy" (did you mean "delay"? …)".
func (e *ParseError) Error() string {
	text := fmt.Sprintf("column %d: %s", e.Col, e.Msg)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Parse reads a fault: kind(target, arguments). All errors are *ParseError, and
// Parse(f.String()) == f for every fault it returns.
func Parse(text string) (Fault, error) {
	p := &parser{text: text}
	f, err := p.fault()
	if err != nil {
		return nil, err
	}
	return f, nil
}

type parser struct {
	text string
	pos  int // in bytes
}

// An argument is "value" or "key=value" as it was written, a quoted value without its quotes.
type argument struct {
	key, value  string
	quoted      bool
	at, valueAt int
}

func (p *parser) fault() (Fault, error) {
	if at := strings.IndexFunc(p.text, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }); at >= 0 {
		return nil, p.wrong(at, "", "a fault has no characters that cannot be printed")
	}
	at := p.space()
	kind := p.take(isNameByte)
	if kind == "" {
		return nil, p.wrong(at, "such as kill(orders-1) or delay(orders -> payments, 3s)", "a fault starts with its kind, not with %s", p.next())
	}
	switch kind {
	case "kill", "pause", "restart":
		return p.process(kind)
	case "surge":
		return p.surge()
	}
	if slices.Contains(linkKinds(), kind) {
		return p.link(kind)
	}
	return nil, p.wrong(at, hint(kind, Kinds()), "no fault is called %q", kind)
}

func (p *parser) process(kind string) (Fault, error) {
	if err := p.expect("(", kind); err != nil {
		return nil, err
	}
	at := p.space()
	target, err := p.selector()
	if err != nil {
		return nil, err
	}
	if arrowAt, arrow := p.arrow(); arrow != "" {
		return nil, p.wrong(arrowAt, "such as "+kind+"(orders-1)", "%s takes instances, not a link", kind)
	}
	if target.name == system.Client {
		return nil, p.wrong(at, "the client may stand in links", "%s cannot hit the load driver", kind)
	}
	args, _, err := p.arguments(kind)
	if err != nil {
		return nil, err
	}
	pick, err := p.pick(kind, nil, args)
	if err != nil {
		return nil, err
	}
	return process{kind: kind, target: target, pick: pick}, nil
}

func (p *parser) link(kind string) (Fault, error) {
	if err := p.expect("(", kind); err != nil {
		return nil, err
	}
	from, err := p.selector()
	if err != nil {
		return nil, err
	}
	at, arrow := p.arrow()
	if arrow != "->" && arrow != "<->" {
		return nil, p.wrong(at, "A -> B is the data from A to B, A <-> B both", "%s needs a link, and here is %s", kind, p.next())
	}
	p.pos = at + len(arrow)
	to, err := p.selector()
	if err != nil {
		return nil, err
	}
	args, end, err := p.arguments(kind)
	if err != nil {
		return nil, err
	}
	f := link{kind: kind, from: from, to: to, both: arrow == "<->"}
	if kind != profileKind {
		f.rule.Kind = system.RuleKind(kind)
	}
	if err := p.apply(&f, args, end); err != nil {
		return nil, err
	}
	f.pick, err = p.pick(kind, params(kind), args)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// selector reads one target.
func (p *parser) selector() (selector, error) {
	at := p.space()
	var s selector
	if strings.HasPrefix(p.text[p.pos:], "*") {
		s.name, p.pos = "*", p.pos+1
	} else {
		s.name = p.take(isNameByte)
	}
	if s.name == "" || strings.ContainsRune(".-", rune(s.name[0])) {
		p.pos = at
		return s, p.wrong(at, "a service, an instance such as orders-1, or *", "a target is missing before %s", p.next())
	}
	p.space()
	if !strings.HasPrefix(p.text[p.pos:], "[") {
		return s, nil
	}
	if s.name == system.Client {
		return s, p.wrong(p.pos, "write client", "the client is one instance, and takes no brackets")
	}
	return s, p.brackets(&s)
}

// brackets reads "[*]" or "[key=value,…]".
func (p *parser) brackets(s *selector) error {
	p.pos++
	at := p.space()
	if strings.HasPrefix(p.text[p.pos:], "*") {
		p.pos++
		s.all = true
		if s.name == "*" {
			return p.wrong(at, "write *", "* selects every instance already")
		}
		return p.expect("]", "*")
	}
	for {
		if err := p.bracketKey(s); err != nil {
			return err
		}
		if p.space(); !strings.HasPrefix(p.text[p.pos:], ",") {
			return p.expect("]", "the keys of a target")
		}
		p.pos++
	}
}

func (p *parser) bracketKey(s *selector) error {
	at := p.space()
	name := p.take(isNameByte)
	slot := s.key(name)
	if slot == nil {
		if name == "" {
			return p.wrong(at, hint("", selectorKeys()), "a key is missing before %s", p.next())
		}
		return p.wrong(at, hint(name, selectorKeys()), "targets have no key %q", name)
	}
	if *slot != "" {
		return p.wrong(at, "", "%s is given twice", name)
	}
	if err := p.expect("=", name); err != nil {
		return err
	}
	at = p.space()
	value := strings.TrimSpace(p.take(func(b byte) bool { return !strings.ContainsRune(",]=[()*\"", rune(b)) }))
	if value == "" {
		return p.wrong(at, "", "%s has no value", name)
	}
	*slot = value
	return nil
}

// arguments reads everything after the target, up to the end of the text. End is where a missing one would stand.
func (p *parser) arguments(kind string) (args []argument, end int, err error) {
	for p.space(); strings.HasPrefix(p.text[p.pos:], ","); p.space() {
		p.pos++
		arg, err := p.argument()
		if err != nil {
			return nil, 0, err
		}
		args = append(args, arg)
	}
	end = p.pos
	if err := p.expect(")", "the arguments of "+kind); err != nil {
		return nil, 0, err
	}
	if at := p.space(); at < len(p.text) {
		return nil, 0, p.wrong(at, "one fault is one kind(…)", "nothing may follow the fault, and here is %s", p.next())
	}
	return args, end, nil
}

func (p *parser) argument() (argument, error) {
	arg := argument{at: p.space()}
	arg.valueAt = arg.at
	if err := p.value(&arg); err != nil {
		return arg, err
	}
	if !arg.quoted && p.pos < len(p.text) && p.text[p.pos] == '=' {
		p.pos++
		arg.key, arg.valueAt = arg.value, p.space()
		if err := p.value(&arg); err != nil {
			return arg, err
		}
	}
	if arg.value == "" && !arg.quoted {
		return arg, p.wrong(arg.valueAt, "", "an argument is missing before %s", p.next())
	}
	return arg, nil
}

// value reads a plain value, or a quoted one as Go writes strings.
func (p *parser) value(arg *argument) error {
	if !strings.HasPrefix(p.text[p.pos:], `"`) {
		arg.value = strings.TrimSpace(p.take(isArgumentByte))
		return nil
	}
	text, err := strconv.QuotedPrefix(p.text[p.pos:])
	if err == nil {
		arg.value, err = strconv.Unquote(text)
	}
	if err != nil {
		return p.wrong(p.pos, `such as "a \"quoted\" text"`, "a text starts here and has no end, or a backslash that means nothing")
	}
	arg.quoted = true
	p.pos += len(text)
	return nil
}

// apply gives the arguments of a fault of links their meaning, but for mode and value.
func (p *parser) apply(f *link, args []argument, end int) error {
	list := params(f.kind)
	given := map[string]int{}
	for _, arg := range args {
		param, err := p.paramOf(f.kind, list, arg)
		if err != nil {
			return err
		}
		name := param.name()
		if at, twice := given[name]; twice {
			return p.wrong(arg.at, "", "%s is given twice, first in column %d", name, p.col(at))
		}
		given[name] = arg.at
		if param.read == nil {
			continue
		}
		if problem, hint := param.read(f, arg.value); problem != "" {
			return p.wrong(arg.valueAt, hint, "%s", problem)
		}
	}
	for _, param := range list {
		if _, has := given[param.name()]; param.need && !has {
			return p.wrong(end, "such as "+param.such, "%s needs %s", f.kind, param.what)
		}
	}
	f.normalize()
	if key, problem := f.problem(); problem != "" {
		return p.wrong(blame(given, key, args, end), "", "%s", problem)
	}
	return nil
}

// blame returns where the argument stands that a problem is with, else the first.
func blame(given map[string]int, key string, args []argument, end int) int {
	if at, ok := given[key]; ok {
		return at
	}
	if len(args) > 0 {
		return args[0].at
	}
	return end
}

// paramOf finds what an argument stands for among those of a kind. One without read is for pick.
func (p *parser) paramOf(kind string, list []param, arg argument) (param, error) {
	keys := []string{}
	var unnamed *param
	for _, candidate := range list {
		if candidate.key == "" {
			unnamed = &candidate
			continue
		}
		keys = append(keys, candidate.key)
		if candidate.key == arg.key && !candidate.flag || candidate.flag && arg.key == "" && !arg.quoted && arg.value == candidate.key {
			return candidate, nil
		}
	}
	keys = append(keys, "mode", "value")
	switch {
	case arg.key == "mode" || arg.key == "value":
		return param{key: arg.key}, nil
	case arg.key == "" && unnamed != nil:
		return *unnamed, nil
	case arg.key == "":
		return param{}, p.wrong(arg.at, "allowed: "+strings.Join(keys, "=…, ")+"=…", "%s takes no argument %q", kind, arg.value)
	case slices.Contains(keys, arg.key):
		return param{}, p.wrong(arg.at, "write "+arg.key, "%s takes no value", arg.key)
	}
	return param{}, p.wrong(arg.at, hint(arg.key, keys), "%s has no argument %q", kind, arg.key)
}

// name names an argument in sentences.
func (p param) name() string {
	if p.key == "" {
		return strings.Replace(strings.Replace(p.what, "an ", "the ", 1), "a ", "the ", 1)
	}
	return p.key
}

// pick reads mode and value, which narrow the instances of any target.
func (p *parser) pick(kind string, list []param, args []argument) (pick, error) {
	var with With
	given := map[string]int{}
	for _, arg := range args {
		if _, err := p.paramOf(kind, list, arg); err != nil {
			return pick{}, err
		}
		if arg.key != "mode" && arg.key != "value" {
			continue
		}
		if at, twice := given[arg.key]; twice {
			return pick{}, p.wrong(arg.at, "", "%s is given twice, first in column %d", arg.key, p.col(at))
		}
		given[arg.key] = arg.at
		if err := p.setPick(arg, &with); err != nil {
			return pick{}, err
		}
	}
	if problem := with.pick().problem(); problem != "" {
		at, hasValue := given["value"]
		if !hasValue {
			at = given["mode"]
		}
		return pick{}, p.wrong(at, "", "%s", problem)
	}
	return with.pick(), nil
}

func (p *parser) setPick(arg argument, with *With) error {
	if arg.key == "mode" {
		with.Mode = Mode(arg.value)
		if with.Mode != All && (pick{mode: with.Mode, value: 1}).unknown() {
			return p.wrong(arg.valueAt, hint(arg.value, modes()), "no mode is called %q", arg.value)
		}
		return nil
	}
	n, err := strconv.Atoi(arg.value)
	if err != nil || n < 1 || n > maxValue {
		return p.wrong(arg.valueAt, "", "value is a whole number from 1, not %q", arg.value)
	}
	with.Value = n
	return nil
}
