package scaffold

import (
	"cmp"
	"fmt"
	"strings"
)

// notes say what the proposed experiments cannot show yet: those on a link are unknown where their journey does not
// take it, and what none of them breaks is not tested.
func (t *topology) notes(entry *service) []string {
	var notes, onLinks, unbroken []string
	broken := map[string]bool{}
	for _, x := range t.experiments(entry) {
		name, _, _ := strings.Cut(x.fault(), "[")
		from, to, link := strings.Cut(name, " -> ")
		if !link {
			to = from
		}
		broken[to] = true
		if link && from == entry.Name {
			onLinks = append(onLinks, x.name)
		}
	}
	switch names := list(onLinks); {
	case len(onLinks) == 0:
	case !entry.known():
		notes = append(notes, fmt.Sprintf("%s: unknown until a journey meets the fault, and GET %s is not known to go beyond %s. assay.yaml has one in comments, %s: put a path of yours in it, and its name in those files",
			names, entry.path, entry.Name, entry.beyond()))
	case len(entry.needs) > 1:
		notes = append(notes, fmt.Sprintf("%s: unknown if %s, which calls GET %s, does not meet the fault. Then add a journey that does to assay.yaml, and let them drive it",
			names, entry.through(), cmp.Or(entry.deep, entry.path)))
	}
	for _, s := range t.services {
		if s.kind != "app" && !broken[s.Name] && s != entry {
			unbroken = append(unbroken, s.Name)
		}
	}
	if len(unbroken) > 0 {
		notes = append(notes, fmt.Sprintf("%s: no experiment breaks it yet. Copy one that breaks another service, with a journey that goes there", list(unbroken)))
	}
	return notes
}

// fault returns what the experiment's first fault is of: a service, or a link such as "web -> db".
func (x proposed) fault() string {
	_, call, _ := strings.Cut(x.text, `fault: "`)
	_, call, _ = strings.Cut(call, "(")
	call, _, _ = strings.Cut(call, ")")
	target, _, _ := strings.Cut(call, ",")
	return target
}
