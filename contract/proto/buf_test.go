package proto

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// bufBinary returns the native binary of buf, which these tests hold us against: it comes in an npm package, kept in the
// user's cache. Tests skip where it cannot be had.
func bufBinary(t testing.TB) string {
	t.Helper()
	if os.Getenv("ASSAY_CONFORMANCE") == "" && os.Getenv("ASSAY_BUF") == "" {
		t.Skip("neither ASSAY_CONFORMANCE nor ASSAY_BUF is set: not compared with buf")
	}
	if bin := os.Getenv("ASSAY_BUF"); bin != "" && bin != "1" {
		return bin
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no folder to keep buf in: %v", err)
	}
	dir := filepath.Join(cache, "assay-test", "buf-1.75.0")
	arch := map[string]string{"amd64": "x64", "arm64": "aarch64"}[runtime.GOARCH]
	bin := filepath.Join(dir, "node_modules", "@bufbuild", "buf-"+runtime.GOOS+"-"+arch, "bin", "buf")
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	cmd := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", "@bufbuild/buf@1.75.0")
	cmd.WaitDelay = 2 * time.Minute
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("npm install @bufbuild/buf: %v\n%s", err, out)
	}
	if _, err := os.Stat(bin); err != nil {
		t.Skipf("the package has no binary for this machine: %v", err)
	}
	return bin
}

// runBuf returns what buf finds by all rules: rule, file and line, sorted.
func runBuf(t testing.TB, bin, old, new string) []string {
	t.Helper()
	const config = `{"version":"v2","breaking":{"use":["FILE","PACKAGE","WIRE_JSON","WIRE"]}}`
	cmd := exec.Command(bin, "breaking", ".", "--config", config, "--against", old, "--against-config", config, "--error-format", "json")
	cmd.Dir = new
	cmd.Env = append(os.Environ(), "BUF_CACHE_DIR="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if stderr.Len() > 0 {
		t.Fatalf("buf: %v\n%s", err, stderr.String())
	}
	var found []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var f struct {
			Path   string
			Line   int `json:"start_line"`
			Column int `json:"start_column"`
			Type   string
		}
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		if f.Path == "" { // gone with all of its files: there is no place in the new version
			f.Line, f.Column = 0, 0
		}
		found = append(found, fmt.Sprintf("%s %s:%d:%d", f.Type, f.Path, f.Line, f.Column))
	}
	slices.Sort(found)
	return found
}

func folder(dir string) contract.Source {
	return contract.Source{Name: filepath.Base(dir), FS: os.DirFS(dir), Path: "."}
}

// runOurs returns what we find, in the same form.
func runOurs(t testing.TB, old, new contract.Source) []string {
	t.Helper()
	d, err := DiffRules(t.Context(), old, new, contract.Options{Contract: "c"}, Rules{Use: everything()})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range d.Findings {
		if f.Severity == contract.Break {
			found = append(found, fmt.Sprintf("%s %s:%d:%d", f.Rule, f.New.File, f.New.Line, f.New.Column))
		}
	}
	slices.Sort(found)
	return found
}

// differ returns what only one has.
func differ(got, want []string) string {
	count := map[string]int{}
	for _, f := range want {
		count[f]--
	}
	for _, f := range got {
		count[f]++
	}
	var lines []string
	for f, n := range count {
		if n != 0 {
			lines = append(lines, fmt.Sprintf("%+d %s", n, f))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestConformance: each finding of buf on each pair, in each category, at the same place, and none besides.
func TestConformance(t *testing.T) {
	root := conformance.Dir(t, "proto-breaking")
	bin := bufBinary(t)
	dirs, err := filepath.Glob(filepath.Join(root, "current", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal("no pairs", err)
	}
	total := map[string]int{}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			old := filepath.Join(root, "previous", filepath.Base(dir))
			want := runBuf(t, bin, old, dir)
			if diff := differ(runOurs(t, folder(old), folder(dir)), want); diff != "" {
				t.Errorf("+ ours only, - buf only\n%s", diff)
			}
			for _, f := range want {
				for _, category := range categoriesOf(f) {
					total[category]++
				}
			}
		})
	}
	t.Logf("findings of buf on %d pairs: %v", len(dirs), total)
	if total[File] == 0 || total[Wire] == 0 {
		t.Error("buf found nothing: what is compared?")
	}
}

func everything() []string { return []string{File, Package, WireJSON, Wire} }

// categoriesOf returns the categories that a finding of buf belongs to.
func categoriesOf(found string) []string {
	id, _, _ := strings.Cut(found, " ")
	i := slices.IndexFunc(Catalogue(), func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return []string{"unknown to us: " + id}
	}
	return Catalogue()[i].Categories
}

// TestRuleIDs: each rule that buf's own list has in one of the four categories is in ours, in the same categories, and none
// besides. TestExamples fires each of them.
func TestRuleIDs(t *testing.T) {
	cmd := exec.Command(bufBinary(t), "config", "ls-breaking-rules", "--version", "v2", "--format", "json")
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var rule struct {
			ID         string
			Categories []string
			Deprecated bool
		}
		if err := json.Unmarshal(lines.Bytes(), &rule); err != nil {
			t.Fatal(err)
		}
		categories := slices.DeleteFunc(rule.Categories, func(c string) bool { return !slices.Contains(everything(), c) })
		if !rule.Deprecated && len(categories) > 0 {
			want = append(want, rule.ID+" "+strings.Join(categories, " "))
		}
	}
	var got []string
	for _, rule := range Catalogue() {
		got = append(got, rule.ID+" "+strings.Join(rule.Categories, " "))
	}
	slices.Sort(want)
	if diff := differ(got, want); diff != "" || len(want) < 60 {
		t.Errorf("+ ours only, - buf only, of %d\n%s", len(want), diff)
	}
}

// TestFired: on buf's own pairs, each rule is found by both at least once, so that it is not by an example of our own alone.
func TestFired(t *testing.T) {
	root := conformance.Dir(t, "proto-breaking")
	dirs, err := filepath.Glob(filepath.Join(root, "current", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal("no pairs", err)
	}
	fired := map[string]int{}
	for _, dir := range dirs {
		for _, found := range runOurs(t, folder(filepath.Join(root, "previous", filepath.Base(dir))), folder(dir)) {
			id, _, _ := strings.Cut(found, " ")
			fired[id]++
		}
	}
	for _, rule := range Catalogue() {
		if fired[rule.ID] == 0 {
			t.Errorf("%s fires on none of %d pairs", rule.ID, len(dirs))
		}
	}
	t.Log(fired)
}
