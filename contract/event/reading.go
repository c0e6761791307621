package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// A reading resolves one datum as a reader does that looks at data, and not at schemas: it follows the specification's rules of
// resolution value by value. It is what witnesses are held against: a library's comparison refuses two schemas as a whole and
// cannot say which datum is refused.
type reading struct {
	data     []byte
	reached  map[any]bool // schemas of the reader
	misreads []string     // what it read as something other than was written
}

var errShort = errors.New("the datum ends early")

// read resolves data that w wrote for the reader r.
func (d *reading) read(w, r *schema) (any, error) {
	v, err := d.value(w, r, "")
	if err == nil && len(d.data) > 0 {
		err = fmt.Errorf("%d bytes are left over", len(d.data))
	}
	return v, err
}

func refusal(path, format string, args ...any) error {
	if path == "" {
		path = "the datum"
	}
	return fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
}

// value reads what w wrote. A nil r skips it.
func (d *reading) value(w, r *schema, path string) (any, error) {
	if w.kind == "union" {
		i, err := d.long()
		if err != nil {
			return nil, err
		}
		if i < 0 || i >= int64(len(w.branches)) {
			return nil, refusal(path, "no branch %d", i)
		}
		w = w.branches[i]
		return d.value(w, r, path)
	}
	if r != nil && r.kind == "union" {
		d.reached[r] = true
		branch := branchFor(w, r)
		if branch == nil {
			return nil, refusal(path, "wrote %s, and the reader has no branch for it in %s", describe(w), describe(r))
		}
		r = branch
	}
	if r != nil {
		d.reached[r] = true
		if why := unreadable(w, r); why != "" {
			return nil, refusal(path, "%s", why)
		}
	}
	switch w.kind {
	case "record":
		return d.record(w, r, path)
	case "array", "map":
		return d.several(w, r, path)
	case "enum":
		return d.enum(w, r, path)
	}
	raw, err := d.scalar(w)
	if err != nil || r == nil {
		return raw, err
	}
	return d.convert(w, r, raw, path)
}

// unreadable says why a reader cannot take what a writer's type writes, looking at this node alone, or "".
func unreadable(w, r *schema) string {
	switch {
	case w.kind != r.kind && !promotes(w.kind, r.kind):
		return fmt.Sprintf("wrote %s, and the reader has %s", describe(w), describe(r))
	case w.name != "" && !namesMatch(w, r):
		return fmt.Sprintf("wrote %s, and the reader has %s, without an alias", describe(w), describe(r))
	case w.kind == "fixed" && w.size != r.size:
		return fmt.Sprintf("wrote %d bytes, and the reader has %d", w.size, r.size)
	case w.kind == r.kind && w.logical == "decimal" && r.logical == "decimal" && (w.scale != r.scale || w.precision != r.precision):
		return fmt.Sprintf("wrote %s, and the reader has %s", describe(w), describe(r))
	}
	return ""
}

func (d *reading) record(w, r *schema, path string) (any, error) {
	out := map[string]any{}
	takes := map[*field]*field{} // a writer's field to the reader's
	if r != nil {
		for _, rf := range r.fields {
			wf := writerField(w, rf)
			switch {
			case wf == nil && !rf.hasDefault:
				return nil, refusal(join(path, rf.name), "not written, and the reader has no default for it")
			case wf == nil:
				out[rf.name] = rf.def
				for _, s := range nodes(rf.schema) {
					d.reached[s] = true // no writer's value ever gets there: only the default does, which parsing has checked
				}
			case takes[wf] == nil:
				takes[wf] = rf
			}
		}
	}
	for _, wf := range w.fields {
		rf := takes[wf]
		if rf == nil {
			if _, err := d.value(wf.schema, nil, join(path, wf.name)); err != nil {
				return nil, err
			}
			continue
		}
		v, err := d.value(wf.schema, rf.schema, join(path, rf.name))
		if err != nil {
			return nil, err
		}
		out[rf.name] = v
	}
	return out, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (d *reading) several(w, r *schema, path string) (any, error) {
	var inner *schema
	if r != nil {
		inner = r.items
	}
	list, object := []any{}, map[string]any{}
	for {
		n, err := d.long()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		if n < 0 {
			return nil, refusal(path, "blocks with sizes are not written by us")
		}
		for range n {
			key := ""
			if w.kind == "map" {
				text, err := d.bytes()
				if err != nil {
					return nil, err
				}
				key = string(text)
			}
			v, err := d.value(w.items, inner, path+suffix(w))
			if err != nil {
				return nil, err
			}
			list, object[key] = append(list, v), v
		}
	}
	if w.kind == "map" {
		return object, nil
	}
	return list, nil
}

func suffix(s *schema) string {
	if s.kind == "map" {
		return "{}"
	}
	return "[]"
}

func (d *reading) enum(w, r *schema, path string) (any, error) {
	i, err := d.long()
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(w.symbols)) {
		return nil, refusal(path, "no symbol %d", i)
	}
	name := w.symbols[i]
	switch {
	case r == nil:
	case slices.Contains(r.symbols, name):
		d.reached[symbol{r, slices.Index(r.symbols, name)}] = true
	case r.hasFallback:
		d.misread(path, name, r.fallback+", the default")
		return r.fallback, nil
	default:
		return nil, refusal(path, "wrote the symbol %s, which the reader does not know and has no default for", name)
	}
	return name, nil
}

