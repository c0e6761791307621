package jsonschema

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// deviations are cases whose expectation no document bears out: what is right instead, and why.
func deviations() map[string][2]string {
	const unanchored = "the patterns [a-z]* and [A-Z]* are not anchored, and match each text, at nothing: both versions allow \"A1\""
	return map[string][2]string{
		"String: pattern 1": {"both", unanchored},
		"String: pattern 2": {"both", unanchored},
		"Conditional: if":   {"both", unanchored},
		"Conditional: then": {"both", unanchored},
		"Conditional: else": {"both", unanchored},
		"Const":             {"both", "a const that is a list, where the type is string, allows nothing: neither version has a document"},
		"Complex: anyOf 1":  {"both", "maxLength allows what is no text, and the other branch all texts: both versions allow all, also \"a text of more than ten\""},
		"Complex: oneOf 1":  {"forward", "\"aaaaaa\" matches one branch of the original, and both of the updated: the updated refuses it"},
		"Complex: oneOf 3":  {"none", "\"a\" matches one branch of the original, and both of the updated; null the updated alone allows"},
	}
}

// TestRegistryCases holds comparisons against the cases of a schema registry. Its "backward" is: what was written for the original
// is allowed by the updated, and not the other way round; "both" and "none" as they say.
func TestRegistryCases(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(conformance.Dir(t, "jsonschema-compat"), "compatibility-test-data.json"))
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Tests []struct {
			Enabled           bool
			ID, Compatibility string
			Original, Updated any
		}
	}
	if err := json.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	met := 0
	for i, c := range set.Tests {
		old, err := FromValue(c.Original, Draft7, nil)
		if err != nil {
			t.Errorf("%d %s: %v", i, c.ID, err)
			continue
		}
		updated, err := FromValue(c.Updated, Draft7, nil)
		if err != nil {
			t.Errorf("%d %s: %v", i, c.ID, err)
			continue
		}
		forth, back := Compare(old, updated, contract.Options{Seed: 1}), Compare(updated, old, contract.Options{Seed: 1})
		replay(t, old, updated, forth)
		replay(t, updated, old, back)
		independent(t, i, c.Original, c.Updated, forth)
		independent(t, i, c.Updated, c.Original, back)
		got := map[[2]bool]string{{true, true}: "both", {true, false}: "backward", {false, true}: "forward", {false, false}: "none"}[[2]bool{holds(forth), holds(back)}]
		if len(forth.Gaps)+len(back.Gaps) > 0 {
			t.Errorf("%d %s: gaps %v %v", i, c.ID, forth.Gaps, back.Gaps)
		}
		if got != c.Compatibility {
			if deviations()[c.ID][0] != got {
				t.Errorf("%d %s: got %s, want %s\n forth %+v\n back %+v", i, c.ID, got, c.Compatibility, forth, back)
			}
			continue
		}
		met++
	}
	t.Logf("%d of %d met", met, len(set.Tests))
}

// holds is what a registry asks, for which annotations count.
func holds(c Comparison) bool { return len(c.Breaks)+len(c.Notes)+len(c.Gaps) == 0 }

// replay checks each witness against the validators of both.
func replay(t *testing.T, from, to *Schema, c Comparison) {
	t.Helper()
	for _, b := range c.Breaks {
		if err := from.Validate([]byte(b.Document)); err != nil {
			t.Errorf("%s: %s is no witness: from refuses it: %v", b.Rule, b.Document, err)
		}
		if err := to.Validate([]byte(b.Document)); err == nil {
			t.Errorf("%s: %s is no witness: to allows it", b.Rule, b.Document)
		}
	}
}

// plainly compiles a schema as it stands, by the validator alone: nothing of ours reads or rewrites it. nil is: it does not take it.
func plainly(t *testing.T, schema any) *validator.Schema {
	t.Helper()
	c := validator.NewCompiler()
	c.DefaultDraft(validator.Draft7)
	if err := c.AddResource("case.json", schema); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("case.json")
	if err != nil {
		t.Logf("the validator alone does not take it: %v", err) // an enum of nothing
	}
	return s
}

// independent holds what a comparison says against the validator alone: each witness must be one, and where there is none, documents
// by chance must find none either.
func independent(t *testing.T, i int, from, to any, c Comparison) {
	t.Helper()
	before, after := plainly(t, from), plainly(t, to)
	if before == nil || after == nil {
		return
	}
	for _, b := range c.Breaks {
		v, err := decode([]byte(b.Document))
		if err != nil {
			t.Fatal(err)
		}
		if before.Validate(v) != nil || after.Validate(v) == nil {
			t.Errorf("%d: %s is no witness to the validator alone", i, b.Document)
		}
	}
	m := maker{rand.New(rand.NewPCG(uint64(i), 2))}
	for range 300 {
		if v := plainValue(m.document(3)); len(c.Breaks)+len(c.Notes) == 0 && before.Validate(v) == nil && after.Validate(v) != nil {
			t.Errorf("%d: %s breaks, and was not found", i, encode(v))
		}
	}
}
