package contracts

import (
	"bytes"
	"context"
	"encoding/xml"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		want          contract.Kind
	}{
		{"a.yaml", "openapi: 3.1.0\ninfo: {}", contract.OpenAPI},
		{"a.json", `{"info": {}, "openapi": "3.0.3"}`, contract.OpenAPI},
		{"a.yaml", "# about openapi:\nasyncapi: 3.0.0", contract.AsyncAPI},
		{"a.yaml", "swagger: '2.0'", contract.OpenAPI},
		{"a.txt", "// a license\n/* and\nmore */\n\nsyntax = \"proto3\";", contract.Proto},
		{"a", "edition = \"2023\";", contract.Proto},
		{"empty.proto", "", contract.Proto},
		{"a.json", `{"type": "record", "name": "Paid", "fields": []}`, contract.Avro},
		{"a.avsc", `"string"`, contract.Avro},
		{"a.json", `{"$schema": "https://json-schema.org/draft/2020-12/schema"}`, contract.JSONSchema},
		{"a.json", `{"$schema": "https://example.org/other", "type": "object"}`, ""},
		{"terms.yaml", "service: orders\noperations: {}", contract.Terms},
		{"compose.yaml", "services: {a: {}}", ""},
		{"a.json", `{"type": "record", "name": "not avro"}`, ""},
		{"bom.yaml", "\xef\xbb\xbfopenapi: 3.0.0", contract.OpenAPI},
		{"bad.yaml", "{openapi: [", ""},
		{"bomb.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nopenapi: 3.0.0", contract.OpenAPI},
	} {
		if got := Detect(c.name, []byte(c.content)); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.name, c.content, got, c.want)
		}
	}
}

