package contracts

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

const shop = "../../examples/shop"

// A planted change is one edit of the shop's contracts, and the subject that it breaks.
type planted struct{ name, file, old, new, subject string }

func readPlanted(t *testing.T, file string) (all []planted) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(shop, "contracts", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(content), "\n== ")[1:] {
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		if len(lines) != 5 {
			t.Fatalf("block %q has %d lines, want 5", lines[0], len(lines))
		}
		text := func(line, key string) string {
			return strings.ReplaceAll(strings.TrimPrefix(line, key+" "), `\n`, "\n")
		}
		all = append(all, planted{lines[0], text(lines[1], "file"), text(lines[2], "old"), text(lines[3], "new"), lines[4]})
	}
	return all
}

// contractOf is what is compared for a file of the shop, and its kind.
func contractOf(file string) (path string, kind contract.Kind) {
	switch {
	case strings.HasSuffix(file, ".proto"):
		return "paymentspb", contract.Proto
	case strings.HasSuffix(file, ".schema.json"):
		return "contracts/events.asyncapi.yaml", contract.AsyncAPI
	case strings.HasPrefix(file, "contracts/terms/"):
		return "contracts/terms", contract.Terms
	}
	return file, ""
}

// planted makes a copy of the shop's contracts with the change, and compares what it is of with what it was.
func (p planted) diff(t *testing.T) Report {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"contracts", "paymentspb"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(shop, folder))); err != nil {
			t.Fatal(err)
		}
	}
	path, kind := contractOf(p.file)
	compare := func() Report {
		r, err := Diff(t.Context(), filepath.Join(shop, path), filepath.Join(dir, path), Choice{Kind: kind, Seed: 1, Documents: contract.DefaultDocuments})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if same := compare(); same.Verdict != verdict.Pass {
		t.Errorf("the same contract is %s: %s %+v", same.Verdict, same.Reason, same.Results[0].Gaps)
	}
	edit(t, filepath.Join(dir, p.file), p.old, p.new)
	return compare()
}

// Every planted break is refused, by a break that names what it breaks; and the shop as it is breaks nothing.
func TestShopRefusesPlantedBreaks(t *testing.T) {
	t.Parallel()
	for _, p := range readPlanted(t, "breaking.txt") {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			r := p.diff(t)
			named := func(f Found) bool { return f.Breaks() && strings.Contains(f.Subject, p.subject) }
			if r.Verdict != verdict.Fail || !slices.ContainsFunc(r.Results[0].Findings, named) {
				t.Errorf("got %s (%s), and no break of %s:\n%+v", r.Verdict, r.Reason, p.subject, r.Results[0].Findings)
			}
		})
	}
}

// Every planted change that harms nobody is let through, and listed.
func TestShopTakesHarmlessChanges(t *testing.T) {
	t.Parallel()
	for _, p := range readPlanted(t, "harmless.txt") {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			r := p.diff(t)
			var short, long bytes.Buffer
			if err := errors.Join(r.WriteText(&short, nil, false), r.WriteText(&long, nil, true)); err != nil {
				t.Fatal(err)
			}
			listed := regexp.MustCompile(`(?m)^\S+:\d+(:\d+)?: change: [^:]*` + regexp.QuoteMeta(p.subject))
			if r.Verdict != verdict.Pass || !listed.Match(long.Bytes()) || listed.Match(short.Bytes()) || !strings.Contains(short.String(), "--changelog lists them") {
				t.Errorf("got %s (%s), and %s is not listed:\n%s", r.Verdict, r.Reason, p.subject, long.String())
			}
		})
	}
}

func edit(t *testing.T, file, old, new string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), old, new, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
}
