package trial_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
	var wants []string
	for _, tc := range []struct{ file, text, model, want string }{
		{"stale.txt", "0:w1 0:w2 2:r2 1:r1", "register", "0: write 1, 0: write 2, 1: read -> 1"},
		{"odd values.txt", `0:wk={"a":[1.5,true,null,"x\"y"]} 0:rk=false`, "kv", ""},
		{"pending.txt", "0:w1( 1:r1 2:r0 0:)", "register", "fits the register"},
		{"back.txt", "0:w1 0:w2 1:r2 1:r1", "sequential:register", "each client"},
		{"swapped.txt", "0:w1 0:w2 1:r2 1:r1", "monotonic-writes", "no order of the values keeps it"},
		{"skew.edn", "0:rxay1( 1:ryax1( 0:) 1:) 2:rx1ry1 3:az1", "serializable", "G2-item"},
		{"lost.txt", "0:rxwx1( 1:rxwx2( 0:) 1:) 2:rx2", "snapshot-isolation", "lost-update"},
	} {
		text := tc.text
		if tc.model == "kv" {
			text = strings.NewReplacer("0:wk=", `{"id":1,"kind":"model","client":"0","name":"put","key":"k","outcome":"ok","call":1,"return":2,"input":`, " 0:rk=",
				"}\n"+`{"id":2,"kind":"model","client":"0","name":"get","key":"k","outcome":"ok","call":3,"return":4,"output":`).Replace(text) + "}\n"
			tc.want = "fits the kv"
		}
		_, rep, err := judge(t, text, tc.model, trial.Options{}, 0)
		if err != nil || rep.Verdict != verdict.Fail || len(rep.Smallest) == 0 {
			t.Fatalf("%s: %+v, %v", tc.file, rep, err)
		}
		rep.File = tc.file
		var b bytes.Buffer
		if err := rep.GoTest(&b, "later_test"); err != nil {
			t.Fatal(err)
		}
		name := strings.NewReplacer(" ", "", ".", "").Replace(tc.file)
		write(t, filepath.Join(dir, name+"_test.go"), b.String())
		wants = append(wants, tc.want)
	}
	cmd := exec.Command("go", "test", "-mod=mod", "-v", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	got := string(out)
	if err == nil || strings.Count(got, "--- FAIL: ") != len(wants) || strings.Contains(got, "--- PASS") {
		t.Fatalf("%v\n%s", err, got)
	}
	for _, want := range wants {
		if !strings.Contains(got, "fail: ") || !strings.Contains(got, want) {
			t.Errorf("the tests do not fail by %q:\n%s", want, got)
		}
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
