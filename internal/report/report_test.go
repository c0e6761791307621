package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

func build(t testing.TB, run *evidence.Run) *Report {
	t.Helper()
	r, err := Build(run, Options{Folder: "examples/shop"})
	check0(t, err)
	return r
}

func page(t testing.TB, r *Report) string {
	t.Helper()
	var b strings.Builder
	check0(t, r.HTML(&b))
	return b.String()
}

// forms writes a report in every form.
func forms(t testing.TB, r *Report) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, write := range map[string]func(io.Writer) error{"html": r.HTML, "markdown": r.Markdown, "junit": r.JUnit, "github": r.GitHub,
		"text": func(w io.Writer) error { return r.Text(w, false, 0) }, "terminal": func(w io.Writer) error { return r.Text(w, true, 80) }} {
		var b strings.Builder
		check0(t, write(&b))
		all[name] = b.String()
	}
	return all
}

func TestFailingRun(t *testing.T) {
	t.Parallel()
	r := build(t, failing().make(t))
	if r.Verdict != verdict.Fail || !r.Whole() {
		t.Fatalf("got %v, %q %q", r.Verdict, r.Status, r.Refused)
	}
	h := r.Headlines[0]
	got := fmt.Sprint(h.Verdict, "|", h.Journey, "|", h.Fault, "|", h.Limit, "|", h.Measured, "|", h.Missed, "|", h.Phase, "|", h.Pos, "|", h.Error.Count == h.NotOK)
	if want := "fail|checkout|refuse(orders -> payments)|>= 0.95|0.52|0.43|during|examples/shop/experiments/refusing.yaml:5:10|true"; got != want {
		t.Errorf("the headline:\n got %s\nwant %s", got, want)
	}
	x := r.Experiments[0]
	j := x.Journeys[0]
	if j.Name != "checkout" || j.Count() != 360 || j.Failed == 0 || len(j.Limits) != 2 || j.Limits[1].From != 3*time.Second || j.Limits[1].To != 6*time.Second {
		t.Errorf("the journey: %d operations, %d failed, limits %+v", j.Count(), j.Failed, j.Limits)
	}
	if f := x.Faults[0]; f.From != 3*time.Second || f.To != 6*time.Second || len(f.Proof) != 1 || !f.Proof[0].Observed || f.Pos != "experiments/refusing.yaml:9:10" {
		t.Errorf("the fault: %+v", f)
	}
	for _, o := range x.Operations {
		if len(o.Parts) != 2 || len(o.Exchanges) != 2 || o.Exchanges[0].Src != "client" || o.Exchanges[1].Attempt != 1 || o.Client == "" {
			t.Fatalf("operation %d: %d parts, exchanges %+v", o.ID, len(o.Parts), o.Exchanges)
		}
	}
	if x.First == 0 || !strings.Contains(page(t, r), fmt.Sprintf(`id="x1-op%d" open`, x.First)) {
		t.Errorf("the first failure, operation %d, is not there or not open", x.First)
	}
	if lane := x.Lanes[1]; lane.Instance != "orders-1" || lane.peak() != "at most 0.25 processors, 20 MB" || len(lane.Usage) != 13 {
		t.Errorf("usage of %s: %s, %d moments", lane.Instance, lane.peak(), len(lane.Usage))
	}
	if !r.Experiments[1].NotRun || r.Experiments[1].Verdict != verdict.Unknown {
		t.Error("an experiment that was planned and left no records is missing")
	}
}

// However the files are cut for the processors, the report is the same.
func TestWorkers(t *testing.T) {
	t.Parallel()
	run := failing().make(t)
	var want string
	for _, workers := range []int{1, 2, 3, 7} {
		r, err := Build(run, Options{Workers: workers, Now: time.Unix(2e9, 0)})
		check0(t, err)
		text, err := json.Marshal(r)
		check0(t, err)
		if want == "" {
			want = string(text)
		}
		if string(text) != want {
			t.Errorf("%d workers make another report", workers)
		}
	}
}

