package openapi

// declared returns the properties that a schema declares, with those of what it is composed of.
func (d *document) declared(n *node, alternatives bool) map[string]*node {
	all := map[string]*node{}
	d.declare(all, n, alternatives, map[*node]bool{})
	return all
}

func (d *document) declare(all map[string]*node, n *node, alternatives bool, seen map[*node]bool) {
	if n == nil || n.kind != object || seen[n] {
		return
	}
	seen[n] = true
	if n.ref != "" {
		d.declare(all, d.refs[n.ref], alternatives, seen)
	}
	if props := n.get("properties"); props != nil && props.kind == object {
		for i, name := range props.keys {
			all[name] = props.kids[i]
		}
	}
	keys := []string{"allOf"}
	if alternatives {
		keys = append(keys, "oneOf", "anyOf")
	}
	for _, key := range keys {
		if list := n.get(key); list != nil {
			for _, one := range list.kids {
				d.declare(all, one, alternatives, seen)
			}
		}
	}
	for _, key := range []string{"then", "else"} {
		d.declare(all, n.get(key), alternatives, seen)
	}
}

// member returns the property of a schema, wherever in its composition it is declared.
func (d *document) member(n *node, name string) *node { return d.declared(n, true)[name] }

// keywordOf returns a keyword of a schema or of what it is composed of.
func (d *document) keywordOf(n *node, key string) *node {
	return d.lookKeyword(n, key, map[*node]bool{})
}

func (d *document) lookKeyword(n *node, key string, seen map[*node]bool) *node {
	if n = d.deref(n); n == nil || seen[n] {
		return nil
	}
	seen[n] = true
	if v := n.get(key); v != nil {
		return v
	}
	for _, list := range []string{"allOf", "oneOf", "anyOf"} {
		if all := n.get(list); all != nil && list != key {
			for _, one := range all.kids {
				if v := d.lookKeyword(one, key, seen); v != nil {
					return v
				}
			}
		}
	}
	return nil
}

// demanded returns the names that a schema requires, with those of what it is composed of: whoever keeps to it sends them, declared
// or not.
func (d *document) demanded(n *node) map[string]bool {
	all := map[string]bool{}
	d.demand(all, n, map[*node]bool{})
	return all
}

func (d *document) demand(all map[string]bool, n *node, seen map[*node]bool) {
	if n == nil || n.kind != object || seen[n] {
		return
	}
	seen[n] = true
	if n.ref != "" {
		d.demand(all, d.refs[n.ref], seen)
	}
	lists := []*node{n.get("required")}
	parts := []*node{n.get("then"), n.get("else")}
	for _, key := range []string{"allOf", "oneOf", "anyOf", "dependentSchemas"} {
		parts = append(parts, n.get(key).all()...)
	}
	for _, list := range append(lists, n.get("dependentRequired").all()...) {
		for _, name := range list.all() {
			all[name.str()] = true
		}
	}
	for _, one := range parts {
		d.demand(all, one, seen)
	}
}

// all returns what a list or an object holds; nil holds nothing.
func (n *node) all() []*node {
	if n == nil {
		return nil
	}
	return n.kids
}
