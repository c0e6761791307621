package history

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Shorthand reads a history of model operations on one object, "x", from one
// line, for tests and documentation:
//
//	0:w1 1:r1 0:w2 1:r1        client 1 reads 1 after client 0 wrote 2: stale
//
// An operation is CLIENT:OPVALUE, and operations follow one another unless they
// are opened and closed: "0:w1(" is called here, and client 0 returns at "0:)".
//
//	0:w1( 1:r1 0:)             the read happens while the write does
//
// OP is r read, w write, c cas, a append, e enqueue, or d dequeue. VALUE is
// JSON without spaces, and nothing for nil; a cas takes [from,to]. A key goes
// before the value with an equals sign. The outcome is ok, unless a ? makes it
// maybe or a ! makes it failed:
//
//	0:wk=1? 1:c[1,2]! 0:r[1,2] 1:rk=
//
// Transactions are micro-operations one after another, each a letter, a key of
// one letter and a value; a client is optional, and each without one is of a client of its own:
//
//	ax1ry12        appends 1 to x, and reads [1,2] from y
//	0:wx1?( 1:rx1ry 0:)
//
// A read of a list is its digits, or [10,11], and nothing is the empty list.
// Where no transaction of the history appends, reads are of registers: a
// number, and nothing is nil. An _ is nil in both.
//
// Each call and each return is a millisecond after the one before.
func Shorthand(text string) ([]Op, error) {
	s := shorthand{open: map[string]int{}, lists: appends(text)}
	for _, token := range strings.Fields(text) {
		if err := s.token(token); err != nil {
			return nil, fmt.Errorf("shorthand %q: %w", token, err)
		}
	}
	for client, i := range s.open {
		return nil, fmt.Errorf("shorthand: operation %d of client %s is opened by ( and never closed by %s:)", i+1, client, client)
	}
	return s.ops, nil
}

type shorthand struct {
	ops   []Op
	open  map[string]int // client: index of its operation that was not closed yet
	clock time.Duration
	lists bool // transactions read lists, and not registers
}

var shorthandToken = regexp.MustCompile(`^([A-Za-z0-9_-]+):(?:(\))|([a-z])(?:([A-Za-z][A-Za-z0-9_-]*)=)?(.*?)([?!]?)(\(?))$`)

func (s *shorthand) token(token string) error {
	if is, err := s.txn(token); is {
		return err
	}
	part := shorthandToken.FindStringSubmatch(token)
	if part == nil {
		return fmt.Errorf("want CLIENT:OPVALUE, such as 0:w1, or a transaction, such as ax1ry12")
	}
	client := part[1]
	i, isOpen := s.open[client]
	if part[2] == ")" {
		if !isOpen {
			return fmt.Errorf("client %s has nothing to close", client)
		}
		delete(s.open, client)
		s.ops[i].Return = s.tick()
		return nil
	}
	if isOpen {
		return fmt.Errorf("client %s is still busy with operation %d", client, i+1)
	}
	op, err := shorthandOp(part[3], part[5])
	if err != nil {
		return err
	}
	if part[4] != "" {
		op.Key = String(part[4])
	}
	op.Outcome = map[string]Outcome{"": OK, "?": Maybe, "!": Failed}[part[6]]
	s.add(client, op, part[7] == "(")
	return nil
}

func (s *shorthand) add(client string, op Op, open bool) {
	op.ID, op.Client, op.Kind, op.Object = uint64(len(s.ops))+1, client, Model, "x"
	op.Call = s.tick()
	op.Scheduled = op.Call
	if open {
		s.open[client] = len(s.ops)
	} else {
		op.Return = s.tick()
	}
	s.ops = append(s.ops, op)
}

func (s *shorthand) tick() time.Duration {
	s.clock += time.Millisecond
	return s.clock
}

func shorthandOp(letter, text string) (Op, error) {
	var value Value
	if text != "" {
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return Op{}, fmt.Errorf("value %s: %w", text, err)
		}
	}
	switch letter {
	case "r":
		return Op{Name: "read", Output: value}, nil
	case "w":
		return Op{Name: "write", Input: value}, nil
	case "c":
		return Op{Name: "cas", Input: value}, nil
	case "a":
		return Op{Name: "append", Input: value}, nil
	case "e":
		return Op{Name: "enqueue", Input: value}, nil
	case "d":
		return Op{Name: "dequeue", Output: value}, nil
	}
	return Op{}, fmt.Errorf("no operation is called %q (allowed: r, w, c, a, e, d)", letter)
}
