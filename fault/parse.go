package fault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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

// An argument is "value" or "key=value" as it was written.
type argument struct {
	key, value  string
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
	case "delay", "cut", "refuse":
		return p.link(kind)
	case "surge":
		return p.surge()
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
	with, _, err := p.arguments(kind)
	if err != nil {
		return nil, err
	}
	return process{kind: kind, target: target, pick: with.pick()}, nil
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
	with, delay, err := p.arguments(kind)
	if err != nil {
		return nil, err
	}
	return link{kind: kind, from: from, to: to, both: arrow == "<->", delay: delay, jitter: with.Jitter, pick: with.pick()}, nil
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

// arguments reads everything after the target, up to the end of the text.
func (p *parser) arguments(kind string) (With, time.Duration, error) {
	var args []argument
	for p.space(); strings.HasPrefix(p.text[p.pos:], ","); p.space() {
		p.pos++
		arg, err := p.argument()
		if err != nil {
			return With{}, 0, err
		}
		args = append(args, arg)
	}
	end := p.pos
	if err := p.expect(")", "the arguments of "+kind); err != nil {
		return With{}, 0, err
	}
	if at := p.space(); at < len(p.text) {
		return With{}, 0, p.wrong(at, "one fault is one kind(…)", "nothing may follow the fault, and here is %s", p.next())
	}
	return p.apply(kind, args, end)
}

func (p *parser) argument() (argument, error) {
	arg := argument{at: p.space()}
	arg.valueAt = arg.at
	arg.value = strings.TrimSpace(p.take(isArgumentByte))
	if p.pos < len(p.text) && p.text[p.pos] == '=' {
		p.pos++
		arg.key, arg.valueAt = arg.value, p.space()
		arg.value = strings.TrimSpace(p.take(isArgumentByte))
	}
	if arg.value == "" {
		return arg, p.wrong(arg.valueAt, "", "an argument is missing before %s", p.next())
	}
	return arg, nil
}

func argumentKeys(kind string) []string {
	if kind == "delay" {
		return []string{"jitter", "mode", "value"}
	}
	return []string{"mode", "value"}
}

// apply gives arguments their meaning. End is where a missing one would stand.
func (p *parser) apply(kind string, args []argument, end int) (With, time.Duration, error) {
	var with With
	var delay time.Duration
	given := map[string]int{}
	for _, arg := range args {
		if at, twice := given[arg.key]; twice {
			return with, 0, p.wrong(arg.at, "", "%s is given twice, first in column %d", argumentName(arg.key), p.col(at))
		}
		given[arg.key] = arg.at
		if err := p.set(kind, arg, &with, &delay); err != nil {
			return with, 0, err
		}
	}
	if kind == "delay" && delay == 0 {
		return with, 0, p.wrong(end, "such as delay(orders -> payments, 200ms)", "delay needs a duration")
	}
	if with.Jitter > delay {
		return with, 0, p.wrong(given["jitter"], "", "jitter %s is more than the delay of %s", duration(with.Jitter), duration(delay))
	}
	if problem := with.pick().problem(); problem != "" {
		at, hasValue := given["value"]
		if !hasValue {
			at = given["mode"]
		}
		return with, 0, p.wrong(at, "", "%s", problem)
	}
	return with, delay, nil
}

func argumentName(key string) string {
	if key == "" {
		return "the duration"
	}
	return key
}

// set puts one argument into with or delay.
func (p *parser) set(kind string, arg argument, with *With, delay *time.Duration) error {
	switch {
	case arg.key == "" && kind == "delay":
		return p.duration(arg, delay)
	case arg.key == "":
		return p.wrong(arg.at, "allowed: mode=…, value=…", "%s takes no argument %q", kind, arg.value)
	case arg.key == "jitter" && kind == "delay":
		return p.duration(arg, &with.Jitter)
	case arg.key == "mode":
		with.Mode = Mode(arg.value)
		if with.Mode != All && (pick{mode: with.Mode, value: 1}).unknown() {
			return p.wrong(arg.valueAt, hint(arg.value, modes()), "no mode is called %q", arg.value)
		}
	case arg.key == "value":
		n, err := strconv.Atoi(arg.value)
		if err != nil || n < 1 || n > maxValue {
			return p.wrong(arg.valueAt, "", "value is a whole number from 1, not %q", arg.value)
		}
		with.Value = n
	default:
		return p.wrong(arg.at, hint(arg.key, argumentKeys(kind)), "%s has no argument %q", kind, arg.key)
	}
	return nil
}

func (p *parser) duration(arg argument, into *time.Duration) error {
	d, err := time.ParseDuration(arg.value)
	if err != nil || d <= 0 {
		return p.wrong(arg.valueAt, "such as 200ms, 3s or 1m30s", "%q is no duration above zero", arg.value)
	}
	*into = d
	return nil
}

// duration writes d as short as time.ParseDuration reads it: 1m and not 1m0s.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
