package contracts

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

const api = "openapi: 3.0.3\ninfo: {title: t, version: \"1\"}\npaths:\n  /a: {get: {responses: {\"200\": {description: ok}}}}\n"

// What cannot be read is refused with its place, and with what is wrong there.
func TestUnreadable(t *testing.T) {
	inRepo(t, map[string]string{"a.yaml": api, "d/a.yaml": api})
	for name, content := range map[string]string{"empty.yaml": " \n", "bad.yaml": "openapi: 3.0.3\npaths:\n  /a: {get: [\n", "bad.json": "{\"openapi\": \"3.0.3\",\n \"paths\": {,}}", "bin.yaml": "ab\nc\x00d",
		"latin.yaml": "openapi: 3.0.3\ninfo: {title: \"\xff\"}", "u16.yaml": "\xff\xfeo\x00", "conflict.yaml": "openapi: 3.0.3\n<<<<<<< HEAD\ninfo: 1\n=======\n>>>>>>> x\n", "deep.yaml": "openapi: 3.0.3\npaths: " + strings.Repeat("[", 20000)} {
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ file, want string }{
		{"empty.yaml", "empty.yaml: the file is empty"},
		{"bad.yaml", "bad.yaml:3:1: this is no YAML: "},
		{"bad.json", "bad.json:2:12: this is no JSON: invalid character ','"},
		{"bin.yaml", "bin.yaml:2:2: this is a binary file, and no text"},
		{"latin.yaml", "latin.yaml:2:16: this is no UTF-8"},
		{"u16.yaml", "u16.yaml:1:1: the file is UTF-16 (save it as UTF-8)"},
		{"conflict.yaml", "conflict.yaml:2:1: a merge conflict is not resolved"},
		{"deep.yaml", "deep.yaml:2:1: this is no YAML: exceeded max depth"},
		{"main:../out.yaml", "the path leads out of the repository"},
	} {
		for _, pair := range [][2]string{{"a.yaml", c.file}, {c.file, "a.yaml"}} {
			_, err := Diff(t.Context(), pair[0], pair[1], Choice{})
			var unusable *Error
			if !errors.As(err, &unusable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: got %v, want %s", pair, err, c.want)
			}
		}
	}
	// In a folder, too, it is neither gone nor no contract.
	for name, content := range map[string]string{"was a contract": "{openapi: [", "was meant to be one": "asyncapi: 3.0.0\nchannels: {a"} {
		file := map[string]string{"was a contract": "d/a.yaml", "was meant to be one": "d/new.yaml"}[name]
		if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Diff(t.Context(), "main:d", "d", Choice{})
		if err == nil || !strings.Contains(err.Error(), file+":") || !strings.Contains(err.Error(), "this is no YAML") {
			t.Errorf("%s: got %v", name, err)
		}
		if err := os.WriteFile("d/a.yaml", []byte(api), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A path that one of two versions has is a contract that is new, or gone, where both name the same: else one was mistyped.
func TestNewAndGone(t *testing.T) {
	inRepo(t, map[string]string{"a.yaml": api, "d/a.yaml": api, "d/b.yaml": "asyncapi: 3.0.0\ninfo: {title: e, version: '1'}\n"})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile("new.yaml", []byte(api), 0o666))
	must(os.Remove("a.yaml"))
	must(os.Rename("d/a.yaml", "d/moved.yaml"))
	for _, c := range []struct {
		old, new string
		verdict  verdict.Verdict
		says     string // rule, or error
	}{
		{"main:new.yaml", "new.yaml", verdict.Pass, "contract-added"},
		{"main:./new.yaml", "new.yaml", verdict.Pass, "contract-added"},
		{"main:nwe.yaml", "new.yaml", verdict.Unknown, "main:nwe.yaml: the revision is here, and has no such file"},
		{"main:a.yaml", "a.yaml", verdict.Fail, "contract-removed"},
		{"main:a.yaml", "aa.yaml", verdict.Unknown, "aa.yaml: there is no such file"},
		{"main:d", "d", verdict.Pass, "contract-moved"},
		{"main:gone.yaml", "gone.yaml", verdict.Unknown, "gone.yaml: there is no such file"},
	} {
		r, err := Diff(t.Context(), c.old, c.new, Choice{})
		found := err != nil && strings.Contains(err.Error(), c.says)
		for _, one := range r.Results {
			for _, f := range one.Findings {
				found = found || f.Rule == c.says
			}
		}
		if r.Verdict != c.verdict || !found {
			t.Errorf("%s %s: got %s (%s), %v, want %s %s", c.old, c.new, r.Verdict, r.Reason, err, c.verdict, c.says)
		}
	}
	// What moved is held to what it promised.
	must(os.WriteFile("d/moved.yaml", []byte(strings.ReplaceAll(api, "/a:", "/b:")), 0o666))
	if r, err := Diff(t.Context(), "main:d", "d", Choice{}); err != nil || r.Verdict != verdict.Fail {
		t.Errorf("a contract that moved and lost a path: %s, %v", r.Verdict, err)
	}
}

// A baseline that names a contract and does not have it promises something that nobody can see: that is no new contract.
func TestUnseenBaseline(t *testing.T) {
	const named = "system: t\ncontracts:\n  - {name: a, path: build/a.yaml}\n"
	inRepo(t, map[string]string{"assay.yaml": named, ".gitignore": "build\n", "real.yaml": api})
	if err := os.Mkdir("build", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("build/a.yaml", []byte(api), 0o666); err != nil {
		t.Fatal(err)
	}
	project, err := spec.LoadContracts(".")
	if err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		r, err := Check(t.Context(), project, CheckOptions{Against: "main", Now: time.Now(), Seed: 1})
		if err != nil || r.Results[0].Verdict != verdict.Unknown || !strings.Contains(r.Results[0].Gaps[0].Why, want) {
			t.Errorf("got %s (%s), %v, want %s", r.Verdict, r.Reason, err, want)
		}
	}
	check("has no such file: nobody can tell what was promised")
	if out, err := exec.Command("sh", "-c", "mkdir links && ln -s ../real.yaml links/a.yaml && git add links && git -c user.name=a -c user.email=a@example.org commit -qm link").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	project.Contracts[0].Path = "links/a.yaml"
	project.Contracts[0].Name = "b"
	check("links/a.yaml is a symbolic link, which is not read through")
}

// A waiver is for what a finding says: once more of the same changes, it is another finding. Moved lines and another seed change nothing.
func TestScopeOfWaiver(t *testing.T) {
	inRepo(t, map[string]string{"a.yaml": bankTerms})
	id := func(content string, seed uint64) string {
		t.Helper()
		if err := os.WriteFile("a.yaml", []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := Diff(t.Context(), "main:a.yaml", "a.yaml", Choice{Seed: seed})
		if err != nil || r.Results[0].count(contract.Break) != 1 {
			t.Fatalf("%v: %+v", err, r.Results)
		}
		return r.Results[0].Findings[0].ID
	}
	once := id(strings.ReplaceAll(bankTerms, "400ms", "300ms"), 1)
	if moved := id("# a comment\n"+strings.ReplaceAll(bankTerms, "400ms", "300ms"), 2); moved != once {
		t.Errorf("the id follows lines or seeds: %s, %s", once, moved)
	}
	if more := id(strings.ReplaceAll(bankTerms, "400ms", "100ms"), 1); more == once {
		t.Error("a waiver of a deadline of 300ms lets 100ms through")
	}
	r := Result{Findings: []Found{found(contract.Break, "r", "p"), found(contract.Break, "r", "p")}}
	if r.identify(); r.Findings[0].ID == r.Findings[1].ID {
		t.Error("one waiver covers two findings")
	}
}
