package evidence

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/verdict"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	store, err := OpenStore(filepath.Join(t.TempDir(), ".assay"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func newRun(t *testing.T, store *Store) *Run {
	t.Helper()
	run, err := store.Create(Meta{Version: "test", Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { run.Close() })
	return run
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError fails unless err says each of texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

func TestOpenStoreCreatesNothing(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	list, err := store.List()
	if err != nil || len(list) != 0 {
		t.Errorf("List of a store that is not there: %v, %v", list, err)
	}
	if _, err := os.Stat(store.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made %s", store.Dir())
	}
	_, err = store.Open("latest")
	wantError(t, err, "there is no run in", store.Dir())
}

func TestOpenStoreOnFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), ".assay")
	must(t, os.WriteFile(file, nil, 0o666))
	_, err := OpenStore(file)
	wantError(t, err, file, "it is a file")
}

func TestCreateKeepsMeta(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	meta, err := run.Meta()
	must(t, err)
	if meta.ID != run.ID() || meta.Seed != 7 || meta.Started.Location() != time.UTC || time.Since(meta.Started) > time.Minute {
		t.Errorf("run %s has meta %+v", run.ID(), meta)
	}
}

func TestOpenByPrefix(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	var ids []string
	for i := range 3 {
		run, err := store.Create(Meta{Started: at.AddDate(i, 0, 0)})
		must(t, err)
		must(t, run.Close())
		ids = append(ids, run.ID())
	}
	for _, tt := range []struct{ ask, want string }{
		{"2032", ids[1]}, {ids[0], ids[0]}, {"latest", ids[2]},
	} {
		run, err := store.Open(tt.ask)
		if err != nil || run.ID() != tt.want {
			t.Errorf("Open(%q) = %v, %v, want %s", tt.ask, run, err, tt.want)
		}
	}
	_, err := store.Open("203")
	wantError(t, err, "3 runs start with", "give more of the id")
	for _, ask := range []string{"2034", "", "../..", "/"} {
		_, err := store.Open(ask)
		wantError(t, err, "no run is called", ids[2])
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	const n = 40
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			run, err := store.Create(Meta{Started: at, Seed: uint64(i)})
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = run.ID()
			if err := run.Seal(End{Verdict: verdict.Pass}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, id := range ids {
		run, err := store.Open(id)
		must(t, err)
		must(t, run.Verify())
		if meta, err := run.Meta(); err != nil || meta.Seed != uint64(i) {
			t.Errorf("run %s has %+v, %v, want seed %d", id, meta, err, i)
		}
	}
	if list, err := store.List(); err != nil || len(list) != n {
		t.Errorf("List: %d runs, %v, want %d", len(list), err, n)
	}
}

func TestListHidesNothing(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	whole := newRun(t, store)
	must(t, whole.Seal(End{Verdict: verdict.Fail, Reason: "checkout missed"}))
	alive := newRun(t, store)
	dead := newRun(t, store)
	must(t, dead.Close())
	garbage := newRun(t, store)
	must(t, os.WriteFile(garbage.path("run.json"), []byte(`{"id":`), 0o666))
	sealless := newRun(t, store)
	must(t, os.WriteFile(sealless.path("end.json"), []byte(`passed`), 0o666))
	headless := newRun(t, store)
	must(t, headless.Seal(End{}))
	must(t, os.Remove(headless.path("run.json")))
	must(t, os.Mkdir(filepath.Join(store.runs(), "empty"), 0o777))

	list, err := store.List()
	must(t, err)
	found := map[string]Summary{}
	for i, sum := range list {
		found[sum.ID] = sum
		if i > 0 && list[i-1].ID < sum.ID {
			t.Errorf("%s is listed before the newer %s", list[i-1].ID, sum.ID)
		}
	}
	for _, tt := range []struct {
		id     string
		status Status
		reason string
	}{
		{whole.ID(), Complete, ""},
		{alive.ID(), Running, "still at work"},
		{dead.ID(), CutShort, "before the seal"},
		{garbage.ID(), Corrupt, "run.json cannot be read"},
		{sealless.ID(), Corrupt, "end.json cannot be read"},
		{headless.ID(), Corrupt, "run.json is missing"},
		{"empty", CutShort, "before run.json"},
	} {
		sum := found[tt.id]
		if sum.Status != tt.status || !strings.Contains(sum.Reason, tt.reason) {
			t.Errorf("run %s: %s, %q; want %s, %q", tt.id, sum.Status, sum.Reason, tt.status, tt.reason)
		}
		if (sum.End != nil) != (tt.status == Complete) {
			t.Errorf("run %s is %s and has end %+v", tt.id, sum.Status, sum.End)
		}
	}
	if end := found[whole.ID()].End; end.Verdict != verdict.Fail || end.Reason != "checkout missed" {
		t.Errorf("end %+v", end)
	}
}
