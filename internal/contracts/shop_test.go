package contracts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

const shop = "../../examples/shop"

// A planted change is one edit of the shop's contracts, and the subject that it breaks.
type planted struct{ name, file, old, new, subject string }

func readPlanted(t *testing.T) (all []planted) {
	t.Helper()
	content, err := os.ReadFile(shop + "/contracts/breaking.txt")
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

// Every planted change is refused, by a break that names what it breaks; and the shop as it is breaks nothing.
func TestShopRefusesPlantedBreaks(t *testing.T) {
	t.Parallel()
	for _, p := range readPlanted(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, folder := range []string{"contracts", "paymentspb"} {
				if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(shop, folder))); err != nil {
					t.Fatal(err)
				}
			}
			path, kind := contractOf(p.file)
			same, err := Diff(t.Context(), filepath.Join(shop, path), filepath.Join(dir, path), Choice{Kind: kind, Seed: 1, Documents: contract.DefaultDocuments})
			if err != nil {
				t.Fatal(err)
			}
			if families()[same.Results[0].Kind] == nil {
				t.Skipf("contracts of the kind %s are not compared yet", same.Results[0].Kind)
			}
			if same.Verdict != verdict.Pass {
				t.Errorf("the same contract is %s: %s %+v", same.Verdict, same.Reason, same.Results[0].Gaps)
			}
			edit(t, filepath.Join(dir, p.file), p.old, p.new)
			r, err := Diff(t.Context(), filepath.Join(shop, path), filepath.Join(dir, path), Choice{Kind: kind, Seed: 1, Documents: contract.DefaultDocuments})
			if err != nil {
				t.Fatal(err)
			}
			named := func(f Found) bool { return f.Breaks() && strings.Contains(f.Subject, p.subject) }
			if r.Verdict != verdict.Fail || !slices.ContainsFunc(r.Results[0].Findings, named) {
				t.Errorf("got %s (%s), and no break of %s:\n%+v", r.Verdict, r.Reason, p.subject, r.Results[0].Findings)
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
