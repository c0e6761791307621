package spec

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/schema"
	"go.yaml.in/yaml/v3"
)

// libraryError puts compose-go's error where its message points: it names paths
// such as services.orders.deploy, or a service.
func (t *topology) libraryError(err error) {
	msg := strings.TrimSpace(strings.ReplaceAll(err.Error(), t.dir+"/", ""))
	if _, rest, ok := strings.Cut(msg, "validating "); ok {
		_, msg, _ = strings.Cut(rest, ": ")
	}
	msg = strings.TrimSuffix(strings.TrimPrefix(msg, "error while interpolating "), ": invalid compose project")
	if t.unknownKey(msg) {
		return
	}
	if m := regexp.MustCompile(`^env file (\S+) not found`).FindStringSubmatch(msg); m != nil {
		line, col := t.src.find(m[1])
		t.src.add(line, col, "", "there is no file %s", m[1])
		return
	}
	t.src.wrong(t.locate(msg), "", "%s", strings.ReplaceAll(msg, "\n", " "))
}

// unknownKey reports what compose's schema says of a key that it does not have:
// either "PATH additional properties 'KEY' not allowed" or "PATH.KEY false schema".
func (t *topology) unknownKey(msg string) bool {
	where, name := "", ""
	if m := regexp.MustCompile(`^(.*)additional properties '([^']*)'`).FindStringSubmatch(msg); m != nil {
		where, name = strings.TrimSpace(m[1]), m[2]
	} else if path, ok := strings.CutSuffix(msg, " false schema"); ok {
		at := strings.LastIndex(path, ".")
		where, name = path[:max(at, 0)], path[at+1:]
	}
	key, _ := child(t.locate(where), name)
	if key == nil {
		return false
	}
	if where == "" {
		where = "the compose file"
	}
	t.src.wrong(key, suggestKey(name), "%s has no key %q", where, name)
	return true
}

// locate returns the deepest node that a message names.
func (t *topology) locate(msg string) *yaml.Node {
	if m := regexp.MustCompile(`service "([^"]+)"`).FindStringSubmatch(msg); m != nil && t.serviceKey(m[1]) != nil {
		return t.serviceKey(m[1])
	}
	path := regexp.MustCompile(`\b(services|networks|volumes|configs|secrets|models)\.[^\s:]+`).FindString(msg)
	n := t.src.root
	for path != "" {
		next, rest := t.step(n, path)
		if next == nil {
			break
		}
		n, path = next, rest
	}
	if n == t.src.root {
		return t.locateTop(msg)
	}
	return n
}

// locateTop finds a message about a top-level key, such as "services must be a mapping".
func (t *topology) locateTop(msg string) *yaml.Node {
	word, _, _ := strings.Cut(msg, " ")
	if _, value := child(t.src.root, strings.TrimSuffix(word, ":")); value != nil {
		return value
	}
	return t.src.root
}

// step goes one level down: keys may hold dots, so the longest that fits is taken.
func (t *topology) step(n *yaml.Node, path string) (*yaml.Node, string) {
	path = strings.TrimLeft(path, ".")
	if m := regexp.MustCompile(`^\[?(\d+)\]?\.?`).FindStringSubmatch(path); m != nil && n.Kind == yaml.SequenceNode {
		if next, ok := follow(n, "["+m[1]+"]"); ok {
			return next, path[len(m[0]):]
		}
		return nil, ""
	}
	var best string
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		rest, ok := strings.CutPrefix(path, key)
		if ok && len(key) > len(best) && (rest == "" || strings.ContainsRune(".[", rune(rest[0]))) {
			best = key
		}
	}
	if best == "" {
		return nil, ""
	}
	_, next := child(n, best)
	return next, path[len(best):]
}

// suggestKey returns a hint among all keys that compose's schema knows.
func suggestKey(key string) string {
	var root any
	if json.Unmarshal([]byte(schema.Schema), &root) != nil {
		return ""
	}
	names := map[string]bool{}
	collectKeys(root, names)
	return hint(key, slices.Sorted(maps.Keys(names)))
}

func collectKeys(x any, into map[string]bool) {
	switch x := x.(type) {
	case map[string]any:
		if properties, ok := x["properties"].(map[string]any); ok {
			for name := range properties {
				into[name] = true
			}
		}
		for _, item := range x {
			collectKeys(item, into)
		}
	case []any:
		for _, item := range x {
			collectKeys(item, into)
		}
	}
}
