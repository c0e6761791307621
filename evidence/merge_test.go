package evidence

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/verdict"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	one, two, three := smallRun(1), smallRun(2), smallRun(3).cutShort()
	other := storeOf(t, one.judged(2, "theirs"), two, three)
	store := storeOf(t, one.judged(2, "ours"))
	got, err := store.Merge(t.Context(), other.Dir())
	must(t, err)
	if want := "2 added, 1 judged, 0 same, 0 refused"; brief(got) != want {
		t.Errorf("got %s, want %s", brief(got), want)
	}
	if !slices.Equal(got.CutShort, []string{three.id}) || got.Judgements != 1 {
		t.Errorf("cut short: %v, judgements: %d", got.CutShort, got.Judgements)
	}
	whole(t, store)
	run, err := store.Open(one.id)
	must(t, err)
	all, err := run.Judgements("killed")
	must(t, err)
	var reasons []string
	for _, j := range all {
		reasons = append(reasons, j.Reason)
	}
	slices.Sort(reasons)
	if want := []string{"9 of 9 checks hold", "ours", "theirs"}; !slices.Equal(reasons, want) {
		t.Errorf("judgements: %q, want %q", reasons, want)
	}
	if _, err := os.Stat(run.path("x/killed/judged-3.json")); err != nil {
		t.Errorf("a judgement whose number was taken: %v", err)
	}
	again, err := store.Merge(t.Context(), other.Dir())
	must(t, err)
	if want := "0 added, 0 judged, 3 same, 0 refused"; brief(again) != want {
		t.Errorf("again: %s, want %s", brief(again), want)
	}
}

// Stores with runs and judgements in common come to the same, in whatever order
// and grouping they are merged, directly or through archives, and however often.
func TestMergeIsAUnion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		stores := make([]*Store, rapid.IntRange(2, 3).Draw(rt, "stores"))
		for i := range stores {
			stores[i] = storeOf(t, drawRuns(rt)...)
		}
		want := ""
		for range 2 {
			order := rapid.Permutation(stores).Draw(rt, "order")
			left, right := storeOf(t), storeOf(t)
			split := rapid.IntRange(0, len(order)).Draw(rt, "split")
			mergeAll(t, rt, left, order[:split])
			mergeAll(t, rt, right, order[split:])
			mergeAll(t, rt, left, []*Store{right, order[0], left})
			whole(t, left)
			got := held(t, left)
			if want == "" {
				want = got
			}
			if got != want {
				rt.Fatalf("another order came to something else:\n%s\n\n%s", got, want)
			}
		}
	})
}

// drawRuns draws some of four runs, of which one is cut short and one may be, with judgements under any numbers.
func drawRuns(rt *rapid.T) []madeRun {
	var runs []madeRun
	for n := range 4 {
		if !rapid.Bool().Draw(rt, "has") {
			continue
		}
		r := smallRun(n)
		if n < 1 {
			r = r.cutShort().with("x/killed/judged-1.json", "")
		}
		if state := rapid.IntRange(0, 4).Draw(rt, "state"); n >= 3 && state < 4 {
			r = r.at(state, 3)
		}
		for _, number := range []int{2, 3, 9}[:rapid.IntRange(0, 3).Draw(rt, "judged")] {
			r = r.judged(number, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "text"))
		}
		runs = append(runs, r)
	}
	return runs
}

// unsynced returns a merger for a disk that need not outlive its machine.
func (s *Store) unsynced() *merger {
	m := s.merger(defaultLimits())
	m.sync = func(string) error { return nil }
	return m
}

func mergeAll(t *testing.T, rt *rapid.T, into *Store, from []*Store) {
	var paths []string
	for _, s := range from {
		if s == into || !isDir(s.runs()) {
			continue
		}
		path := s.Dir()
		if ids, _ := s.ids(); len(ids) > 0 && rapid.Bool().Draw(rt, "archive") {
			path = exportAll(t, s)
		}
		paths = append(paths, path)
	}
	if got, err := into.unsynced().merge(context.Background(), paths); err != nil || len(got.Refused) > 0 {
		rt.Fatalf("merge: %s, %v", brief(got), err)
	}
}