// A retry that starts a trace of its own is found by its idempotency key.
func TestRetryInAnotherTrace(t *testing.T) {
	t.Parallel()
	s := failing()
	s.cut = true
	run := s.make(t)
	file, err := os.OpenFile(filepath.Join(run.Dir(), "x", "refusing", "exchanges.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	check0(t, err)
	first := build(t, run).Experiments[0].First
	fmt.Fprintf(file, `{"src":"orders-1","dst":"payments-2","conn":1,"protocol":"grpc","method":"POST","path":"/orders","start":9000000000,"end":9000001000,"error":"reset","traceparent":"00-ffffffffffffffffffffffffffffffff-15ba08a423de75a9-01","idempotency":"k%015x"}`+"\n", (first-1)/4)
	check0(t, file.Close())
	for _, o := range build(t, run).Experiments[0].Operations {
		if o.ID != first {
			continue
		}
		last := o.Exchanges[len(o.Exchanges)-1]
		if !last.Other || last.Attempt != 2 || last.OK() {
			t.Errorf("got %+v", last)
		}
		return
	}
	t.Error("the operation is not there")
}

func TestCutRun(t *testing.T) {
	t.Parallel()
	s := failing()
	s.cut = true
	r := build(t, s.make(t))
	if r.Verdict != verdict.Unknown || r.Status != evidence.CutShort || r.Whole() {
		t.Fatalf("got %v, %v", r.Verdict, r.Status)
	}
	x := r.Experiments[0]
	if got := fmt.Sprint(x.Damage); !strings.Contains(got, "events.jsonl is cut short in line 5") || !strings.Contains(got, "ops.jsonl is cut short in line 1441") {
		t.Errorf("damage: %s", got)
	}
	if x.Journeys[0].Count() != 360 || x.End < 11*time.Second {
		t.Errorf("what can be read is not drawn: %d operations up to %v", x.Journeys[0].Count(), x.End)
	}
	for form, text := range forms(t, r) {
		if !strings.Contains(text, "This run was cut short") || !strings.Contains(text, "othing of it counts") {
			t.Errorf("%s does not say that the run was cut short", form)
		}
	}
}

// A run that broke before the system was up says why, and not which file is missing for it.
func TestEarlyEnd(t *testing.T) {
	t.Parallel()
	s := failing()
	s.early = "orders did not become ready"
	for form, text := range forms(t, build(t, s.make(t))) {
		if !strings.Contains(text, s.early) || strings.Contains(text, "subjects.json") || strings.Contains(text, "PASS") {
			t.Errorf("%s does not say why, or says it passed, or names the file", form)
		}
	}
}

// Records of any state are reported: what cannot be read is said.
func TestDamage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		harm func(t *testing.T, dir string)
		want string
	}{
		{"ops are gone", func(t *testing.T, dir string) { check0(t, os.Remove(dir+"/x/refusing/ops.jsonl")) }, "refusing/ops.jsonl cannot be read: no such file"},
		{"a line is garbage", func(t *testing.T, dir string) { edit(t, dir+"/x/refusing/ops.jsonl", 10, "\x00\xff garbage") }, "1 record cannot be read, first line 10"},
		{"a time that cannot be", func(t *testing.T, dir string) {
			edit(t, dir+"/x/refusing/ops.jsonl", 3, `{"id":1,"kind":"journey","journey":"checkout","outcome":"ok","scheduled":9000000000000000000,"return":1}`)
		}, "is no time of a run"},
		{"exchanges are a folder", func(t *testing.T, dir string) {
			check0(t, os.Remove(dir+"/x/refusing/exchanges.jsonl"))
			check0(t, os.Mkdir(dir+"/x/refusing/exchanges.jsonl", 0o755))
		}, "refusing/exchanges.jsonl cannot be read: it is no file"},
		{"an exchange is garbage", func(t *testing.T, dir string) { edit(t, dir+"/x/refusing/exchanges.jsonl", 7, `{"src":`) }, "exchanges.jsonl: 1 record cannot be read, first line 7"},
		{"no plan", func(t *testing.T, dir string) { check0(t, os.Remove(dir+"/plan.json")) }, "plan.json"},
		{"plan is garbage", func(t *testing.T, dir string) { check0(t, os.WriteFile(dir+"/plan.json", []byte("{"), 0o644)) }, "plan.json cannot be read"},
		{"run.json is garbage", func(t *testing.T, dir string) { check0(t, os.WriteFile(dir+"/run.json", []byte("[]"), 0o644)) }, "run.json cannot be read"},
		{"judgement is garbage", func(t *testing.T, dir string) {
			check0(t, os.WriteFile(dir+"/x/refusing/judged-1.json", []byte("{"), 0o644))
		}, "judged-1.json"},
		{"no records at all", func(t *testing.T, dir string) { check0(t, os.RemoveAll(dir+"/x")) }, "it was not run"},
	}
	for _, test := range tests {
		s := failing()
		s.verdict, s.failing = verdict.Pass, 0
		run := s.make(t)
		if r := build(t, run); r.Verdict != verdict.Unknown && r.Verdict != verdict.Pass {
			t.Fatalf("before: %v", r.Verdict)
		}
		test.harm(t, run.Dir())
		r := build(t, run)
		if r.Verdict != verdict.Unknown {
			t.Errorf("%s: the verdict is %v", test.name, r.Verdict)
		}
		for form, text := range forms(t, r) {
			if form == "html" && !strings.Contains(text, inHTML(test.want)) {
				t.Errorf("%s: %s does not say %q", test.name, form, test.want)
			}
			if !strings.Contains(strings.ToUpper(text), "UNKNOWN") {
				t.Errorf("%s: %s is not unknown", test.name, form)
			}
		}
	}
}

