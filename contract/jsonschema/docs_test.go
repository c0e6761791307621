package jsonschema

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

// TestDocs runs each example of the documentation: its document must be a witness, and the comparison must find one for that rule.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../../docs/contracts-json-schema.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, r := range Rules() {
		if !strings.Contains(text, "| `"+r.ID+"` |") {
			t.Errorf("%s is not documented", r.ID)
		}
	}
	examples := 0
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) != 5 || !strings.HasPrefix(line, "| `") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], "| `")
		}
		examples++
		example(t, cells[0], cells[2], cells[3], cells[4])
	}
	if examples < 25 {
		t.Errorf("only %d examples were run", examples)
	}
}

func example(t *testing.T, rule, old, new, witness string) {
	t.Helper()
	from, to := parse(t, old), parse(t, new)
	if rule == "format-narrowed" {
		from, to = from.AssertFormats(), to.AssertFormats()
	}
	if err := from.Validate([]byte(witness)); err != nil {
		t.Errorf("%s: the old version refuses %s: %v", rule, witness, err)
	}
	if err := to.Validate([]byte(witness)); err == nil {
		t.Errorf("%s: the new version allows %s", rule, witness)
	}
	c := Compare(from, to, contract.Options{Seed: 1})
	replay(t, from, to, c)
	if !slices.ContainsFunc(c.Breaks, func(b Break) bool { return b.Rule == rule }) {
		t.Errorf("%s: got %+v", rule, c)
	}
	if back := Compare(from, from.AssertFormats(), contract.Options{Seed: 1}); rule != "format-narrowed" && len(back.Breaks)+len(back.Gaps) > 0 {
		t.Errorf("%s: a version is not within itself: %+v", rule, back)
	}
}
