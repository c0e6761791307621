package spec

import (
	"regexp"

	"github.com/compose-spec/compose-go/v2/template"
	"go.yaml.in/yaml/v3"
)

// dollarSigns reports variables in a compose file, which a run must not depend
// on. Compose reads $$ as $ and $NAME as a variable; one with a default of its own is fine.
func (s *source) dollarSigns(n *yaml.Node) {
	for _, item := range n.Content {
		s.dollarSigns(item)
	}
	if n.Kind != yaml.ScalarNode {
		return
	}
	for _, at := range template.DefaultPattern.FindAllStringSubmatchIndex(n.Value, -1) {
		found := n.Value[at[0]:at[1]]
		if found == "$$" || regexp.MustCompile(`^\$\{\w+:?-`).MatchString(found) {
			continue
		}
		// The position counts $$ once, as in a value.
		before := undollar(n.Value[:at[0]])
		unescaped := *n
		unescaped.Value = before + n.Value[at[0]:]
		s.wrongAt(&unescaped, len([]rune(before)), "write $$ for a dollar sign, or ${NAME:-default}", "%q is a variable, and assay sets none", brief(found))
	}
}

// undollar turns $$ into $.
func undollar(text string) string {
	return regexp.MustCompile(`\$\$`).ReplaceAllString(text, "$$")
}

// undollarTree returns the tree with $$ turned into $ in every value, as compose-go does for its own keys.
func undollarTree(n *yaml.Node) *yaml.Node {
	clone := *n
	clone.Content = nil
	for _, item := range n.Content {
		clone.Content = append(clone.Content, undollarTree(item))
	}
	if n.Kind == yaml.ScalarNode {
		clone.Value = undollar(n.Value)
	}
	return &clone
}