// inHTML is a text as html/template writes it.
func inHTML(s string) string { return strings.NewReplacer(">", "&gt;", "'", "&#39;").Replace(s) }

func edit(t *testing.T, path string, line int, content string) {
	t.Helper()
	text, err := os.ReadFile(path)
	check0(t, err)
	lines := strings.Split(string(text), "\n")
	lines[line-1] = content
	check0(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644))
}

// Names that try to act are shown, and do nothing.
func TestHostile(t *testing.T) {
	t.Parallel()
	names := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "user\u202egnp.exe", "\x1b[2J\x1b]0;owned\x07", "a`b|c](javascript:alert(1))\n::error::x",
		`]]></testcase>`, `{{.R.Dir}}`, `javascript:alert(1)`, "%0A::set-output", strings.Repeat("long ", 2000), "--><!--", "\xff\xfe"}
	for _, name := range names {
		s := failing()
		s.journey, s.error = "checkout", name
		if !strings.Contains(name, "\xff") { // no plan has a name that is no text
			s.journey = name
		}
		r := build(t, s.make(t))
		r.System, r.Experiments[0].Title, r.Experiments[0].Owner, r.Meta.Commit, r.Dir = name, name, name, name, name
		r.Experiments[0].Reason, r.Experiments[0].Replay, r.Experiments[0].Pos, r.Experiments[0].FaultText = name, name, name, name
		r.Experiments[0].Checks[1].Check, r.Experiments[0].Checks[1].Reason, r.Experiments[0].Checks[1].Limit = name, name, name
		r.Headlines[0].Reason, r.Headlines[0].Fault, r.Headlines[0].Replay = name, name, name
		for form, text := range forms(t, r) {
			harmless(t, form, text, name)
		}
	}
}

