package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// parseJSON reads JSON, which YAML does not hold in full (tabs, escapes), with its places.
func (p *parser) parseJSON(data []byte) (*node, error) {
	j := jsonReader{parser: p, data: data, dec: json.NewDecoder(bytes.NewReader(data)), lines: []int{0}}
	j.dec.UseNumber()
	for i, c := range data {
		if c == '\n' {
			j.lines = append(j.lines, i+1)
		}
	}
	return j.value(0)
}

type jsonReader struct {
	*parser
	data  []byte
	dec   *json.Decoder
	lines []int // where each begins
}

// next returns the next token, and where it stands.
func (j *jsonReader) next() (json.Token, contract.Place, error) {
	from := int(j.dec.InputOffset())
	for from < len(j.data) && strings.IndexByte(" \t\r\n,:", j.data[from]) >= 0 {
		from++
	}
	line := sort.SearchInts(j.lines, from+1) - 1
	at := j.place(line+1, from-j.lines[line]+1)
	token, err := j.dec.Token()
	if err != nil {
		err = fmt.Errorf("%s: not JSON: %w", at, err)
	}
	return token, at, err
}

func (j *jsonReader) value(depth int) (*node, error) {
	token, at, err := j.next()
	if err != nil {
		return nil, err
	}
	if err := j.count(1, depth, at); err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return j.object(depth, at)
		}
		return j.array(depth, at)
	case string:
		return &node{at: at, text: quote(t)}, nil
	case json.Number:
		return &node{at: at, text: t.String()}, nil
	case bool:
		return &node{at: at, text: strconv.FormatBool(t)}, nil
	}
	return &node{at: at, text: "null"}, nil
}

func (j *jsonReader) object(depth int, at contract.Place) (*node, error) {
	n := &node{kind: object, at: at}
	seen := map[string]bool{}
	for j.dec.More() {
		token, at, err := j.next()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		if seen[key] {
			return nil, fmt.Errorf("%s: the key %q stands twice", at, key)
		}
		seen[key] = true
		kid, err := j.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.add(key, kid, at, false)
	}
	n.index()
	_, _, err := j.next()
	return n, err
}

func (j *jsonReader) array(depth int, at contract.Place) (*node, error) {
	n := &node{kind: array, at: at}
	for j.dec.More() {
		kid, err := j.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	_, _, err := j.next()
	return n, err
}
