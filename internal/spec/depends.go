package spec

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A dependency is one entry of depends_on, and where it stands.
type dependency struct {
	service string
	at      *yaml.Node
}

// dependencies returns the entries of a service's depends_on, in either of compose's forms.
func dependencies(service *yaml.Node) []dependency {
	_, n := child(service, "depends_on")
	if n == nil {
		return nil
	}
	var all []dependency
	for i, item := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			all = append(all, dependency{item.Value, item})
		case n.Kind == yaml.MappingNode && i%2 == 0:
			if _, required := child(n.Content[i+1], "required"); required == nil || required.Value != "false" {
				all = append(all, dependency{item.Value, item})
			}
		}
	}
	return all
}

// checkDependencies reports unknown services and circles.
func (t *topology) checkDependencies() {
	for _, n := range t.services {
		for _, d := range dependencies(n) {
			if !slices.Contains(t.names, d.service) {
				t.src.wrong(d.at, hint(d.service, t.names), "no service is called %q", brief(d.service))
			}
		}
	}
	done := map[string]bool{}
	for _, name := range t.names {
		if t.circle(name, nil, done) {
			return // one circle is often part of others
		}
	}
}

// circle follows dependencies from a service, and reports the first that leads back.
func (t *topology) circle(name string, way []string, done map[string]bool) bool {
	i := slices.Index(t.names, name)
	if i < 0 || done[name] {
		return false
	}
	way = append(way, name)
	for _, d := range dependencies(t.services[i]) {
		if back := slices.Index(way, d.service); back >= 0 {
			t.src.wrong(d.at, "none of them could start first", "services depend on each other in a circle: %s", strings.Join(append(way[back:], d.service), " -> "))
			return true
		}
		if t.circle(d.service, way, done) {
			return true
		}
	}
	done[name] = true
	return false
}