func harmless(t *testing.T, form, text, name string) {
	t.Helper()
	switch form {
	case "html":
		for _, bad := range []string{"<script>alert", "<img", `href="javascript`, "</testcase>", "<!--"} {
			if strings.Contains(text, bad) {
				t.Errorf("the page of %.40q holds %s", name, bad)
			}
		}
		if n := strings.Count(text, "<script"); n != 1 {
			t.Errorf("the page of %.40q has %d scripts", name, n)
		}
		if len(text) > 600<<10 {
			t.Errorf("the page of %.40q has %d bytes", name, len(text))
		}
	case "junit":
		readJUnit(t, text)
	case "github":
		for line := range strings.Lines(text) {
			if !regexp.MustCompile(`^::(error|warning|notice) (file=[^:,]*(,line=[0-9]+)?(,col=[0-9]+)?,)?title=[^:,]*::[^\r\n]*\n$`).MatchString(line) {
				t.Errorf("of %.40q: no annotation: %q", name, line)
			}
		}
	}
	for i, c := range text {
		if c != '\n' && acts(c) && !(form == "terminal" && c == '\x1b') {
			t.Fatalf("the %s of %.40q holds %U at %d: %q", form, name, c, i, text[max(i-20, 0):min(i+20, len(text))])
		}
	}
	if form == "terminal" && len(regexp.MustCompile(`\x1b\[[01];?[0-9]*m`).FindAllString(text, -1)) != strings.Count(text, "\x1b") {
		t.Errorf("the terminal of %.40q gets escapes that are not ours", name)
	}
}

func readJUnit(t *testing.T, text string) testSuites {
	t.Helper()
	var read testSuites
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.Strict = true
	if err := dec.Decode(&read); err != nil {
		t.Fatalf("JUnit cannot be read back: %v\n%.400s", err, text)
	}
	for _, c := range text {
		if !(c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xd7ff || c >= 0xe000 && c <= 0xfffd || c >= 0x10000) {
			t.Fatalf("JUnit holds %U, which no XML can", c)
		}
	}
	tests, failures, errors := 0, 0, 0
	for _, s := range read.Suites {
		if s.Name == "" || s.Tests != len(s.Cases) || s.Tests == 0 {
			t.Errorf("suite %q: %d tests and %d cases", s.Name, s.Tests, len(s.Cases))
		}
		seen := map[string]bool{}
		for _, c := range s.Cases {
			if c.Name == "" || c.Class == "" || seen[c.Name] || c.Failure != nil && c.Error != nil {
				t.Errorf("case %q of %q has no name, no class, or a twin", c.Name, s.Name)
			}
			seen[c.Name] = true
		}
		tests, failures, errors = tests+s.Tests, failures+s.Failures, errors+s.Errors
	}
	if read.Tests != tests || read.Failures != failures || read.Errors != errors {
		t.Errorf("the whole has %d/%d/%d, its suites %d/%d/%d", read.Tests, read.Failures, read.Errors, tests, failures, errors)
	}
	return read
}

