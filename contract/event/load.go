package event

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A loader reads the files of one version, each once.
type loader struct {
	src   contract.Source
	opts  contract.Options
	files map[string]*node
}

// A loc is a value and where it stands: what a reference within it is relative to.
type loc struct {
	n    *node
	file string
	ptr  string
}

func (x loc) key(name string) loc {
	escaped := strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	return loc{x.n.get(name), x.file, x.ptr + "/" + escaped}
}

func (x loc) item(i int) loc { return loc{x.n.items[i], x.file, x.ptr + "/" + strconv.Itoa(i)} }

func (x loc) place() contract.Place {
	if x.n == nil {
		return contract.Place{File: x.file}
	}
	return x.n.at
}

// str returns the text of a scalar member, or "".
func (x loc) str(name string) string {
	if v := x.n.get(name); v != nil {
		return v.text
	}
	return ""
}

func (x loc) remote() bool { return strings.Contains(x.file, "://") }

func (l *loader) file(name string) (*node, error) {
	if n := l.files[name]; n != nil {
		return n, nil
	}
	data, err := l.bytes(name)
	if err != nil {
		return nil, err
	}
	n, err := parseTree(name, data)
	if err != nil {
		return nil, err
	}
	l.files[name] = n
	return n, nil
}

func (l *loader) bytes(name string) ([]byte, error) {
	if !strings.Contains(name, "://") {
		return l.src.Read(name)
	}
	if l.opts.Remote == nil {
		return nil, fmt.Errorf("it is on another host, and references to other hosts are refused unless they are allowed: copy the file beside this one")
	}
	return l.opts.Remote(name)
}

// mostRefs is how many references may lead to one another before a value stands.
const mostRefs = 64

// follow goes to what a reference names, and where that is one, on.
func (l *loader) follow(x loc) (loc, error) {
	for range mostRefs {
		if x.n == nil || x.n.kind != isObject {
			return x, nil
		}
		ref := x.n.get("$ref")
		if ref == nil {
			return x, nil
		}
		next, err := l.resolve(x.file, ref.text)
		if err != nil {
			return loc{}, fmt.Errorf("%s: $ref %q: %w", ref.at, ref.text, err)
		}
		x = next
	}
	return loc{}, fmt.Errorf("%s: references lead to one another and never to a value: one of them must name something else", x.place())
}

func (l *loader) resolve(from, ref string) (loc, error) {
	name, pointer, _ := strings.Cut(ref, "#")
	file, err := relative(from, name)
	if err != nil {
		return loc{}, err
	}
	n, err := l.file(file)
	if err != nil {
		return loc{}, err
	}
	x := loc{n: n, file: file}
	pointer, err = url.PathUnescape(pointer)
	if err != nil {
		return loc{}, err
	}
	if pointer == "" || pointer == "/" {
		return x, nil
	}
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		if x, err = l.follow(x); err != nil {
			return loc{}, err
		}
		if x.n != nil && x.n.kind == isList {
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(x.n.items) {
				return loc{}, fmt.Errorf("%s has no item %s", x.file, part)
			}
			x = x.item(i)
			continue
		}
		x = x.key(part)
		if x.n == nil {
			return loc{}, fmt.Errorf("%s has nothing at %s", file, x.ptr)
		}
	}
	return x, nil
}

// relative returns the file that a reference in another names. It does not leave the version's files.
func relative(from, name string) (string, error) {
	switch {
	case name == "":
		return from, nil
	case strings.Contains(name, "://"):
		return name, nil
	case strings.Contains(from, "://"):
		base, err := url.Parse(from)
		if err != nil {
			return "", err
		}
		u, err := base.Parse(name)
		if err != nil {
			return "", err
		}
		return u.String(), nil
	}
	file := path.Join(path.Dir(from), name)
	if path.IsAbs(name) || file == ".." || strings.HasPrefix(file, "../") {
		return "", fmt.Errorf("it names a file outside of the version's folder, which is not read")
	}
	return file, nil
}

// member returns a member, with its reference followed. Its n is nil where there is none.
func (l *loader) member(x loc, name string) (loc, error) { return l.follow(x.key(name)) }

// A named is a member of an object, or an item of a list under its number.
type named struct {
	name string
	loc
}

// each returns the members of an object or the items of a list, with references followed.
func (l *loader) each(x loc) ([]named, error) {
	x, err := l.follow(x)
	if err != nil || x.n == nil {
		return nil, err
	}
	var all []named
	for _, m := range x.n.members {
		all = append(all, named{m.name, x.key(m.name)})
	}
	for i := range x.n.items {
		all = append(all, named{strconv.Itoa(i), x.item(i)})
	}
	for i := range all {
		if all[i].loc, err = l.follow(all[i].loc); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// expand returns a value as encoding/json would have it, with all references in it replaced by what they name. One that leads
// into itself stays.
func (l *loader) expand(x loc) (any, error) {
	budget := limits{}
	return l.expanded(x, nil, &budget)
}

func (l *loader) expanded(x loc, open []*node, budget *limits) (any, error) {
	x, err := l.follow(x)
	if err != nil {
		return nil, err
	}
	if x.n == nil {
		return nil, nil
	}
	if err := budget.enter(x.place()); err != nil {
		return nil, err
	}
	defer budget.leave()
	for i, n := range open {
		if n == x.n {
			return map[string]any{"$ref": fmt.Sprintf("itself, %d up", len(open)-i)}, nil
		}
	}
	open = append(open, x.n)
	switch x.n.kind {
	case isObject:
		out := map[string]any{}
		for _, m := range x.n.members {
			if out[m.name], err = l.expanded(x.key(m.name), open, budget); err != nil {
				return nil, err
			}
		}
		return out, nil
	case isList:
		out := make([]any, len(x.n.items))
		for i := range x.n.items {
			if out[i], err = l.expanded(x.item(i), open, budget); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return x.n.plain(), nil
}

// text returns the expanded value as canonical JSON, "null" where there is none.
func (l *loader) text(x loc) (string, error) {
	v, err := l.expand(x)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v), nil
	}
	return string(data), nil
}
