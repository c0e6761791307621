package foreign

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"

	"github.com/assay-dev/assay/evidence"
)

// read reads text as a file, and returns its conclusion.
func read(t testing.TB, text string, covers ...Cover) (*report, evidence.ExperimentResult) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := readFile(t.Context(), path, Options{Covers: covers})
	if err != nil {
		t.Fatal(err)
	}
	return r, r.result("x", Options{})
}

func suiteOf(attrs string, cases ...string) string {
	return "<testsuite name='s' " + attrs + ">" + strings.Join(cases, "") + "</testsuite>"
}

func testcase(name, children string) string {
	return fmt.Sprintf("<testcase classname='c' name='%s'>%s</testcase>", name, children)
}

func ctrfOf(summary string, tests ...string) string {
	return `{"reportFormat": "CTRF", "results": {"tool": {"name": "x"}, "summary": {` + summary + `}, "tests": [` + strings.Join(tests, ",") + `]}}`
}

// goRun returns the events of tests in package p, each as "name action", and then the end of p.
func goRun(end string, tests ...string) string {
	var b strings.Builder
	b.WriteString(`{"Time":"2031-01-02T03:04:05Z","Action":"start","Package":"p"}` + "\n")
	for _, test := range tests {
		name, action, _ := strings.Cut(test, " ")
		fmt.Fprintf(&b, `{"Action":"run","Package":"p","Test":%q}`+"\n", name)
		if action != "" {
			fmt.Fprintf(&b, `{"Action":"output","Package":"p","Test":%q,"Output":"said by %s\n"}`+"\n"+`{"Action":%q,"Package":"p","Test":%q}`+"\n", name, name, action, name)
		}
	}
	if end != "" {
		fmt.Fprintf(&b, `{"Time":"2031-01-02T03:05:05Z","Action":%q,"Package":"p"}`+"\n", end)
	}
	return b.String()
}

