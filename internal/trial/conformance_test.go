package trial_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/conformance"
	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// TestKnossos judges all that Knossos is tested with, as a person would: the folder says the verdict. Two files say nothing of
// their folder: one has events of the nemesis alone, the other is cut before what makes it bad.
func TestKnossos(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join(conformance.Dir(t, "knossos"), "*", "*", "*.edn"))
	if len(files) != 122 {
		t.Fatalf("%d files", len(files))
	}
	var zeros history.Value // as a comment in the file says
	if err := json.Unmarshal([]byte(`{"x":0,"y":0}`), &zeros); err != nil {
		t.Fatal(err)
	}
	equal := 0
	for _, file := range files {
		model, good := filepath.Base(filepath.Dir(filepath.Dir(file))), filepath.Base(filepath.Dir(file)) == "good"
		want := map[bool]verdict.Verdict{true: verdict.Pass, false: verdict.Fail}[good]
		var start *history.Value
		var opts trial.Options
		switch name := filepath.Base(file); {
		case name == "mongodb-v0-ack-rollback-.edn":
			if _, err := trial.Load(file, opts); err == nil || !strings.Contains(err.Error(), "it holds no operation") {
				t.Errorf("%s: %v", file, err)
			}
			continue
		case model == "mutex":
			if _, err := trial.Load(file, opts); err == nil || !strings.Contains(err.Error(), "it is cut") {
				t.Errorf("%s: %v", file, err)
			}
			opts.Cut, want = true, verdict.Unknown
		case model == "multi-register":
			start = &zeros
		}
		c, err := trial.Load(file, opts)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := trial.JudgeFrom(context.Background(), c, model, 0, start)
		if err != nil || rep.Verdict != want {
			t.Errorf("%s: got %+v, %v; want %v", file, rep, err, want)
			continue
		}
		if want != verdict.Unknown {
			equal++
		}
		if want == verdict.Fail && len(rep.Smallest) == 0 {
			t.Errorf("%s: no part fails by itself", file)
		}
	}
	t.Logf("%d verdicts equal, 1 file without operations, 1 cut", equal)
	if equal != 120 {
		t.Errorf("%d verdicts are equal, want 120", equal)
	}
}

// TestElle judges the histories of Elle under the models around what they violate.
func TestElle(t *testing.T) {
	t.Parallel()
	dir := conformance.Dir(t, "elle-histories")
	for _, tc := range []struct {
		file, model string
		want        verdict.Verdict
		anomalies   []string
		not, may    []string
	}{
		{"paper-example.edn", "serializable", verdict.Fail, []string{"G-single"}, []string{"repeatable-read", "consistent-view"}, []string{"cursor-stability", "read-atomic"}},
		{"paper-example.edn", "read-committed", verdict.Pass, nil, nil, nil},
		{"si-without-g-single.edn", "serializable", verdict.Fail, []string{"G2-item"}, []string{"repeatable-read"}, []string{"snapshot-isolation"}},
		{"si-without-g-single.edn", "snapshot-isolation", verdict.Pass, nil, nil, nil},
		{"si-without-g-single.edn", "strong-snapshot-isolation", verdict.Fail, []string{"G-single-realtime"}, nil, nil},
		{"huge-scc.edn", "serializable", verdict.Pass, nil, nil, nil},
		{"huge-scc.edn", "strict-serializable", verdict.Fail, []string{"G-nonadjacent-realtime", "G-single-realtime", "G2-item-realtime"}, []string{"strong-consistent-view"}, []string{"strong-session-serializable", "strong-read-committed"}},
	} {
		c, err := trial.Load(filepath.Join(dir, tc.file), trial.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rep, err := trial.Judge(t.Context(), c, tc.model, 0)
		if err != nil || rep.Verdict != tc.want {
			t.Errorf("%s, %s: got %v, %v; want %v", tc.file, tc.model, rep.Verdict, err, tc.want)
			continue
		}
		var names []string
		for _, a := range rep.Anomalies {
			names = append(names, a.Name)
		}
		for _, name := range tc.anomalies {
			if !slices.Contains(names, name) {
				t.Errorf("%s, %s: got %v, want %s among them", tc.file, tc.model, names, name)
			}
		}
		if tc.not != nil && (!slices.Equal(rep.Not, tc.not) || !slices.Equal(rep.May, tc.may)) {
			t.Errorf("%s, %s: got not %v, may %v; want not %v, may %v", tc.file, tc.model, rep.Not, rep.May, tc.not, tc.may)
		}
		if tc.want == verdict.Fail && len(rep.Smallest) == 0 && rep.NoSmallest == "" {
			t.Errorf("%s, %s: there is no smallest part, and no word why", tc.file, tc.model)
		}
	}
}
