package openapi

// A pair is two versions, and what is known to be the same in both.
type pair struct {
	old, new *document
	dirty    map[string]bool // references whose target, or something that it refers to, differs
}

// newPair finds the references that do not mean the same in both versions.
func newPair(old, new *document) *pair {
	p := &pair{old: old, new: new, dirty: map[string]bool{}}
	users := map[string][]string{} // by what they refer to
	var queue []string
	mark := func(ref string) {
		if !p.dirty[ref] {
			p.dirty[ref] = true
			queue = append(queue, ref)
		}
	}
	for _, d := range []*document{old, new} {
		for ref, target := range d.refs {
			target.eachRef(func(to string) { users[to] = append(users[to], ref) })
		}
	}
	for ref, target := range old.refs {
		if !equal(target, new.refs[ref]) {
			mark(ref)
		}
	}
	for ref := range new.refs {
		if old.refs[ref] == nil {
			mark(ref)
		}
	}
	for len(queue) > 0 {
		ref := queue[0]
		queue = queue[1:]
		for _, user := range users[ref] {
			mark(user)
		}
	}
	return p
}

// eachRef calls f for each reference below a node.
func (n *node) eachRef(f func(ref string)) {
	if n == nil {
		return
	}
	if n.ref != "" {
		f(n.ref)
	}
	for _, kid := range n.kids {
		kid.eachRef(f)
	}
}

// same says whether two nodes mean the same, with all that they refer to.
func (p *pair) same(a, b *node) bool {
	if !equal(a, b) {
		return false
	}
	clean := true
	a.eachRef(func(ref string) { clean = clean && !p.dirty[ref] })
	return clean
}

// sameOperation says whether two operations and what they take from their paths and documents mean the same. Callbacks are operations of their own.
func (p *pair) sameOperation(a, b *operation) bool {
	if p.old.version != p.new.version {
		return false // the same words mean other things: nullable in 3.0, siblings of $ref in 3.1
	}
	if a.path != b.path && !a.turned || !p.same(withoutCallbacks(a), withoutCallbacks(b)) || !p.same(a.item.get("parameters"), b.item.get("parameters")) {
		return false
	}
	return p.same(a.item.get("servers"), b.item.get("servers")) && p.sameSecurity(a, b)
}

func withoutCallbacks(o *operation) *node {
	if o.node.get("callbacks") == nil || o.depth >= maxCallbacks {
		return o.node
	}
	return o.node.pick(func(key string, kid *node) *node {
		if key == "callbacks" {
			return nil
		}
		return kid
	})
}

// sameSecurity compares the requirements, and the schemes that they name.
func (p *pair) sameSecurity(a, b *operation) bool {
	x, y := p.old.security(a), p.new.security(b)
	if !p.same(x, y) {
		return false
	}
	if x == nil {
		return true
	}
	for _, requirement := range x.kids {
		for _, scheme := range requirement.keys {
			if !p.same(p.old.scheme(scheme), p.new.scheme(scheme)) {
				return false
			}
		}
	}
	return true
}
