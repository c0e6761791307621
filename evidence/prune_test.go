package evidence

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/verdict"
)

func TestPrune(t *testing.T) {
	t.Parallel()
	n := func(i int) string { return smallRun(i).id }
	now := smallRun(10).started
	for name, tt := range map[string]struct {
		runs []madeRun
		rule Retention
		gone []string
		why  string // of the first run that was spared
	}{
		"keep":             {[]madeRun{smallRun(1), smallRun(2), smallRun(3)}, Retention{Keep: 2}, []string{n(1)}, ""},
		"age":              {[]madeRun{smallRun(1), smallRun(2), smallRun(3)}, Retention{MaxAge: 8*time.Minute - 1, Now: now}, []string{n(1), n(2)}, ""},
		"both let it go":   {[]madeRun{smallRun(1), smallRun(2), smallRun(3)}, Retention{Keep: 1, MaxAge: 9*time.Minute - 1, Now: now}, []string{n(1)}, ""},
		"newest proof":     {[]madeRun{smallRun(1).proving(verdict.Pass, "retry"), smallRun(2), smallRun(3)}, Retention{Keep: 1}, []string{n(2)}, "killed: write retry"},
		"newest is a fail": {[]madeRun{smallRun(1).proving(verdict.Pass, "retry"), smallRun(2).proving(verdict.Fail, "retry")}, Retention{Keep: 1}, nil, "killed: write retry"},
		"proved since":     {[]madeRun{smallRun(1).proving(verdict.Pass, "retry"), smallRun(2).proving(verdict.Pass, "retry")}, Retention{Keep: 1}, []string{n(1)}, ""},
		"force":            {[]madeRun{smallRun(1).proving(verdict.Pass, "retry"), smallRun(2)}, Retention{Keep: 1, Force: true}, []string{n(1)}, ""},
		"another grade": {[]madeRun{smallRun(1).with("run.json", strings.Replace(smallRun(1).files["run.json"], "stream", "packet", 1)), smallRun(2)},
			Retention{Keep: 1}, nil, "killed"},
		"a defect does not stand in": {[]madeRun{smallRun(1), smallRun(2).with("run.json", strings.Replace(smallRun(2).files["run.json"], `"grade"`, `"defect": "x", "grade"`, 1))},
			Retention{Keep: 1}, nil, "killed"},
		"cut short":                 {[]madeRun{smallRun(1), smallRun(2).cutShort(), smallRun(3)}, Retention{Keep: 1}, []string{n(1), n(2)}, ""},
		"cut short is not evidence": {[]madeRun{smallRun(1), smallRun(2).cutShort()}, Retention{Keep: 1}, nil, "killed"},
		"corrupt":                   {[]madeRun{smallRun(1).with("run.json", "{"), smallRun(2)}, Retention{Keep: 1}, nil, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := storeOf(t, tt.runs...)
			dry := tt.rule
			dry.DryRun = true
			before := held(t, store)
			would, err := store.Prune(t.Context(), dry)
			must(t, err)
			if held(t, store) != before {
				t.Error("a dry run removed something")
			}
			got, err := store.Prune(t.Context(), tt.rule)
			must(t, err)
			var gone []string
			for _, r := range got.Removed {
				gone = append(gone, r.Run)
			}
			if !slices.Equal(gone, tt.gone) || len(would.Removed) != len(gone) || would.Freed != got.Freed || (got.Freed > 0) != (len(gone) > 0) {
				t.Errorf("removed %v (%d bytes), and would %v, want %v", gone, got.Freed, would.Removed, tt.gone)
			}
			if (len(got.Spared) > 0) != (tt.why != "") || tt.why != "" && !strings.Contains(got.Spared[0].Reason, tt.why) {
				t.Errorf("spared %v, want %q", got.Spared, tt.why)
			}
			if ids, _ := store.ids(); len(ids) != len(tt.runs)-len(gone) {
				t.Errorf("there are %v", ids)
			}
		})
	}
}

// The newest run is no evidence when it is not as it was sealed: the one before is spared.
func TestPruneTrustsNoChangedRun(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(1), smallRun(2))
	must(t, os.WriteFile(filepath.Join(store.runs(), smallRun(2).id, "plan.json"), nil, 0o666))
	got, err := store.Prune(t.Context(), Retention{Keep: 1})
	must(t, err)
	if len(got.Removed) != 0 {
		t.Errorf("removed %v", got.Removed)
	}
}

func TestPruneNeedsARule(t *testing.T) {
	t.Parallel()
	_, err := storeOf(t, smallRun(1)).Prune(t.Context(), Retention{Force: true})
	wantError(t, err, "no rule says what may go")
}

func TestARunThatIsBeingWrittenStays(t *testing.T) {
	t.Parallel()
	store := storeOf(t)
	run := newRun(t, store)
	got, err := store.Prune(t.Context(), Retention{MaxAge: 1, Force: true, Now: time.Now().Add(time.Hour)})
	must(t, err)
	if len(got.Removed) != 0 || len(got.Spared) != 1 || got.Spared[0].Reason != "it is being written" {
		t.Errorf("got %+v", got)
	}
	_, err = store.Remove(t.Context(), run.ID())
	wantError(t, err, run.ID(), "it is being written")
}

func TestRemove(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(1), smallRun(2))
	got, err := store.Remove(t.Context(), smallRun(2).id)
	must(t, err)
	if want := []string{"killed: write restart"}; !slices.Equal(got.Held, want) || got.Bytes == 0 {
		t.Errorf("removed %+v, want it to have held %q", got, want)
	}
	if ids, _ := store.ids(); !slices.Equal(ids, []string{smallRun(1).id}) {
		t.Errorf("there are %v", ids)
	}
	_, err = store.Remove(t.Context(), smallRun(2).id)
	wantError(t, err, "there is no such run")
	whole(t, store)
}