// inRepo makes a repository with a commit for each set of files, and changes into it.
func inRepo(t *testing.T, commits ...map[string]string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	for _, files := range commits {
		for name, content := range files {
			if content == "" {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		git("add", "-A")
		git("commit", "-q", "-m", "x")
	}
}

// A revision is a file system like any other, and holds what was committed and not what is here now.
func TestRevision(t *testing.T) {
	inRepo(t, map[string]string{"api/orders.yaml": "old", "api/deep/er/x.proto": "p", "top.txt": "t", "api/with space.yaml": "s"})
	if err := os.WriteFile("api/orders.yaml", []byte("new"), 0o666); err != nil {
		t.Fatal(err)
	}
	v, err := locate(t.Context(), "main:api")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(v.FS, "orders.yaml", "deep/er/x.proto", "with space.yaml"); err != nil {
		t.Error(err)
	}
	text, err := fs.ReadFile(v.FS, "orders.yaml")
	if string(text) != "old" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	file, err := locate(t.Context(), "main:api/orders.yaml")
	if err != nil || file.Path != "api/orders.yaml" || file.shown(file.Path) != "main:api/orders.yaml" {
		t.Errorf("got %+v, %v", file, err)
	}
	if _, err := fs.ReadFile(file.FS, "top.txt"); err != nil {
		t.Error("a file's references do not reach its repository:", err)
	}
	if err := os.WriteFile("main:api", []byte("a file with a colon"), 0o666); err != nil {
		t.Fatal(err)
	}
	if v, err = locate(t.Context(), "main:api"); err != nil || v.folder {
		t.Errorf("a path that exists does not win: %+v, %v", v, err)
	}
}

func TestLocateErrors(t *testing.T) {
	inRepo(t, map[string]string{"a.yaml": "openapi: 3.0.0", "b.txt": "nothing", "d/a.yaml": "asyncapi: 3.0.0", "e/notes.yaml": "x: 1"})
	for _, c := range []struct{ old, new, want string }{
		{"nope.yaml", "a.yaml", "nope.yaml: there is no such file or folder"},
		{"nope:a.yaml", "a.yaml", `no revision is called "nope"`},
		{"main:gone.yaml", "a.yaml", "the revision is here, and has no such file"},
		{"b.txt", "b.txt", "nothing tells what kind of contract it is"},
		{"a.yaml", "d/a.yaml", "a.yaml is of the kind openapi, and d/a.yaml of the kind asyncapi: say which to compare them as with --kind"},
		{"a.yaml", "d", "one is a file, the other a folder"},
		{"e", "e", "hold no contract"},
	} {
		_, err := Diff(t.Context(), c.old, c.new, Choice{})
		if _, ok := err.(*Error); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: got %v, want %s", c.old, c.new, err, c.want)
		}
	}
}

// What a panic below takes down is one comparison, and it says that we broke and not the contract.
func TestGuarded(t *testing.T) {
	t.Parallel()
	_, err := guarded(func(_ context.Context, _, _ contract.Source, _ contract.Options) (contract.Diff, error) {
		panic("index out of range")
	})(t.Context(), contract.Source{Name: "a"}, contract.Source{Name: "b"}, contract.Options{})
	if _, ok := err.(*Broken); !ok || !strings.Contains(err.Error(), "the comparison of a and b broke: index out of range") {
		t.Errorf("got %v", err)
	}
}

func found(severity contract.Severity, rule, path string) Found {
	f := contract.Finding{Rule: rule, Kind: contract.OpenAPI, Severity: severity, Contract: "orders", Subject: "POST /orders", Path: path, Text: "text of " + rule,
		Old: contract.Place{File: "main:api/a.yaml", Line: 3, Column: 5}, New: contract.Place{File: "api/a.yaml", Line: 4, Column: 7}}
	if severity == contract.Break {
		f.Try = "something else"
		f.Witness = &contract.Witness{What: "request", Encoding: "json", Document: `{"qty": 1, "note": "<b>|"}`, Allowed: "old", Refused: "new", Reason: "too small"}
	}
	return Found{ID: f.ID(), Finding: f}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	breaks, risk := found(contract.Break, "r-break", "a"), found(contract.Risk, "r-risk", "b")
	waiver := func(id string, days int) spec.ContractWaiver {
		return spec.ContractWaiver{Finding: id, Waiver: gate.Waiver{Owner: "team-a", Reason: "nobody calls it", Expires: now.AddDate(0, 0, days)}}
	}
	for _, c := range []struct {
		name       string
		severities map[string]string
		waivers    []spec.ContractWaiver
		want       verdict.Verdict
		state      string
		note       string
	}{
		{"a break fails", nil, nil, verdict.Fail, "", ""},
		{"waived", nil, []spec.ContractWaiver{waiver(breaks.ID, 30)}, verdict.Pass, gate.WaiverUsed, ""},
		{"of another finding", nil, []spec.ContractWaiver{waiver("000000000000", 30)}, verdict.Fail, gate.WaiverUnused, ""},
		{"expired", nil, []spec.ContractWaiver{waiver(breaks.ID, -1)}, verdict.Fail, gate.WaiverExpired, "its waiver, of team-a, expired on 2026-05-31"},
		{"too far ahead", nil, []spec.ContractWaiver{waiver(breaks.ID, 91)}, verdict.Fail, gate.WaiverTooFar, "expires too far ahead"},
		{"a break is not lowered", map[string]string{"r-break": "change"}, nil, verdict.Fail, "", "it stays a break"},
		{"a risk is raised", map[string]string{"r-risk": "break"}, []spec.ContractWaiver{waiver(breaks.ID, 30)}, verdict.Fail, gate.WaiverUsed, "a risk by its rule, and a break by assay.yaml"},
		{"a risk is lowered, and that is said", map[string]string{"r-risk": "change"}, []spec.ContractWaiver{waiver(breaks.ID, 30)}, verdict.Pass, gate.WaiverUsed, "a risk by its rule, and a change by assay.yaml"},
	} {
		r := Result{Contract: "orders", Findings: []Found{breaks, risk}, Proofs: []contract.Proof{{By: "same"}}}
		r.judge(spec.Contract{Severities: c.severities, Waivers: c.waivers}, now, gate.DefaultWaiversMax)
		if r.Verdict != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, r.Verdict, r.Reason, c.want)
		}
		if c.state != "" && (len(r.Waivers) != 1 || r.Waivers[0].State != c.state) {
			t.Errorf("%s: got %+v, want %s", c.name, r.Waivers, c.state)
		}
		var text bytes.Buffer
		_ = Report{Results: []Result{r}}.WriteText(&text, nil, true)
		if !strings.Contains(text.String(), c.note) || !strings.Contains(text.String(), "r-break") {
			t.Errorf("%s: %q is not in\n%s", c.name, c.note, text.String())
		}
		if e := r.evidence(""); e.Verdict == verdict.Pass {
			t.Errorf("%s: evidence of a waived break is a pass", c.name)
		}
	}
}