func (d *reading) misread(path, wrote, read string) {
	if path == "" {
		path = "the datum"
	}
	d.misreads = append(d.misreads, fmt.Sprintf("%s: wrote %s, reads %s", path, wrote, read))
}

// convert promotes, and notes what changes its meaning on the way.
func (d *reading) convert(w, r *schema, raw any, path string) (any, error) {
	out := promote(raw, r.kind)
	if w.logical != r.logical {
		d.misread(path, meaning(w, raw), meaning(r, out))
	} else if changed := fmt.Sprint(out) != fmt.Sprint(raw) && lost(raw, out); changed {
		d.misread(path, fmt.Sprint(raw), plainNumber(out))
	}
	if text, ok := out.(string); ok && w.kind == "bytes" && !utf8.ValidString(text) {
		d.misread(path, fmt.Sprintf("the bytes %x", text), "text that is not UTF-8")
	}
	return out, nil
}

func promote(raw any, kind string) any {
	switch v := raw.(type) {
	case int64:
		switch kind {
		case "float":
			return float32(v)
		case "double":
			return float64(v)
		}
	case float32:
		if kind == "double" {
			return float64(v)
		}
	case string:
		if kind == "bytes" {
			return []byte(v)
		}
	case []byte:
		if kind == "string" {
			return string(v)
		}
	}
	return raw
}

// lost says whether an integer lost digits on its way to a floating-point number.
func lost(raw, out any) bool {
	n, ok := raw.(int64)
	if !ok {
		return false
	}
	switch f := out.(type) {
	case float32:
		return n != int64(float64(f)) || float64(f) >= math.MaxInt64
	case float64:
		return n != int64(f) || f >= math.MaxInt64
	}
	return false
}

func plainNumber(v any) string {
	switch f := v.(type) {
	case float32:
		return fmt.Sprintf("%.0f", f)
	case float64:
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprint(v)
}

func (d *reading) scalar(w *schema) (any, error) {
	switch w.kind {
	case "null":
		return nil, nil
	case "boolean":
		b, err := d.take(1)
		return err == nil && b[0] != 0, err
	case "int", "long":
		return first(d.long())
	case "float":
		b, err := d.take(4)
		if err != nil {
			return nil, err
		}
		return math.Float32frombits(binary.LittleEndian.Uint32(b)), nil
	case "double":
		b, err := d.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case "string":
		b, err := d.bytes()
		return string(b), err
	case "bytes":
		return first(d.bytes())
	}
	return first(d.take(w.size))
}

// first returns v as any: a nil interface where there is an error.
func first[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (d *reading) long() (int64, error) {
	v, n := binary.Varint(d.data)
	if n <= 0 {
		return 0, errShort
	}
	d.data = d.data[n:]
	return v, nil
}

func (d *reading) take(n int) ([]byte, error) {
	if n < 0 || n > len(d.data) {
		return nil, errShort
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b, nil
}

func (d *reading) bytes() ([]byte, error) {
	n, err := d.long()
	if err != nil || n > int64(len(d.data)) {
		return nil, errShort
	}
	return d.take(int(n))
}
