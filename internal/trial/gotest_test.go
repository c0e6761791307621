package trial_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// TestGoTest writes the tests of histories that fail, and runs them in a module of their own: they fail by the same.
func TestGoTest(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds and runs a module")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(module), "\ngo ")
	version, _, _ := strings.Cut(rest, "\n")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/later\n\ngo "+version+"\n\nrequire github.com/assay-dev/assay v0.0.0\n\nreplace github.com/assay-dev/assay => "+root+"\n")
	cases := append(ofObjects(), ofTransactions()...)
	var wants []string
	for _, tc := range cases {
		for _, good := range []bool{false, true} {
			c, err := trial.Load(written(t, tc.text), trial.Options{})
			if err != nil {
				t.Fatal(err)
			}
			rep, err := trial.JudgeFrom(t.Context(), c, tc.model, 0, value(t, tc.start))
			if err != nil || rep.Verdict != verdict.Fail || len(rep.Smallest) == 0 {
				t.Fatalf("%s: %+v, %v", tc.file, rep, err)
			}
			rep.File = tc.file
			var b bytes.Buffer
			if err := rep.GoTest(&b, "later_test"); err != nil {
				t.Fatal(err)
			}
			name, text := strings.NewReplacer(" ", "", ".", "").Replace(tc.file), b.String()
			if good { // the defect is taken out of the test itself
				mended := strings.Replace(text, tc.wrong, tc.right, 1)
				if mended == text {
					t.Fatalf("%s: the test has no %q to mend:\n%s", tc.file, tc.wrong, text)
				}
				name, text = name+"_mended", strings.Replace(mended, "func Test", "func TestMended", 1)
			}
			write(t, filepath.Join(dir, name+"_test.go"), text)
		}
		wants = append(wants, tc.want)
	}
	cmd := exec.Command("go", "test", "-mod=mod", "-v", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	got := string(out)
	if err == nil || strings.Count(got, "--- FAIL: Test") != len(wants) || strings.Count(got, "--- PASS: TestMended") != len(wants) || strings.Contains(got, "--- FAIL: TestMended") {
		t.Fatalf("%v\n%s", err, got)
	}
	for _, want := range wants {
		if !strings.Contains(got, "fail: ") || !strings.Contains(got, want) {
			t.Errorf("the tests do not fail by %q:\n%s", want, got)
		}
	}
}

const (
	bankRead = "{:process 0 :type :invoke :f :transfer :value {:from 0 :to 1 :amount 5}}\n{:process 1 :type :invoke :f :read}\n{:process 1 :type :ok :f :read :value {0 45 1 55}}\n" +
		"{:process 0 :type :info :f :transfer}\n{:process 1 :type :invoke :f :read}\n{:process 1 :type :ok :f :read :value {0 BALANCE 1 55}}\n"
	forkRead = "{:process 0 :type :invoke :f :read :value [[:r 1 nil] [:r 2 nil]]}\n{:process 0 :type :ok :f :read :value [[:r 1 1] [:r 2 nil]]}\n" +
		"{:process 1 :type :invoke :f :read :value [[:r 1 nil] [:r 2 nil]]}\n{:process 1 :type :ok :f :read :value [[:r 1 FIRST] [:r 2 1]]}\n"
	setRead = "{:process 0 :type :invoke :f :add :value 1}\n{:process 0 :type :ok :f :add :value 1}\n{:process 1 :type :invoke :f :read}\n{:process 1 :type :ok :f :read :value FIRST}\n" +
		"{:process 1 :type :invoke :f :read}\n{:process 1 :type :ok :f :read :value SECOND}\n"
	queueDrained = "{:process 0 :type :invoke :f :enqueue :value 1}\n{:process 0 :type :ok :f :enqueue :value 1}\n{:process 0 :type :invoke :f :enqueue :value 2}\n{:process 0 :type :ok :f :enqueue :value 2}\n" +
		"{:process 1 :type :invoke :f :drain}\n{:process 1 :type :ok :f :drain :value DRAINED}\n"
	idsMade = "{:process 0 :type :invoke :f :generate}\n{:process 0 :type :ok :f :generate :value 7}\n{:process 0 :type :invoke :f :generate}\n{:process 0 :type :ok :f :generate :value ID}\n"
)

// with replaces what a history leaves open: its name, then the value, and so on.
func with(text string, values ...string) string { return strings.NewReplacer(values...).Replace(text) }

// value reads JSON; nil is none.
func value(t *testing.T, text string) *history.Value {
	t.Helper()
	if text == "" {
		return nil
	}
	var v history.Value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return &v
}

// A generated is a history whose generated test is run: it fails by want, and passes once wrong in it is right.
type generated struct{ file, text, model, start, want, wrong, right string }

func ofObjects() []generated {
	odd := `{"id":1,"kind":"model","client":"0","name":"put","key":"k","outcome":"ok","call":1,"return":2,"input":{"a":[1.5,true,null,"x\"y"]}}` + "\n" +
		`{"id":2,"kind":"model","client":"0","name":"get","key":"k","outcome":"ok","call":3,"return":4,"output":false}` + "\n"
	return []generated{
		{"stale.txt", "0:w1 0:w2 2:r2 1:r1", "register", "", "0: write 1, 0: write 2, 1: read -> 1", `"1", Name: "read", Output: history.Int(1)`, `"1", Name: "read", Output: history.Int(2)`},
		{"init.txt", "0:r7 0:w1 0:r7", "register", "7", "fits the register", "history.Int(1), Outcome", "history.Int(7), Outcome"},
		{"odd values.txt", odd, "kv", "", "fits the kv", "Output: history.Bool(false)", `Output: history.Map(history.Entry{Key: history.String("a"), Val: history.List(history.Float(1.5), history.Bool(true), history.Value{}, history.String("x\"y"))})`},
		{"pending.txt", "0:w1( 1:r1 2:r0 0:)", "register", "", "fits the register", "Output: history.Int(0), ", ""},
		{"cas.txt", "0:w1 0:c[2,3] 1:r3", "cas-register", "", "fits the cas-register", "history.Int(2), history.Int(3)", "history.Value{}, history.Int(3)"},
		{"queue.txt", "0:e1 0:e2 1:d2 1:d1", "queue", "", "fits the queue", "Output: history.Int(2)", "Output: history.Int(1)"},
		{"counter.txt", with(idsMade, ":generate\n", ":generate\n", "generate", "read", "ID", "8"), "counter", "7", "fits the counter", "Output: history.Int(8)", "Output: history.Int(7)"},
		{"back.txt", "0:w1 0:w2 1:r2 1:r1", "sequential:register", "", "each client", `"1", Name: "read", Output: history.Int(2)`, `"1", Name: "read", Output: history.Int(1)`},
		{"swapped.txt", "0:w1 0:w2 1:r2 1:r1", "monotonic-writes", "", "no order of the values keeps it", `"1", Name: "read", Output: history.Int(2)`, `"1", Name: "read", Output: history.Int(1)`},
	}
}

func ofTransactions() []generated {
	return []generated{
		{"skew.edn", "0:rxay1( 1:ryax1( 0:) 1:) 2:rx1ry1 3:az1", "serializable", "", "G2-item", `b.ReadList(history.String("x"), []history.Value{})`, `b.ReadList(history.String("x"), []history.Value{history.Int(1)})`},
		{"lost.txt", "0:rxwx1( 1:rxwx2( 0:) 1:) 2:rx2", "snapshot-isolation", "", "lost-update", `b.ReadValue(history.String("x"), history.Value{})`, `b.ReadUnknown(history.String("x"))`},
		{"bank.edn", with(bankRead, "BALANCE", "44"), "bank:100", "", "add up to 99", "history.Int(44)", "history.Int(45)"},
		{"fork.edn", with(forkRead, "FIRST", "nil"), "long-fork", "", "each see a write", `history.Entry{Key: history.Int(1), Val: history.Value{}}`, `history.Entry{Key: history.Int(1), Val: history.Int(1)}`},
		{"set.edn", with(setRead, "FIRST", "[1]", "SECOND", "[]"), "set-full", "", "1 of 1 elements are lost", "Output: history.List()", "Output: history.List(history.Int(1))"},
		{"drained.edn", with(queueDrained, "DRAINED", "[1 2 1]"), "total-queue", "", "1 duplicated", `Name: "dequeue", Output: history.Int(1)`, `Name: "dequeue", Output: history.Value{}`},
		{"ids.edn", with(idsMade, "ID", "7"), "unique-ids", "", "both got 7", "Output: history.Int(7)", "Output: history.Int(6)"},
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestNoGoTest: of a pass there is nothing to write.
func TestNoGoTest(t *testing.T) {
	t.Parallel()
	_, rep, err := judge(t, "0:w1 1:r1", "register", trial.Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := rep.GoTest(&bytes.Buffer{}, "x"); err == nil || !strings.Contains(err.Error(), "the verdict is pass") {
		t.Error(err)
	}
}
