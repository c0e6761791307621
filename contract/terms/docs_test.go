package terms

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

const page = "../../docs/contracts-terms.md"

// The page has each rule with an example and what it says, made from the tests' tables below its marker. ASSAY_UPDATE=1 writes it.
func TestPage(t *testing.T) {
	t.Parallel()
	const marker = "<!-- below: made by ASSAY_UPDATE=1 go test -run TestPage ./contract/terms -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(text), marker)
	if !ok {
		t.Fatalf("%s has no marker", page)
	}
	want := head + marker + comparisonRules(t) + checkRules(t)
	if os.Getenv("ASSAY_UPDATE") != "" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not what the rules say: ASSAY_UPDATE=1 go test -run TestPage ./contract/terms writes it", page)
	}
	blocks := strings.Split(head, "```yaml\n")[1:]
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if _, err := Read(t.Context(), memory("page", block)); err != nil {
			t.Errorf("an example of %s: %v", page, err)
		}
	}
	if len(blocks) < 2 {
		t.Errorf("%s has %d examples", page, len(blocks))
	}
}

// comparisonRules has each rule of Diff with the first edit that meets it.
func comparisonRules(t *testing.T) string {
	var b strings.Builder
	b.WriteString("\n## Rules of a comparison\n\nEach with a change of the [terms at the end of this page](#the-terms-that-are-changed), and what assay says of it.\n")
	done := map[string]bool{}
	for _, e := range edits() {
		for _, f := range diffed(t, base, strings.Replace(base, e.from, e.to, 1)).Findings {
			if key := f.Rule + string(f.Severity); !done[key] && strings.Contains(e.want, f.Rule+" "+string(f.Severity)) {
				done[key] = true
				entry(&b, f, e.from, e.to)
			}
		}
	}
	for _, p := range pairsOfTerms() {
		one := func(terms string) string { return "service: s\noperations: {" + p[0] + ": {" + terms + "}}\n" }
		for _, f := range diffed(t, one(p[1]), one(p[2])).Findings {
			if key := f.Rule + string(f.Severity); !done[key] {
				done[key] = true
				entry(&b, f, p[0]+": "+p[1], p[0]+": "+p[2])
			}
		}
	}
	for _, r := range append(rules(), callRules()...) {
		if !done[r.id+string(r.severity)] {
			t.Errorf("no example of %s as %s", r.id, r.severity)
		}
	}
	return b.String()
}

// checkRules has each rule of Check with the first breach that meets it.
func checkRules(t *testing.T) string {
	var b strings.Builder
	b.WriteString("\n## Rules of a check\n\nEach with a change of the [system at the end of this page](#the-system-that-is-changed). All of them break, but for what is marked unknown: it is not declared, and needed.\n")
	done := map[string]bool{}
	for _, e := range breaches() {
		if e.want == "" || strings.Contains(e.from, "#required") {
			continue
		}
		r := checked(t, strings.Replace(shop, e.from, e.to, 1), CheckOptions{})
		for _, f := range r.Findings {
			if f.Rule == e.want && !done[f.Rule] {
				done[f.Rule] = true
				entry(&b, f, e.from, e.to)
			}
		}
		if path, gap := strings.CutPrefix(e.want, "gap "); gap {
			for _, g := range r.Gaps {
				if strings.HasPrefix(g.Path, path) && strings.Contains(g.Why, e.text) {
					fmt.Fprintf(&b, "\n### unknown: %s\n`%s` → `%s`\n\n%s: %s.\n", g.Path, flat(e.from), flat(e.to), g.Subject, g.Why)
					break
				}
			}
		}
	}
	fmt.Fprintf(&b, "\n## The terms that are changed\n```yaml\n%s```\n\n## The system that is changed\n```yaml\n%s```\n", base, shop)
	return b.String()
}

func entry(b *strings.Builder, f contract.Finding, from, to string) {
	modes := ""
	if len(f.Modes) > 0 {
		modes = " · " + strings.Join(f.Modes, ", ")
	}
	fmt.Fprintf(b, "\n### %s (%s%s)\n`%s` → `%s`\n\n%s: %s.", f.Rule, f.Severity, modes, flat(from), flat(to), f.Subject, f.Text)
	if f.Try != "" {
		fmt.Fprintf(b, " Try: %s.", f.Try)
	}
	b.WriteString("\n")
	if w := f.Witness; w != nil && strings.Count(w.Document, "\n") < 20 {
		fmt.Fprintf(b, "```\n%s\n```\nAllowed by %s, refused by %s: %s.\n", w.Document, w.Allowed, w.Refused, w.Reason)
	}
}

// flat puts a piece of YAML on one line.
func flat(text string) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return "(nothing)"
	}
	return text
}