// Whatever keeps a run from being a pass, no reader of JUnit or of annotations can take it for one.
func TestNeverGreen(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *Report){
		"a check failed": func(r *Report) { x := &r.Experiments[0]; x.Verdict, x.Checks[1].Verdict = verdict.Fail, verdict.Fail },
		"a check is unknown": func(r *Report) {
			x := &r.Experiments[0]
			x.Verdict, x.Checks[1].Verdict = verdict.Unknown, verdict.Unknown
		},
		"a problem beside checks": func(r *Report) {
			x := &r.Experiments[0]
			x.Verdict, x.Problems = verdict.Unknown, []string{"a heal failed"}
		},
		"cannot fail": func(r *Report) {
			x := &r.Experiments[0]
			x.Verdict, x.CannotFail = verdict.Unknown, []string{"expect: x"}
		},
		"no checks":                func(r *Report) { r.Experiments[0].Checks = nil; r.Experiments[0].Verdict = verdict.Unknown },
		"no checks, and says pass": func(r *Report) { r.Experiments[0].Checks = nil },
		"no experiments":           func(r *Report) { r.Experiments, r.Verdict = nil, verdict.Unknown },
		"interrupted":              func(r *Report) { r.Interrupted, r.Verdict = true, verdict.Unknown },
		"broke":                    func(r *Report) { r.Reason, r.Verdict = "it broke: disk full", verdict.Unknown },
		"cut short":                func(r *Report) { r.Status, r.Verdict = evidence.CutShort, verdict.Unknown },
		"changed":                  func(r *Report) { r.Refused, r.Verdict = "ops.jsonl was changed after the seal", verdict.Unknown },
	}
	s := failing()
	s.verdict, s.failing = verdict.Pass, 0
	run := s.make(t)
	green := build(t, run)
	if green.Verdict != verdict.Pass || len(green.Headlines) > 0 {
		t.Fatalf("before: %v, %v", green.Verdict, green.Headlines)
	}
	if read := readJUnit(t, forms(t, green)["junit"]); read.Failures+read.Errors != 0 || read.Tests != 2 {
		t.Fatalf("a pass: %d tests, %d failures, %d errors", read.Tests, read.Failures, read.Errors)
	}
	for name, plant := range tests {
		r := build(t, run)
		plant(r)
		if name == "no checks, and says pass" {
			r.Verdict = verdict.Unknown
		}
		all := forms(t, r)
		if read := readJUnit(t, all["junit"]); read.Failures+read.Errors == 0 {
			t.Errorf("%s: JUnit is green:\n%s", name, all["junit"])
		}
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	got := forms(t, build(t, failing().make(t)))["github"]
	want := `::error file=examples/shop/experiments/refusing.yaml,line=5,col=10,title=fail%3A refusing (during)::success("checkout") was 0.52, limit >= 0.95 (missed by 0.43)%0Aunder refuse(orders -> payments)%0Areplay: assay run examples/shop --experiment refusing --seed 7` +
		"\n::warning file=examples/shop/experiments/slow.yaml,line=1,col=1,title=unknown%3A slow::it was not run%0Aunder delay(orders -> payments, 3s)\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := annotation(verdict.Fail, "a,b:c%:7:3", "t: 1,2", "50 % of\r\nit"); got != "::error file=a%2Cb%3Ac%25,line=7,col=3,title=t%3A 1%2C2::50 %25 of%0D%0Ait" {
		t.Errorf("escapes: %s", got)
	}
}

func TestMissed(t *testing.T) {
	t.Parallel()
	for _, test := range [][3]string{
		{">= 0.95", "0.52", "0.43"}, {"< 500", "612.5", "112.5"}, {"p99 <= 10 ms", "11.6 ms", "1.6 ms"}, {">= 0.99", "0.999", ""}, {"> 0", "0", "0"},
		{"0 lost", "3 lost", ""}, {"", "1", ""}, {">= 2", "", ""}, {"< 5", "never recovered", ""}, {"<= 5", "5", ""}, {"< 5", "5", "0"}, {">= 0.3", "0.1", "0.2"},
	} {
		if got := missed(test[0], test[1]); got != test[2] {
			t.Errorf("limit %q, measured %q: got %q, want %q", test[0], test[1], got, test[2])
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{1: "100 %", 0.99999: "99.99 %", 0.5: "50 %", 0: "0 %", 0.1234: "12.34 %"} {
		if got := percent(share); got != want {
			t.Errorf("%v: got %q, want %q", share, got, want)
		}
	}
}

// The text form has no colour in a pipe, and says with words what it says with colour.
func TestText(t *testing.T) {
	t.Parallel()
	all := forms(t, build(t, failing().make(t)))
	if strings.Contains(all["text"], "\x1b") || !strings.HasPrefix(all["text"], "FAIL  shop: 2 experiments") {
		t.Errorf("in a pipe:\n%s", all["text"])
	}
	if !strings.Contains(all["terminal"], "\x1b[1;31mFAIL\x1b[0m") || !strings.Contains(all["terminal"], "next:") {
		t.Errorf("on a terminal:\n%s", all["terminal"])
	}
	for _, want := range []string{"measured 0.52, limit >= 0.95, missed by 0.43", "replay: assay run examples/shop", "commonest error", "retry"} {
		if !strings.Contains(all["text"]+all["markdown"], want) {
			t.Errorf("%q is not in\n%s", want, all["text"])
		}
	}
}
