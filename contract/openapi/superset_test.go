package openapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	library "github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// alone runs the library by itself, on the whole versions.
func alone(t testing.TB, old, new string) checker.Changes {
	read := func(name, text string) *load.SpecInfo {
		info, err := load.NewSpecInfoFromData(openapi3.NewLoader(), []byte(text), name)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	report, sources, err := library.GetWithOperationsSourcesMap(library.NewConfig(), read("old", old), read("new", new))
	if err != nil {
		t.Fatal(err)
	}
	return checker.CheckBackwardCompatibilityUntilLevel(checker.NewConfig(checker.GetAllChecks()), report, sources, checker.INFO)
}

// missing returns what the library found and a diff neither says nor proves to be safe; and what it proves.
func missing(changes checker.Changes, d contract.Diff) (lost, proven []string) {
	for _, c := range changes {
		if strings.Contains(c.GetId(), "sunset-date-") {
			continue // what only a clock decides
		}
		subject := c.GetOperation() + " " + c.GetPath()
		rule := strings.Replace(c.GetId(), "-before-sunset", "-with-deprecation", 1)
		about := func(have string) bool { return have == subject || c.GetPath() == "" }
		line := fmt.Sprintf("%s %s at %s", c.GetLevel(), c.GetId(), subject)
		switch {
		case slices.ContainsFunc(d.Findings, func(f contract.Finding) bool { return f.Rule == rule && about(f.Subject) }):
		case slices.ContainsFunc(d.Proofs, func(p contract.Proof) bool { return p.By == "oasdiff "+rule+", proven safe" && about(p.Subject) }):
			proven = append(proven, line)
		default:
			lost = append(lost, line)
		}
	}
	return lost, proven
}

// All that oasdiff finds in the whole versions is found in what we give it, or is proven to be safe.
func TestSuperset(t *testing.T) {
	findings, alarms := 0, map[string]int{}
	try := func(name, old, new string) {
		changes := alone(t, old, new)
		lost, proven := missing(changes, diff(t, old, new))
		findings += len(changes)
		for _, line := range lost {
			t.Errorf("%s: lost: %s", name, line)
		}
		for _, line := range proven {
			alarms[name+": "+line]++
		}
	}
	for _, e := range edits() {
		try(e.name, e.old, e.new)
	}
	all := append(requestMutations(), otherMutations()...)
	for i, mutant := range all[:conformance.Fewer(len(all))] {
		g := generate(uint64(1000+i), 2)
		if changed := g.clone(); mutant.do(changed, 0) {
			try(mutant.name, g.json(), changed.json())
		}
	}
	t.Logf("oasdiff reports %d changes; proven to be safe, and so left out:", findings)
	for line := range alarms {
		t.Logf("  %s", line)
	}
	if len(alarms) == 0 {
		t.Error("none of oasdiff's false alarms was seen: the edits hold some")
	}
}
