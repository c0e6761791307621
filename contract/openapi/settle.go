package openapi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

var decided = regexp.MustCompile(`type-|-enum|one-of|any-of|all-of|-min|-max|pattern|nullable|const|contains|unique-items|multiple-of|` +
	`property-names|dependent|-if-|-then-|-else-|prefix-items|unevaluated|schema-became|became-required|became-optional|new-required-request-property|required-property-removed|additional-properties`)

var undecided = regexp.MustCompile(`x-extensible|read-only|write-only|default-value|discriminator|stability|deprecat|sunset|media-type|` +
	`request-body-became|request-parameter-became-required|request-parameter-became-optional|request-body-became-required|header-became-optional|new-required-request-parameter`)

// decidable says whether documents decide about a rule: it speaks of what a schema allows, and of nothing that is understood beyond it.
func decidable(rule string) bool {
	if strings.Contains(rule, "request-body-became-not-nullable") || strings.Contains(rule, "request-body-became-enum") ||
		strings.Contains(rule, "media-type-schema-") {
		return true
	}
	return decided.MatchString(rule) && !undecided.MatchString(rule)
}

// decides says whether documents decide about a claim. A field that only moved within a composition was not removed.
func (c *comparison) decides(made *claim) bool {
	return decidable(made.Rule) || made.still && strings.HasSuffix(made.Rule, "-property-removed")
}

// shown says whether a document can be the witness of a rule.
func shown(rule string) bool { return decidable(rule) || strings.Contains(rule, "discriminator") }

// settle replaces what oasdiff holds for a break by a proof, where documents of all parts it speaks of showed that it is none.
func (c *comparison) settle() {
	c.claims = slices.DeleteFunc(c.claims, func(made *claim) bool {
		documents, safe := c.provenSafe(made)
		safe = safe || made.settled != ""
		if safe {
			c.prove(made.Subject, made.Path, fmt.Sprintf("oasdiff %s, proven safe", made.Rule), documents)
		}
		return safe
	})
}

func (c *comparison) provenSafe(made *claim) (documents int, safe bool) {
	op := c.byName[made.Subject]
	if !made.library || made.Severity == contract.Change || op == nil || !c.decides(made) || len(made.parts) == 0 {
		return 0, false
	}
	seen := 0
	for _, p := range op.paths() {
		touched := slices.ContainsFunc(made.parts, func(about string) bool { return within(p, about) })
		one, _ := op.either(p)
		if !touched || one.schema == nil {
			continue
		}
		s, ok := c.sites[op.name+"\x00"+p]
		if !ok || !s.safe || s.formats && strings.Contains(made.Rule, "type-") && !strings.Contains(made.Rule, "media-type-") {
			return 0, false
		}
		seen++
		documents += s.documents
	}
	return documents, seen > 0
}
