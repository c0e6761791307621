package history

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// shorthandTxn is a transaction: micro-operations without anything between them.
var (
	shorthandTxn = regexp.MustCompile(`^(?:[arw][a-z](?:_|[0-9]+|\[[0-9,]*\])?)+$`)
	shorthandMop = regexp.MustCompile(`([arw])([a-z])(_|[0-9]+|\[[0-9,]*\])?`)
)

// txnOf returns the micro-operations of a transaction as it was called, and as it returned. Whether reads are of
// lists or of registers is decided by the whole history: lists, where any of its transactions appends.
func txnOf(text string, lists bool) (input, output Value, err error) {
	var asked, told []Value
	for _, part := range shorthandMop.FindAllStringSubmatch(text, -1) {
		key, name := String(part[2]), map[string]string{"a": "append", "r": "r", "w": "w"}[part[1]]
		switch {
		case name == "r":
			value, err := txnRead(part[3], lists)
			if err != nil {
				return Value{}, Value{}, fmt.Errorf("%s: %w", part[0], err)
			}
			asked, told = append(asked, List(String(name), key, Value{})), append(told, List(String(name), key, value))
		case name == "w" && lists:
			return Value{}, Value{}, fmt.Errorf("%s: a history appends to lists or writes registers, not both", part[0])
		default:
			n, err := strconv.ParseInt(part[3], 10, 64)
			if err != nil {
				return Value{}, Value{}, fmt.Errorf("%s: want a number to %s, such as %s%s1", part[0], map[string]string{"w": "write", "append": "append"}[name], part[1], part[2])
			}
			mop := List(String(name), key, Int(n))
			asked, told = append(asked, mop), append(told, mop)
		}
	}
	return List(asked...), List(told...), nil
}

// txnRead is what a read returned: of a list its digits, one by one, or [10,11]; of a register a number; nothing or _ is nil.
func txnRead(text string, lists bool) (Value, error) {
	if text == "_" {
		return Value{}, nil
	}
	var v Value
	switch {
	case strings.HasPrefix(text, "["):
		return v, json.Unmarshal([]byte(text), &v)
	case lists:
		items := make([]Value, len(text))
		for i := range text {
			items[i] = Int(int64(text[i] - '0'))
		}
		return List(items...), nil
	case text == "":
		return v, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return Int(n), err
}

// appends says whether a transaction of the shorthand appends to a list.
func appends(text string) bool {
	for _, token := range strings.Fields(text) {
		if t := txnToken.FindStringSubmatch(token); t != nil && shorthandTxn.MatchString(t[2]) {
			for _, part := range shorthandMop.FindAllStringSubmatch(t[2], -1) {
				if part[1] == "a" {
					return true
				}
			}
		}
	}
	return false
}

// txnToken is [CLIENT:]TXN[?!][(].
var txnToken = regexp.MustCompile(`^(?:([A-Za-z0-9_-]+):)?(.*?)([?!]?)(\(?)$`)

// txn reads a token if it is a transaction.
func (s *shorthand) txn(token string) (is bool, err error) {
	t := txnToken.FindStringSubmatch(token)
	if t == nil || !shorthandTxn.MatchString(t[2]) {
		return false, nil
	}
	client := t[1]
	if client == "" {
		client = fmt.Sprintf("t%d", len(s.ops)+1) // each on its own
	}
	if i, busy := s.open[client]; busy {
		return true, fmt.Errorf("client %s is still busy with operation %d", client, i+1)
	}
	op := Op{Name: "txn", Outcome: map[string]Outcome{"": OK, "?": Maybe, "!": Failed}[t[3]]}
	if op.Input, op.Output, err = txnOf(t[2], s.lists); err != nil {
		return true, err
	}
	if op.Outcome != OK {
		op.Output = Value{}
	}
	s.add(client, op, t[4] == "(")
	return true, nil
}
