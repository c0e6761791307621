package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/assay-dev/assay/history/etcdlog"
)

// headBytes is how much of a file is looked at.
const headBytes = 64 << 10

const lookedFor = "looked for operations as JSON lines, Jepsen's EDN ({:type :invoke …}) and JSON ({\"type\":\"invoke\"…}), " +
	"a log of an etcd run (… " + etcdlog.Mark + "0 :invoke …) and the shorthand (0:w1 1:r1); each may be gzipped"

// Sniff says which format a text is that begins with head.
func Sniff(head []byte) (Format, error) {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(head, " \t\r\n,")
	if len(text) == 0 {
		return "", fmt.Errorf("the file is empty, which is no history")
	}
	switch text[0] {
	case ';', '(':
		return JepsenEDN, nil
	case '#':
		if len(text) > 1 && text[1] != ' ' {
			return JepsenEDN, nil // a tag, or #_
		}
	case '[':
		if inner := bytes.TrimLeft(text[1:], " \t\r\n"); bytes.HasPrefix(inner, []byte("{")) {
			return sniffObject(inner)
		}
		return JepsenEDN, nil
	case '{':
		return sniffObject(text)
	}
	if bytes.Contains(head, []byte(etcdlog.Mark)) {
		return EtcdLog, nil
	}
	if isShorthand(text) {
		return Shorthand, nil
	}
	return "", fmt.Errorf("it begins with %q, which is no history; %s", text[:min(len(text), 30)], lookedFor)
}

var shorthandWord = regexp.MustCompile(`^(?:[A-Za-z0-9_-]+:(?:[a-z]|\))|(?:[arw][a-z](?:_|[0-9]+|\[[0-9,]*\])?)+[?!]?\(?$)`)

func isShorthand(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		return shorthandWord.Match(bytes.Fields(line)[0])
	}
	return false
}

// sniffObject looks at the first keys of what begins with {.
func sniffObject(text []byte) (Format, error) {
	if inner := bytes.TrimLeft(text[1:], " \t\r\n"); len(inner) == 0 || inner[0] != '"' && inner[0] != '}' {
		return JepsenEDN, nil
	}
	keys := firstKeys(text)
	has := func(key string) bool { return slices.Contains(keys, key) }
	switch {
	case has("at") && has("kind"):
		return Events, nil
	case has("client") && has("outcome") || has("id") && has("kind"):
		return Operations, nil
	case has("type") || has("process") || has("f"):
		return JepsenJSON, nil
	case bytes.HasPrefix(bytes.TrimLeft(text[1:], " \t\r\n"), []byte(`":`)): // {":type" …
		return JepsenJSON, nil
	}
	return "", fmt.Errorf("its first object has the keys %q, which no history has; %s", keys, lookedFor)
}

// firstKeys returns the keys of an object, as far as there are.
func firstKeys(text []byte) []string {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	var keys []string
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return keys
		}
		keys = append(keys, name)
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return keys
		}
	}
	return keys
}
