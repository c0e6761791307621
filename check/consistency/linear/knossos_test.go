package linear

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/format"
	"github.com/assay-dev/assay/internal/conformance"
	"github.com/assay-dev/assay/verdict"
)

// readFile reads the operations of a history of any format, up to where it is cut.
func readFile(t *testing.T, path string) (ops []history.Op, cut bool) {
	t.Helper()
	f, err := format.Open(path, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		rec, err := f.Next()
		if errors.Is(err, io.EOF) {
			return ops, false
		}
		if err != nil && strings.Contains(err.Error(), "it is cut") {
			return ops, true
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Event == nil {
			ops = append(ops, rec.Op)
		}
	}
}

func TestKnossos(t *testing.T) {
	t.Parallel()
	dir := conformance.Dir(t, "knossos")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.edn"))
	if err != nil || len(files) < 122 {
		t.Fatalf("%d histories, want 122: %v", len(files), err)
	}
	models := map[string]Model{"cas-register": CASRegister(), "mutex": Mutex(), "multi-register": from(t, "multi-register", `{"x": 0, "y": 0}`)}
	var took time.Duration
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		ops, cut := readFile(t, file)
		if cut && name != filepath.Join("mutex", "bad", "etcd.edn") { // which ends amid a line as it is published
			t.Errorf("%s is cut", name)
		}
		m := models[strings.Split(name, string(os.PathSeparator))[0]]
		start := time.Now()
		res := Check(t.Context(), m, ops, Options{WholeCore: true})
		took += time.Since(start)
		want := verdict.Pass
		switch {
		case len(ops) == 0:
			want = verdict.Unknown // one file has faults alone
		case strings.Contains(name, "bad") && !cut:
			want = verdict.Fail // what makes it bad may come after the cut
		}
		if res.Verdict != want {
			t.Errorf("%s: %v, want %v, %d operations, %d steps: %s", name, res.Verdict, want, len(ops), res.Steps, res.Reason)
		}
		small := Check(t.Context(), m, ops, Options{})
		if err := Certify(m, ops, small); err != nil && !errors.Is(err, ErrLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if want == verdict.Fail {
			t.Logf("%s: %d operations, core of %d: %s", name, len(ops), len(small.Core), small.Reason)
		}
	}
	t.Logf("%d histories in %v", len(files), took)
}
