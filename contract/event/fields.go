package event

import (
	"github.com/assay-dev/assay/contract"
)

// jsonFields lists the properties that a JSON Schema names and its old version did not. What that means for neighbours other rules say: this is for
// those who want to know what is new.
// What said is about is left out: it was told.
func jsonFields(old, new jsonVersion, sub subject, said []contract.Finding) (found []contract.Finding) {
	told := map[string]bool{}
	for _, f := range said {
		told[f.Path] = true
	}
	seen := map[[2]*node]bool{}
	var walk func(was, is []loc, path string, depth int)
	walk = func(was, is []loc, path string, depth int) {
		was, is = old.branches(was), new.branches(is)
		if len(is) == 0 || len(was) == 0 || seen[[2]*node{was[0].n, is[0].n}] || depth > maxListed {
			return
		}
		seen[[2]*node{was[0].n, is[0].n}] = true
		for _, name := range properties(is) {
			before, after := propertyOf(was, name), propertyOf(is, name)
			at := name
			if path != "" {
				at = path + "." + name
			}
			if len(before) > 0 {
				walk(before, after, at, depth+1)
				continue
			}
			f := sub.finding("json-property-added", contract.Change, at, "the property is new", "")
			f.Old, f.New = was[0].place(), after[0].place()
			if !told[f.Path] {
				found = append(found, f)
			}
		}
		walk(propertyOf(was, "[]"), propertyOf(is, "[]"), path+"[]", depth+1)
	}
	walk([]loc{old.at}, []loc{new.at}, "", 0)
	return found
}

// maxListed is how deep properties are listed.
const maxListed = 32

// properties returns the names of the properties that any of some schemas names, in their order.
func properties(all []loc) (names []string) {
	seen := map[string]bool{}
	for _, x := range all {
		if named := x.key("properties"); named.n != nil {
			for _, m := range named.n.members {
				if !seen[m.name] {
					seen[m.name] = true
					names = append(names, m.name)
				}
			}
		}
	}
	return names
}

func propertyOf(all []loc, name string) (found []loc) {
	for _, x := range all {
		if name == "[]" {
			found = append(found, property(x, name, true)...)
		} else if one := x.key("properties").key(name); one.n != nil {
			found = append(found, one)
		}
	}
	return found
}