// damaged are ways a run can be wrong, the file that is named and a part of the reason.
func damaged() map[string]struct {
	run          madeRun
	hurt         func(dir string) error
	file, reason string
} {
	type hurt = func(dir string) error
	write := func(name, text string) hurt {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
	}
	newer := smallRun(4)
	newer = newer.with("run.json", strings.Replace(newer.files["run.json"], `"format": 1`, `"format": 99`, 1))
	named := smallRun(4)
	named = named.with("run.json", strings.Replace(named.files["run.json"], named.id, smallRun(5).id, 1))
	return map[string]struct {
		run          madeRun
		hurt         hurt
		file, reason string
	}{
		"changed":              {smallRun(4), write("plan.json", "{}"), "plan.json", "changed after the seal"},
		"added":                {smallRun(4), write("x/killed/more.jsonl", "{}"), "x/killed/more.jsonl", "added after the seal"},
		"removed":              {smallRun(4), func(dir string) error { return os.Remove(filepath.Join(dir, "plan.json")) }, "plan.json", "missing"},
		"broken seal":          {smallRun(4), write("end.json", `{"ended":`), "end.json", "cannot be read"},
		"newer":                {newer, nil, "run.json", "format 99, and this version reads up to 1"},
		"other id":             {named, nil, "run.json", "it says that it is of run"},
		"no run.json":          {smallRun(4).cutShort().with("run.json", ""), nil, "run.json", "is missing"},
		"link":                 {smallRun(4), func(dir string) error { return os.Symlink("/etc/passwd", filepath.Join(dir, "files/link")) }, "files/link", "no regular file"},
		"case":                 {smallRun(4).with("files/A", "x").with("files/a", "x"), nil, "files/a", "on some machines"},
		"case of a folder":     {smallRun(4).with("x/É/ops.jsonl", "x").with("x/é/ops.jsonl", "x"), nil, "x/é", "on some machines"},
		"accents":              {smallRun(4).with("files/\u00e9", "x").with("files/e\u0301", "x"), nil, "files/\u00e9", "on some machines"},
		"escape":               {smallRun(4).with("files/\x1b[2J", "x"), nil, "files/\x1b[2J", "cannot be seen"},
		"direction":            {smallRun(4).with("files/a\u202eb", "x"), nil, "files/a\u202eb", "cannot be seen"},
		"backslash":            {smallRun(4).with(`files/..\..\x`, "x"), nil, `files/..\..\x`, "leads out of the run"},
		"our name in capitals": {smallRun(4).with("END.JSON", "x"), nil, "END.JSON", "none that assay gives"},
		"judgement":            {smallRun(4), write("x/killed/judged-2.json", "pass"), "x/killed/judged-2.json", "cannot be read"},
		"judgement that was changed": {func() madeRun {
			r := smallRun(4).judged(2, "x")
			r.later["x/killed/judged-2.json"] = strings.Replace(r.later["x/killed/judged-2.json"], "unknown", "pass", 1)
			return r
		}(), nil, "x/killed/judged-2.json", "it was changed"},
		"judgement of another run": {func() madeRun {
			r := smallRun(4)
			r.later = smallRun(5).judged(2, "x").later
			return r
		}(), nil, "x/killed/judged-2.json", "it is of run"},
		"judgement of other records": {func() madeRun {
			r := smallRun(4).judged(2, "x")
			return r.with("x/killed/ops.jsonl", "{}").proving(verdict.Pass)
		}(), nil, "x/killed/judged-2.json", "other records than ops.jsonl"},
		"judgement of nothing": {func() madeRun {
			r := smallRun(4).judged(1, "x")
			r.later = map[string]string{"x/ghost/judged-1.json": r.later["x/killed/judged-1.json"]}
			return r
		}(), nil, "x/ghost/judged-1.json", "holds no records"},
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range damaged() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := storeOf(t, smallRun(1), tt.run, smallRun(6))
			if tt.hurt != nil {
				must(t, tt.hurt(filepath.Join(other.runs(), tt.run.id)))
			}
			store := storeOf(t)
			got, err := store.Merge(t.Context(), other.Dir())
			must(t, err)
			refusedAlone(t, store, got, tt.run.id, tt.file, tt.reason)
		})
	}
}

