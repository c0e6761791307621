package contracts

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
)

// evil is a name with all that steers a terminal, a workflow, a table, a page or an XML reader.
const evil = "x\x1b[2J\r\n::error::y|z`a`<script>*b*_c_[d](e)\\%25,f:g]]>&\u202eh\x00\u2028\"'"

// hostile has evil names wherever a contract's own words reach a report.
func hostile() Report {
	f := Found{Finding: contract.Finding{Rule: "r", Kind: contract.OpenAPI, Severity: contract.Break, Subject: "GET /" + evil, Path: evil, Text: evil, Try: evil,
		Old: contract.Place{File: "main:" + evil, Line: 1, Column: 1}, New: contract.Place{File: evil, Line: 2, Column: 1}, Ends: []contract.End{{What: evil, At: contract.Place{File: evil, Line: 3}}},
		Witness: &contract.Witness{What: "request", At: evil, Encoding: "json", Document: evil + "\n```\n" + evil, Readable: evil, Allowed: "old", Refused: "new", Reason: evil}}, Note: evil}
	waived := f
	waived.Path += "2"
	waived.Waived = &gate.Waiver{Owner: evil, Reason: evil, Ticket: evil, Expires: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	r := Result{Contract: evil, Kind: contract.OpenAPI, Owner: evil, Old: Version{Name: evil}, New: Version{Name: evil}, Findings: []Found{f, waived},
		Gaps:    []contract.Gap{{Contract: evil, Subject: evil, Path: evil, Why: evil, At: contract.Place{File: evil, Line: 9, Column: 1}}},
		Waivers: []WaiverUse{{Finding: evil, Waiver: *waived.Waived, State: gate.WaiverUnused, Why: evil}}}
	r.identify()
	r.conclude()
	report := Report{System: evil, Against: evil, Results: []Result{r, r}, Skipped: []string{evil}, At: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	report.conclude()
	return report
}

// No name breaks out of its line, its cell, its element or its command. What steers a terminal is written out by whoever writes to one.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	r := hostile()
	form := func(write func(io.Writer) error) string {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	lines := func(text, begin string) (all []string) {
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, begin) {
				all = append(all, line)
			}
		}
		return all
	}
	if text := form(func(w io.Writer) error { return r.WriteText(w, nil, true) }); len(lines(text, "::")) > 0 || strings.Contains(text, "\r") {
		t.Errorf("text: a name begins a line or has a carriage return:\n%.2000q", text)
	}
	github := form(func(w io.Writer) error { return r.WriteGitHub(w, "") })
	if got := strings.Count(github, "\n"); got != 7 || len(lines(github, "::")) != 7 || strings.ContainsAny(github, "\r\x00\x1b\u202e") {
		t.Errorf("github: %d lines, want 7:\n%q", got, github)
	}
	for _, line := range lines(github, "::") {
		if head, _, _ := strings.Cut(line[2:], "::"); strings.Count(head, ",") > 2 || strings.Contains(strings.ReplaceAll(head, "%", ""), "f:g") {
			t.Errorf("github: a name adds a property: %q", head)
		}
	}
	var suite gate.Suite
	junit := form(r.WriteJUnit)
	if err := xml.Unmarshal([]byte(junit), &suite); err != nil || suite.Tests != 6 || suite.Failures != 2 || suite.Errors != 2 || suite.Skipped != 2 {
		t.Errorf("junit: %v, %d tests, %d failures, %d errors, %d skipped", err, suite.Tests, suite.Failures, suite.Errors, suite.Skipped)
	}
	if strings.ContainsAny(junit, "\x00\x1b\u202e") {
		t.Errorf("junit: what steers a terminal is written as it is")
	}
	markdown := form(func(w io.Writer) error { return r.WriteMarkdown(w, true) })
	for _, line := range lines(markdown, "|") {
		if cells := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, ""), "|"); cells != 6 {
			t.Errorf("markdown: %d bars, want 6: %s", cells, line)
		}
	}
	var prose strings.Builder
	for i, part := range strings.Split(markdown, "  ```\n") { // every second part is a document, shown as code
		if i%2 == 0 {
			prose.WriteString(part)
		} else if strings.Count(part, "\n") != 1 {
			t.Errorf("markdown: a document leaves its block: %q", part)
		}
	}
	if text := strings.ReplaceAll(prose.String(), `\\`, ""); strings.Contains(text, "<") || strings.Contains(text, "z`a") || strings.Contains(text, "[d]") || strings.ContainsAny(markdown, "\r\x00\x1b\u202e") {
		t.Errorf("markdown: a name is more than text:\n%.2000q", text)
	}
	var document any
	if err := json.Unmarshal([]byte(form(func(w io.Writer) error { return r.WriteSARIF(w, "v1", "") })), &document); err != nil {
		t.Errorf("sarif: %v", err)
	}
}