func TestConclude(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want, reason string }{
		{"junit", suiteOf("tests='2' failures='0' errors='0' skipped='0'", testcase("a", ""), testcase("b", "<system-out>x</system-out>")), "pass", "2 of 2 tests passed"},
		{"junit nested", "<testsuites tests='2'>" + suiteOf("tests='2'", suiteOf("tests='1'", testcase("a", "")), suiteOf("", testcase("b", ""))) + "</testsuites>", "pass", "2 of 2"},
		{"junit nested, counted one by one", "<testsuites>" + suiteOf("tests='1'", testcase("c", ""), suiteOf("tests='1'", testcase("a", ""))) + "</testsuites>", "pass", "2 of 2"},
		{"junit failure", suiteOf("tests='2' failures='1'", testcase("a", ""), testcase("b", "<failure message='was 3'>at x.go</failure>")), "fail", "1 of 2 tests failed, such as c.b"},
		{"junit error", suiteOf("tests='1' errors='1'", testcase("b", "<error/>")), "fail", "c.b"},
		{"junit failure that no counter tells of", suiteOf("tests='1' failures='0'", testcase("b", "<failure/>")), "fail", "failures=0, and holds 1"},
		{"junit counter without a failure", suiteOf("tests='1' failures='1'", testcase("a", "")), "unknown", "failures=1, and holds 0"},
		{"junit a test is missing", suiteOf("tests='2'", testcase("a", "")), "unknown", "tests=2, and holds 1"},
		{"junit counter that is none", suiteOf("tests='many'", testcase("a", "")), "unknown", "no number"},
		{"junit skipped", suiteOf("tests='2' skipped='1'", testcase("a", ""), testcase("b", "<skipped/>")), "unknown", "1 of 2 tests were skipped, such as c.b"},
		{"junit disabled", suiteOf("tests='1' disabled='1'", "<testcase name='a' status='notrun'/>"), "unknown", "skipped"},
		{"junit suppressed", suiteOf("", "<testcase name='a' status='run' result='suppressed'/>"), "unknown", "skipped"},
		{"junit failed by attribute", suiteOf("", "<testcase name='a' status='failed'/>"), "fail", "failed"},
		{"junit strange status", suiteOf("", "<testcase name='a' status='meh'/>"), "unknown", "not known"},
		{"junit flaky", suiteOf("tests='1'", testcase("a", "<flakyFailure message='x'/>")), "unknown", "failed and then passed"},
		{"junit rerun", suiteOf("tests='1'", testcase("a", "<failure/><rerunFailure/>")), "fail", "failed"},
		{"junit rerun alone", suiteOf("tests='1'", testcase("a", "<rerunError/>")), "unknown", "failed and then passed"},
		{"junit set-up failed", suiteOf("tests='0' errors='1'", "<error message='no db'/>"), "fail", "s (the suite itself)"},
		{"junit empty", suiteOf("tests='0'"), "unknown", "no test was there"},
		{"junit empty root", "<testsuites/>", "unknown", "no test was there"},
		{"junit truncated", suiteOf("", testcase("a", ""))[:60], "unknown", "cannot be read to its end"},
		{"junit truncated between tests", "<testsuite>" + testcase("a", ""), "unknown", "cannot be read to its end"},
		{"junit failure before the cut", "<testsuite>" + testcase("a", "<failure/>"), "fail", "cannot be read to its end"},
		{"junit two roots", suiteOf("", testcase("a", "")) + suiteOf("", testcase("a", "")), "unknown", "second root"},
		{"junit control character", suiteOf("", testcase("a", "<system-out>\x1b[31m</system-out>")), "unknown", "illegal character"},
		{"junit entity bomb", "<!DOCTYPE t [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" + suiteOf("", testcase("a", "<system-out>&b;</system-out>")), "unknown", "invalid character entity"},
		{"junit latin1", "<?xml version='1.0' encoding='ISO-8859-1'?>" + suiteOf("", testcase("caf\xe9", "<failure/>")), "fail", "c.café"},
		{"junit strange encoding", "\xef\xbb\xbf<?xml version='1.0' encoding='nonesuch'?>" + suiteOf("", testcase("a", "")), "", "nonesuch"},
		{"junit namespace", "<testsuites xmlns='urn:x'>" + suiteOf("", testcase("a", "")) + "</testsuites>", "pass", "1 of 1"},
		{"another XML", "<html/>", "", "its root is <html>"},
		{"no results", "hello\n", "", "no results that are known"},
		{"nothing", "", "", "no results that are known"},

		{"ctrf", ctrfOf(`"tests": 1, "passed": 1, "failed": 0`, `{"name": "a", "status": "passed"}`), "pass", "1 of 1"},
		{"ctrf failed", ctrfOf(`"tests": 1, "failed": 1`, `{"name": "a", "suite": ["x", "y"], "status": "failed"}`), "fail", "x > y > a"},
		{"ctrf skipped", ctrfOf("", `{"name": "a", "status": "skipped"}`), "unknown", "skipped"},
		{"ctrf pending", ctrfOf(`"pending": 1`, `{"name": "a", "suite": "s", "status": "pending"}`), "unknown", "s > a"},
		{"ctrf other", ctrfOf("", `{"name": "a", "status": "other"}`), "unknown", "not known"},
		{"ctrf no status", ctrfOf("", `{"name": "a"}`), "unknown", "not known"},
		{"ctrf flaky", ctrfOf("", `{"name": "a", "status": "passed", "flaky": true}`), "unknown", "failed and then passed"},
		{"ctrf retried", ctrfOf("", `{"name": "a", "status": "passed", "retries": 1}`), "unknown", "failed and then passed"},
		{"ctrf empty", ctrfOf(`"tests": 0`), "unknown", "no test was there"},
		{"ctrf counter", ctrfOf(`"tests": 2`, `{"name": "a", "status": "passed"}`), "unknown", "tests: 2, and the file has 1"},
		{"ctrf hidden failure", ctrfOf(`"failed": 1`, `{"name": "a", "status": "passed"}`), "unknown", "failed: 1, and the file has 0"},
		{"ctrf no summary", `{"results": {"tests": [{"name": "a", "status": "passed"}]}}`, "unknown", "no summary"},
		{"ctrf two lists", `{"results": {"summary": {}, "tests": [{"name": "a", "status": "passed"}], "tests": []}}`, "unknown", "two lists"},
		{"ctrf truncated", ctrfOf("", `{"name": "a", "status": "passed"}`)[:120], "unknown", "cannot be read to its end"},
		{"ctrf more", ctrfOf("", `{"name": "a", "status": "passed"}`) + "{}", "unknown", "something follows"},

		{"go", goRun("pass", "TestA pass", "TestB/sub pass"), "pass", "2 of 2"},
		{"go fail", goRun("fail", "TestA pass", "TestB fail"), "fail", "1 of 2 tests failed, such as p.TestB"},
		{"go skip", goRun("pass", "TestA skip"), "unknown", "skipped"},
		{"go no test", goRun("skip"), "unknown", "no test was there"},
		{"go no tests to run", goRun("pass"), "unknown", "no test was there"},
		{"go fail then pass", goRun("fail", "TestA fail") + goRun("pass", "TestA pass"), "unknown", "p.TestA"},
		{"go pass then fail", goRun("fail", "TestA pass", "TestA fail"), "unknown", "failed and then passed"},
		{"go build", `{"ImportPath":"q","Action":"build-output","Output":"x"}` + "\n" + `{"ImportPath":"q","Action":"build-fail"}` + "\n" + goRun("pass", "TestA pass"), "unknown", "q failed to build"},
		{"go package that did not build", goRun("pass", "TestA pass") + `{"Action":"fail","Package":"q","FailedBuild":"q"}` + "\n", "unknown", "q failed to build"},
		{"go package failed alone", goRun("fail", "TestA pass"), "unknown", "no test of it did"},
		{"go test that did not end", goRun("pass", "TestA"), "unknown", "p.TestA began and did not end"},
		{"go package that did not end", goRun("", "TestA pass"), "unknown", "ends before p did"},
		{"go line cut", strings.TrimSuffix(goRun("pass", "TestA pass"), "}\n"), "unknown", "is no event"},
		{"go other lines", "# p\nx.go:1: undefined\n" + goRun("pass", "TestA pass"), "unknown", "line 1 is no event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "results")
			if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
				t.Fatal(err)
			}
			r, err := readFile(t.Context(), path, Options{})
			if tt.want == "" {
				if err == nil || !strings.Contains(err.Error(), tt.reason) {
					t.Errorf("got error %v, want %q", err, tt.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			result := r.result("x", Options{})
			if result.Verdict.String() != tt.want || !strings.Contains(result.Reason, tt.reason) {
				t.Errorf("got %s: %s, want %s: %s", result.Verdict, result.Reason, tt.want, tt.reason)
			}
		})
	}
}