// sample has one of everything.
func sample() Report {
	waived := found(contract.Break, "waived-rule", "c")
	waived.Waived = &gate.Waiver{Owner: "team-a", Reason: "nobody calls it", Expires: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	gone := found(contract.Break, "operation-removed", "")
	gone.New = contract.Place{}
	r := Result{Contract: "orders", Kind: contract.OpenAPI, Owner: "team-a", Old: Version{Name: "main:api/a.yaml"}, New: Version{Name: "api/a.yaml"}, Seed: 7,
		Findings: []Found{found(contract.Break, "request-minimum-raised", "request.body.qty"), gone, waived, found(contract.Risk, "r-risk", ""), found(contract.Change, "response-field-added", "")},
		Gaps:     []contract.Gap{{Contract: "orders", Subject: "GET /orders", Path: "response", Why: "a pattern that nobody can decide", At: contract.Place{File: "api/a.yaml", Line: 9, Column: 1}}},
		Proofs:   []contract.Proof{{By: "documents", Documents: 200, Nodes: 5, Reached: 5}}, Documents: 200,
		Waivers: []WaiverUse{{Finding: waived.ID, Waiver: *waived.Waived, State: gate.WaiverUsed}}}
	r.conclude()
	report := Report{System: "shop", Against: "main", At: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Results: []Result{r}}
	report.conclude()
	return report
}

func TestText(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	if err := sample().WriteText(&text, nil, false); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/text.golden"
	if os.Getenv("ASSAY_UPDATE") != "" {
		if err := os.WriteFile(golden, text.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || text.String() != string(want) {
		t.Errorf("%v: got\n%s\nwant\n%s", err, text.String(), want)
	}
	var long bytes.Buffer
	_ = sample().WriteText(&long, nil, true)
	if strings.Contains(text.String(), "response-field-added") || !strings.Contains(long.String(), "api/a.yaml:4:7: change: POST /orders: text of response-field-added") {
		t.Error("--changelog does not decide whether harmless changes are listed")
	}
}

func TestOtherForms(t *testing.T) {
	t.Parallel()
	r := sample()
	var junit, github, markdown bytes.Buffer
	if err := r.WriteJUnit(&junit); err != nil {
		t.Fatal(err)
	}
	var suite gate.Suite
	if err := xml.Unmarshal(junit.Bytes(), &suite); err != nil || suite.Failures != 2 || suite.Errors != 1 || suite.Tests != 5 {
		t.Errorf("%v: %+v", err, suite)
	}
	_ = r.WriteGitHub(&github, "services/")
	for _, want := range []string{"::error file=services/api/a.yaml,line=4,title=assay contract%3A break request-minimum-raised::", "::warning file=services/api/a.yaml,line=4,title=assay contract%3A waived waived-rule::",
		"::error file=services/api/a.yaml,line=9,title=assay contract%3A undecided::", "::notice title=assay contract%3A fail::shop"} {
		if !strings.Contains(github.String(), want) {
			t.Errorf("%q is not in\n%s", want, github.String())
		}
	}
	_ = r.WriteMarkdown(&markdown, false)
	for _, want := range []string{"## ❌ FAIL: shop: orders: 2 breaks, 1 waived, 1 undecided, 1 risk, 1 harmless change", "- **break** api/a.yaml:4:7", "  {\"qty\": 1, \"note\": \"<b>|\"}\n"} {
		if !strings.Contains(markdown.String(), want) {
			t.Errorf("%q is not in\n%s", want, markdown.String())
		}
	}
}

// What is new is listed for every kind of contract: the shop's harmless changes show it of the others.
func TestChangelogOfSchemas(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a.avsc", `{"type": "record", "name": "Paid", "fields": [{"name": "id", "type": "string"}]}`,
			`{"type": "record", "name": "Paid", "fields": [{"name": "id", "type": "string"}, {"name": "gift", "type": "boolean", "default": false}]}`, "change: Paid gift: the field gift is new, with a default"},
		{"a.json", `{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Paid", "properties": {"of": {"$ref": "#/$defs/of"}}, "$defs": {"of": {"properties": {"id": {}}}}}`,
			`{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Paid", "properties": {"of": {"$ref": "#/$defs/of"}}, "$defs": {"of": {"properties": {"id": {}, "gift": {}}}}}`, "change: Paid of.gift: the property is new"},
	} {
		inRepo(t, map[string]string{c.name: c.old})
		if err := os.WriteFile(c.name, []byte(c.new), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := Diff(t.Context(), "main:"+c.name, c.name, Choice{Seed: 1, Documents: 20})
		var out bytes.Buffer
		_ = r.WriteText(&out, nil, true)
		if err != nil || r.Verdict != verdict.Pass || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %s, %v, and %q is not in\n%s", c.name, r.Verdict, err, c.want, out.String())
		}
	}
}
