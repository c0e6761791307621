package trial_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// written is a file with that text.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func judge(t *testing.T, text, model string, opts trial.Options, budget int64) (*trial.Case, *trial.Report, error) {
	t.Helper()
	c, err := trial.Load(written(t, text), opts)
	if err != nil {
		return nil, nil, err
	}
	rep, err := trial.Judge(context.Background(), c, model, budget)
	return c, rep, err
}

const twoObjects = `{"id":1,"kind":"model","client":"a","name":"write","object":"p","input":1,"outcome":"ok","call":1,"return":2}
{"id":2,"kind":"model","client":"a","name":"read","object":"q","output":7,"outcome":"ok","call":3,"return":4}
{"id":3,"kind":"journey","client":"a","name":"j","outcome":"ok","call":3,"return":4}
`

// TestJudge holds verdicts, and that the lines of the witness are those of the file.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text, model string
		opts              trial.Options
		budget            int64
		want              verdict.Verdict
		lines             []int
	}{
		{"stale", "{:process 0 :type :invoke :f :write :value 1}\n{:process 0 :type :ok :f :write :value 1}\n{:process 1 :type :invoke :f :read}\n{:process 1 :type :ok :f :read :value nil}", "register", trial.Options{}, 0, verdict.Fail, []int{1, 3}},
		{"fresh", "0:w1 1:r1", "register", trial.Options{}, 0, verdict.Pass, nil},
		{"write skew", "0:rxay1( 1:ryax1( 0:) 1:) 2:rx1ry1", "serializable", trial.Options{}, 0, verdict.Fail, []int{1, 1}},
		{"write skew under snapshot isolation", "0:rxay1( 1:ryax1( 0:) 1:) 2:rx1ry1", "snapshot-isolation", trial.Options{}, 0, verdict.Pass, nil},
		{"no budget", "0:w1( 1:w1( 2:w2( 3:w2( 0:) 1:) 2:) 3:) 0:r1 0:r2", "register", trial.Options{}, 1, verdict.Unknown, nil},
		{"one object", twoObjects, "register", trial.Options{Object: "q"}, 0, verdict.Fail, []int{2}},
		{"one key", "0:wk=1 0:rk=2 0:wj=1 0:rj=1", "register", trial.Options{Key: "j"}, 0, verdict.Pass, nil},
		{"cut", "{:process 0 :type :invoke :f :write :value 1}\n{:process 0 :type :ok}\n{:process 0 :typ", "register", trial.Options{Cut: true}, 0, verdict.Unknown, nil},
		{"cut with a write under way", "{:process 1 :type :invoke :f :write :value 3}\n{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :value 3}\n{:process 1 :typ", "register", trial.Options{Cut: true}, 0, verdict.Unknown, nil},
		{"cut and wrong", "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :value 3}\n{:process 0 :typ", "register", trial.Options{Cut: true}, 0, verdict.Fail, []int{1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, rep, err := judge(t, tc.text, tc.model, tc.opts, tc.budget)
			if err != nil || rep.Verdict != tc.want {
				t.Fatalf("got %+v, %v; want %v", rep, err, tc.want)
			}
			var lines []int
			for _, w := range rep.Witness {
				lines = append(lines, w.Line)
			}
			if len(lines) != len(tc.lines) || len(lines) > 0 && lines[0] != tc.lines[0] {
				t.Errorf("the witness is of lines %v, want %v: %s", lines, tc.lines, rep.Reason)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, model, want string }{
		{"two objects", twoObjects, "register", "operations are on several objects; choose one with --object: p (1 operations), q (1 operations)"},
		{"twice", strings.Repeat(strings.SplitAfter(twoObjects, "\n")[0], 2), "register", "h:2: operation 1 is there twice: it is in line 1, too"},
		{"no model operations", strings.SplitAfter(twoObjects, "\n")[2], "register", "it holds no model operation, only 1 of other kinds"},
		{"none", "; none\n", "register", "it holds no operation"},
		{"no transactions", "0:w1", "serializable", "it holds no transactions"},
		{"another model", "0:w1\n0:d1", "register", "is the history of another model?"},
		{"mixed micro-operations", "{:process 0 :type :invoke :f :txn :value [[:w 1 1] [:append 1 2]]}", "serializable", "both append and write"},
		{"events", `{"at":1,"kind":"inject","name":"kill(a)"}` + "\n", "register", "these are events as JSON lines, and no operations"},
	} {
		_, _, err := judge(t, tc.text, tc.model, trial.Options{}, 0)
		var bad *trial.InputError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error that says %q", tc.name, err, tc.want)
		}
	}
	if _, _, err := judge(t, twoObjects[:130], "register", trial.Options{Cut: true}, 0); err == nil || !strings.Contains(err.Error(), "left no trace") {
		t.Error(err)
	}
	if err := trial.KnowsModel("registr"); err == nil || !strings.Contains(err.Error(), "cas-register") || !strings.Contains(err.Error(), "snapshot-isolation") {
		t.Error(err)
	}
}

// TestPage holds that a page is whole and harmless, whatever the history says.
func TestPage(t *testing.T) {
	t.Parallel()
	hostile := `</script><script>alert(1)</script><img src=x onerror=alert(2)>`
	skew := "{:process 0 :type :invoke :f :txn :value [[:r x nil] [:append \"" + hostile + "\" 1]]}{:process \"" + hostile + "\" :type :invoke :f :txn :value [[:r \"" + hostile + "\" nil] [:append x 1]]}" +
		"{:process 0 :type :ok :f :txn :value [[:r x []] [:append \"" + hostile + "\" 1]]}{:process \"" + hostile + "\" :type :ok :f :txn :value [[:r \"" + hostile + "\" []] [:append x 1]]}" +
		"{:process :nemesis :type :info :f :kill}"
	for model, text := range map[string]string{"serializable": skew, "register": "0:w1( 1:r1 0:) 2:w3?"} {
		c, rep, err := judge(t, text, model, trial.Options{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := rep.HTML(&page, c); err != nil {
			t.Fatal(err)
		}
		got := page.String()
		for _, never := range []string{"<script>alert", "<img", "http://", "https://", "ZgotmplZ"} {
			if strings.Contains(got, never) {
				t.Errorf("%s: the page has %q", model, never)
			}
		}
		for _, part := range map[string][]string{"serializable": {"<svg", "FAIL", "rw", `"first":`}, "register": {"PASS", `"states":["`, `"order":[`}}[model] {
			if !strings.Contains(got, part) {
				t.Errorf("%s: the page lacks %q", model, part)
			}
		}
		var text bytes.Buffer
		if err := rep.Text(&text, &table.Style{Columns: 80}); err != nil || !strings.Contains(text.String(), rep.Model) {
			t.Errorf("%v: %s", err, text.String())
		}
	}
}

// TestPageParts: each kind of verdict has what shows it.
func TestPageParts(t *testing.T) {
	t.Parallel()
	const unneeded = "0:az1 0:rxryaz2( 1:ryax1( 2:ay1ax2 0:) 1:) 2:rx[2,1]ry1rz[1,2] 3:az3"
	for _, tc := range []struct {
		name, text, model string
		opts              trial.Options
		parts, never      []string
	}{
		{"the smallest part", unneeded, "serializable", trial.Options{}, []string{"The smallest part that fails", `role="link"`}, nil},
		{"the cycle is the smallest part", "0:rxay1( 1:ryax1( 0:) 1:) 2:rx1ry1", "serializable", trial.Options{}, []string{"these 2 transactions alone fail: this was checked anew", "comes before"}, []string{"The smallest part"}},
		{"starts and commits", "0:rxay1( 1:ryax1( 0:) 1:) 2:rx1ry1", "snapshot-isolation", trial.Options{}, []string{"The order of starts and commits", "starts: r x [], append y 1", "commits: r x [], append y 1"}, nil},
		{"the order", "0:w1 1:r1", "register", trial.Options{}, []string{"The order", "State after it", "read -&gt; 1", `"placed":true`}, []string{"Whole witness"}},
		{"an order that is not of real time", "0:w1 0:w2 1:r1", "sequential:register", trial.Options{}, []string{"The order", `"placed":false`}, []string{"took effect here"}},
		{"the good prefix", "0:w1 0:w2 2:r2 1:r1", "register", trial.Options{}, []string{"The longest good prefix", "Whole witness", `"prefix":true`}, nil},
		{"a session", "0:w1 0:w2 1:r2 1:r1", "monotonic-writes", trial.Options{}, []string{"The other session guarantees", "read-your-writes"}, nil},
		{"several at a time", `{"id":1,"kind":"model","client":"a","name":"write","input":1,"outcome":"ok","call":1,"return":9}` + "\n" +
			`{"id":2,"kind":"model","client":"a","name":"write","input":2,"outcome":"ok","call":2,"return":8}` + "\n", "register", trial.Options{}, []string{`"clients":["a","a"]`}, nil},
	} {
		c, rep, err := judge(t, tc.text, tc.model, tc.opts, 0)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := rep.HTML(&page, c); err != nil {
			t.Fatal(err)
		}
		for _, part := range tc.parts {
			if !strings.Contains(page.String(), part) {
				t.Errorf("%s: the page lacks %q", tc.name, part)
			}
		}
		body, _, _ := strings.Cut(page.String(), "<script")
		for _, part := range tc.never {
			if strings.Contains(body, part) {
				t.Errorf("%s: the page has %q", tc.name, part)
			}
		}
	}
}