func TestUTF16(t *testing.T) {
	t.Parallel()
	text := "<?xml version='1.0' encoding='UTF-16'?>" + suiteOf("", testcase("é", ""))
	for _, e := range []struct {
		endian unicode.Endianness
		mark   unicode.BOMPolicy
	}{{unicode.LittleEndian, unicode.UseBOM}, {unicode.BigEndian, unicode.UseBOM}, {unicode.LittleEndian, unicode.IgnoreBOM}, {unicode.BigEndian, unicode.IgnoreBOM}} {
		coded, err := unicode.UTF16(e.endian, e.mark).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, result := read(t, coded); result.Reason != "1 of 1 tests passed" || result.Checks[0].Check != "c.é" {
			t.Errorf("%v: %+v", e, result)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	text := suiteOf("", testcase("retry one", ""), testcase("retry two", ""), testcase("timeout", "<failure/>"), testcase("other", "<skipped/>"))
	for _, tt := range []struct {
		covers        []string
		want, reason  string
		proved, mode0 string
	}{
		{[]string{"checkout:retry=retry"}, "pass", "2 of 2 tests passed; 2 more were not selected, of which 1 failed", "true", "2 of 2"},
		{[]string{"checkout:retry=retry", "checkout:timeout=timeout"}, "fail", "1 of 3", "true false", "2 of 2"},
		{[]string{"checkout:retry"}, "fail", "1 of 4", "false", "1 of 4"},
		{[]string{"checkout:retry=nonesuch"}, "unknown", "no test is selected for checkout:retry by nonesuch", "false", "no test was there"},
		{[]string{"checkout:retry=retry", "a:b:timeout=nonesuch"}, "unknown", "no test is selected for a:b:timeout", "true false", "2 of 2"},
		{[]string{"checkout:retry=one", "checkout:retry=timeout"}, "fail", "1 of 2", "false", "1 of 1"},
		{[]string{"checkout:retry=^c.other$"}, "unknown", "skipped", "false", "skipped"},
	} {
		var covers []Cover
		for _, text := range tt.covers {
			c, err := ParseCover(text)
			if err != nil {
				t.Fatal(err)
			}
			covers = append(covers, c)
		}
		_, result := read(t, text, covers...)
		var proved []string
		for _, journey := range []string{"checkout", "a:b"} {
			for _, mode := range result.Modes[journey] {
				proved = append(proved, fmt.Sprint(mode.Proved))
			}
		}
		if result.Verdict.String() != tt.want || !strings.Contains(result.Reason, tt.reason) || strings.Join(proved, " ") != tt.proved ||
			!strings.Contains(result.Modes["checkout"][0].Text, tt.mode0) {
			t.Errorf("%v: got %s: %s, %+v, want %+v", tt.covers, result.Verdict, result.Reason, result.Modes, tt)
		}
	}
	for _, bad := range []string{"", "checkout", ":retry", "checkout:", "checkout:retry=(", "=x"} {
		if _, err := ParseCover(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// A test whose subtests were skipped passes in go test: selecting it selects them.
func TestGoSubtestsComeAlong(t *testing.T) {
	t.Parallel()
	_, result := read(t, goRun("pass", "TestRetry/a skip", "TestRetry/b skip", "TestRetry pass"), Cover{"checkout", "retry", "TestRetry$"})
	if result.Verdict.String() != "unknown" || !strings.Contains(result.Reason, "2 of 3 tests were skipped") {
		t.Errorf("got %s: %s", result.Verdict, result.Reason)
	}
}

func TestChecksAreCapped(t *testing.T) {
	t.Parallel()
	var cases []string
	for i := range 1000 {
		child := ""
		if i%2 == 1 {
			child = "<failure>" + strings.Repeat("x", 10_000) + "</failure>"
		}
		cases = append(cases, testcase(strings.Repeat("n", 1000), child))
	}
	_, result := read(t, suiteOf("", cases...))
	if len(result.Checks) != 200 || result.Checks[199].Verdict.String() != "fail" || !strings.Contains(result.Reason, "500 of 1000 tests failed") || !strings.Contains(result.Reason, "(200 are listed)") {
		t.Errorf("%d checks, %s", len(result.Checks), result.Reason)
	}
	if n := len([]rune(result.Checks[0].Reason)); n > longestText+50 {
		t.Errorf("a reason of %d letters", n)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := evidence.OpenStore(filepath.Join(dir, ".assay"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "odd\x1b[1m\nname.xml")
	text := suiteOf("timestamp='2031-01-02T03:04:05' time='2.5'", testcase("a&lt;script>\n", ""))
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	opts := Options{Covers: []Cover{{"checkout", "retry", ""}}, Commit: "abc", Version: "v1", Now: time.Date(2031, 1, 3, 0, 0, 0, 0, time.UTC), At: time.Date(2031, 1, 2, 0, 0, 0, 0, time.UTC)}
	got, err := Import(t.Context(), store, path, opts)
	if err != nil || !got.Added || got.Result.Name != "junit-odd__1m_name" {
		t.Fatalf("%+v, %v", got, err)
	}
	again, err := Import(t.Context(), store, path, opts)
	if err != nil || again.Added || again.Run != got.Run {
		t.Errorf("again: %+v, %v", again, err)
	}
	opts.Owner = "team"
	if other, err := Import(t.Context(), store, path, opts); err != nil || other.Run == got.Run {
		t.Errorf("with another owner: %+v, %v", other, err)
	}
	run, err := store.Open(got.Run)
	if err != nil {
		t.Fatal(err)
	}
	card := run.Card()
	if card.Refused != "" || len(card.Results) != 1 || !card.Results[0].Modes["checkout"][0].Proved || card.Meta.Grade != "claimed" || card.Meta.Kind != "foreign" || card.Meta.Tool != "junit" {
		t.Errorf("card %+v", card)
	}
	if d, err := run.Declaration(); err != nil || len(d.Cells) != 1 || d.Journeys[0].Name != "checkout" {
		t.Errorf("declaration %+v, %v", d, err)
	}
	if text, err := os.ReadFile(filepath.Join(run.Dir(), "files/odd__1m_name.xml")); err != nil || !strings.Contains(string(text), "&lt;script>") {
		t.Errorf("the file is not kept: %v", err)
	}
	// What was imported travels, and is the same wherever it was imported.
	elsewhere, err := evidence.OpenStore(filepath.Join(dir, "elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	opts.Owner = ""
	if _, err := Import(t.Context(), elsewhere, path, opts); err != nil {
		t.Fatal(err)
	}
	if merged, err := elsewhere.Merge(t.Context(), store.Dir()); err != nil || len(merged.Same) != 1 || len(merged.Added) != 1 || len(merged.Refused) != 0 {
		t.Errorf("%+v, %v", merged, err)
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(text string) string { return suiteOf("timestamp='"+text+"'", testcase("a", "")) }
	for _, tt := range []struct {
		name, text string
		at         time.Time
		want       string
	}{
		{"zone", at("2031-01-02T03:04:05+02:00"), time.Time{}, "20310102-010405"},
		{"earliest", "<testsuites>" + at("2021-01-02T03:04:05Z") + at("2020-01-02T03:04:05Z") + "</testsuites>", time.Time{}, "20200102-030405"},
		{"no zone", at("2021-01-02T03:04:05.123"), time.Time{}, "20210102-030405.123"},
		{"no zone, of a clock to the east", at("2031-01-02T13:00:00"), time.Time{}, "error: in the future"},
		{"blank instead of T", at("2021-01-02 03:04:05"), time.Time{}, "20210102-030405"},
		{"odd: the file's", at("yesterday"), time.Time{}, "20300101-000000"},
		{"none: the file's", suiteOf("", testcase("a", "")), time.Time{}, "20300101-000000"},
		{"given", at("2021-01-02T03:04:05Z"), now.Add(-time.Hour), "20310102-110000"},
		{"future", at("2041-01-02T03:04:05Z"), time.Time{}, "error: in the future"},
		{"given in the future", at("2021-01-02T03:04:05Z"), now.Add(time.Hour), "error: in the future"},
		{"long ago", at("0001-01-02T03:04:05Z"), time.Time{}, "error: the year 1"},
		{"go", goRun("pass", "TestA pass"), time.Time{}, "20310102-030405"},
		{"ctrf", ctrfOf(`"start": 1609556645000, "stop": 1609556646000`, `{"name": "a", "status": "passed"}`), time.Time{}, "20210102-030405"},
		{"ctrf without end", ctrfOf(`"start": 1e300`, `{"name": "a", "status": "passed"}`), time.Time{}, "error: in the future"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "results")
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		old := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		store, err := evidence.OpenStore(filepath.Join(dir, ".assay"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Import(t.Context(), store, path, Options{At: tt.at, Now: now})
		text := got.Run
		if err != nil {
			text = "error: " + err.Error()
		}
		want, isError := strings.CutPrefix(tt.want, "error: ")
		if isError != (err != nil) || !strings.Contains(text, want) {
			t.Errorf("%s: got %s, want %s", tt.name, text, tt.want)
		}
	}
}

// many writes a file of n tests as it is read.
type many struct {
	n, i             int
	head, each, tail string
	left             string
}

func (m *many) Read(p []byte) (int, error) {
	for m.left == "" {
		switch {
		case m.i > m.n:
			return 0, io.EOF
		case m.i == 0 && m.head != "":
			m.left, m.head = m.head, ""
		case m.i == m.n:
			m.left = m.tail
			m.i++
		default:
			m.left = strings.ReplaceAll(m.each, "N", fmt.Sprint(m.i))
			m.i++
		}
	}
	n := copy(p, m.left)
	m.left = m.left[n:]
	return n, nil
}

// BenchmarkMillion reads a million tests, and says how much memory the process needed.
func BenchmarkMillion(b *testing.B) {
	for _, bb := range []struct{ name, head, each, tail string }{
		{"junit", "<testsuite tests='1000000'>", "<testcase classname='com.example.CheckoutTest' name='case N' time='0.01'></testcase>\n", "</testsuite>"},
		{"ctrf", `{"results": {"summary": {"tests": 1000000}, "tests": [{"name":"first","status":"passed"}`, `,{"name":"case N","status":"passed","duration":1}` + "\n", "]}}"},
		{"gotest", `{"Action":"start","Package":"p"}` + "\n", `{"Action":"run","Package":"p","Test":"TestN"}` + "\n" + `{"Action":"output","Package":"p","Test":"TestN","Output":"ok\n"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestN"}` + "\n", `{"Action":"pass","Package":"p"}` + "\n"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				t, err := newTally([]Cover{{"checkout", "retry", "case|Test"}})
				if err != nil {
					b.Fatal(err)
				}
				text, decoded := plainText(&many{n: 1_000_000, head: bb.head, each: bb.each, tail: bb.tail})
				in := &bounded{ctx: context.Background(), r: text}
				switch bb.name {
				case "junit":
					err = readJUnit(in, decoded, t)
				case "ctrf":
					err = readCTRF(in, t)
				default:
					err = readGoTest(in, t)
				}
				if n := t.selected.all(); err != nil || n != 1_000_000 {
					b.Fatal(err, n, t.problems)
				}
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				b.ReportMetric(float64(mem.Sys>>20), "MiB-sys")
			}
		})
	}
}

// No file, however odd, ends the process, and none that cannot be read passes.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{suiteOf("tests='1'", testcase("a", "")), ctrfOf(`"tests": 1`, `{"name": "a", "status": "passed"}`), goRun("pass", "TestA pass")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "results")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := readFile(context.Background(), path, Options{Covers: []Cover{{"checkout", "retry", ""}}})
		if err != nil {
			return
		}
		result := r.result("x", Options{})
		if pass := result.Verdict.String() == "pass"; pass != result.Modes["checkout"][0].Proved {
			t.Errorf("%s, and %+v", result.Verdict, result.Modes)
		}
	})
}