// refusedAlone fails unless that run was refused, for that file and reason, and two others came in.
func refusedAlone(t *testing.T, store *Store, got Merged, id, file, reason string) {
	t.Helper()
	if len(got.Refused) != 1 || len(got.Added) != 2 {
		t.Fatalf("got %s", brief(got))
	}
	if r := got.Refused[0]; r.Run != id || r.File != file || !strings.Contains(r.Reason, reason) {
		t.Errorf("refused %s, want run %s, %q, %q", r, id, file, reason)
	}
	whole(t, store)
	if ids, _ := store.ids(); len(ids) != 2 {
		t.Errorf("the store holds %v", ids)
	}
}

func TestMergeRefusesAnotherRunOfTheSameID(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		here, there madeRun
		file        string
	}{
		"other content":    {smallRun(4), smallRun(4).with("plan.json", "{}"), "plan.json"},
		"other conclusion": {smallRun(4), smallRun(4).proving(verdict.Fail), "x/killed/judged-1.json"},
		"other end":        {smallRun(4), func() madeRun { r := smallRun(4); r.started = r.started.Add(1); return r }(), "end.json"},
		"sealed here":      {smallRun(4), smallRun(4).with("plan.json", "{}").cutShort(), "plan.json"},
		"sealed there":     {smallRun(4).with("plan.json", "{}").cutShort(), smallRun(4), "plan.json"},
		"more in the cut":  {smallRun(4), smallRun(4).with("files/x", "x").cutShort(), "files/x"},
		"longer when cut":  {smallRun(4), smallRun(4).longer("logs/register-1.log").cutShort(), "logs/register-1.log"},
		"other log":        {smallRun(4).with("logs/register-1.log", "x").cutShort(), smallRun(4), "logs/register-1.log"},
		"other at its end": {smallRun(4).at(1, 3).longer("x/killed/ops.jsonl"), smallRun(4), "x/killed/ops.jsonl"},
		"beginning of a file that is there at once": {smallRun(4).with("files/assay.yaml", "{").cutShort(), smallRun(4), "files/assay.yaml"},
		"both cut short": {smallRun(4).with("plan.json", "").cutShort(), smallRun(4).with("timings.json", "").cutShort(), "timings.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := storeOf(t, tt.here)
			before := held(t, store)
			got, err := store.Merge(t.Context(), storeOf(t, smallRun(1), tt.there, smallRun(2)).Dir())
			must(t, err)
			if len(got.Refused) != 1 || got.Refused[0].File != tt.file || !strings.Contains(got.Refused[0].Reason, "it differs from") {
				t.Errorf("got %s, want %s refused", brief(got), tt.file)
			}
			if !strings.Contains(held(t, store), before) {
				t.Error("the run that was there is another")
			}
			if len(got.Added) != 2 {
				t.Errorf("got %s, want the others added", brief(got))
			}
		})
	}
}

func TestMergeSaysThatTheRunHereIsDamaged(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(1))
	must(t, os.WriteFile(filepath.Join(store.runs(), smallRun(1).id, "plan.json"), []byte("{}"), 0o666))
	got, err := store.Merge(t.Context(), storeOf(t, smallRun(1)).Dir())
	must(t, err)
	if len(got.Refused) != 1 || !strings.Contains(got.Refused[0].Reason, "remove it and merge again") {
		t.Errorf("got %s", brief(got))
	}
}

func TestMergeRefusesARunThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	other := storeOf(t, smallRun(1), smallRun(2))
	run := newRun(t, other)
	store := storeOf(t)
	got, err := store.Merge(t.Context(), other.Dir())
	must(t, err)
	refusedAlone(t, store, got, run.ID(), "", "still being written")
	must(t, run.Seal(End{}))
	got, err = store.Merge(t.Context(), other.Dir())
	must(t, err)
	if want := "1 added, 0 judged, 2 same, 0 refused"; brief(got) != want {
		t.Errorf("when it ended: %s, want %s", brief(got), want)
	}
}

// A folder of downloads holds stores, runs and archives at any depth, and other things.
func TestMergeFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name string, from string) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777))
		must(t, os.Rename(from, filepath.Join(dir, name)))
	}
	put("job-a/evidence.tgz", exportAll(t, storeOf(t, smallRun(1), smallRun(2))))
	put("job-b/deep/.assay", storeOf(t, smallRun(2), smallRun(3)).Dir())
	put("job-c/"+smallRun(4).id, smallRun(4).write(t, storeOf(t)))
	must(t, os.WriteFile(filepath.Join(dir, "job-a/notes.txt"), []byte("hello"), 0o666))
	must(t, os.WriteFile(filepath.Join(dir, "job-a/other.tgz"), otherArchive(t), 0o666))
	store := storeOf(t)
	got, err := store.Merge(t.Context(), dir)
	must(t, err)
	if want := "4 added, 0 judged, 1 same, 0 refused"; brief(got) != want {
		t.Errorf("got %s, want %s", brief(got), want)
	}
	whole(t, store)
}

func TestMergeOfNothing(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(1))
	file := filepath.Join(t.TempDir(), "x.txt")
	must(t, os.WriteFile(file, []byte("hello"), 0o666))
	for _, path := range []string{t.TempDir(), file, file + "x", store.Dir()} {
		_, err := store.Merge(t.Context(), storeOf(t, smallRun(2)).Dir(), path)
		if !errors.Is(err, ErrNoEvidence) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if ids, _ := store.ids(); len(ids) != 1 {
		t.Errorf("a merge that was refused as a whole added to %v", ids)
	}
}

// Several processes may merge into one store at once.
func TestMergesAtOnce(t *testing.T) {
	t.Parallel()
	var others []*Store
	for n := range 4 {
		others = append(others, storeOf(t, smallRun(1).judged(2, fmt.Sprint(n)), smallRun(2), smallRun(3+n)))
	}
	store := storeOf(t)
	var wg sync.WaitGroup
	for _, other := range others {
		wg.Go(func() {
			if got, err := store.Merge(t.Context(), other.Dir()); err != nil || len(got.Refused) > 0 {
				t.Errorf("%s, %v", brief(got), err)
			}
		})
	}
	wg.Wait()
	whole(t, store)
	run, err := store.Open(smallRun(1).id)
	must(t, err)
	if all, err := run.Judgements("killed"); err != nil || len(all) != 5 {
		t.Errorf("%d judgements, %v, want 5", len(all), err)
	}
}

func TestMergeInterrupted(t *testing.T) {
	t.Parallel()
	store, other := storeOf(t), storeOf(t, smallRun(1), smallRun(2))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Merge(ctx, other.Dir()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	whole(t, store)
}

func BenchmarkMerge1000(b *testing.B) {
	var runs []madeRun
	for n := range 1000 {
		runs = append(runs, smallRun(n))
	}
	rand.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	other := storeOf(b, runs...)
	archive := exportAll(b, other)
	full := storeOf(b, runs...)
	for _, bb := range []struct {
		name, from string
		into       func() *Store
	}{
		{"store", other.Dir(), func() *Store { return storeOf(b) }},
		{"archive", archive, func() *Store { return storeOf(b) }},
		{"again", other.Dir(), func() *Store { return full }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				store := bb.into()
				b.StartTimer()
				if got, err := store.Merge(context.Background(), bb.from); err != nil || len(got.Added)+len(got.Same) != 1000 {
					b.Fatal(brief(got), err)
				}
			}
		})
	}
}
