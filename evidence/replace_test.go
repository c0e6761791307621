package evidence

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A job uploads what it has, and uploads again at its end.
func TestMergeOfAnEarlierCopy(t *testing.T) {
	t.Parallel()
	whole4, early := smallRun(4), smallRun(4).at(2, 3)
	for name, tt := range map[string]struct {
		here, comes, want madeRun
		brief             string
	}{
		"the whole run comes":       {early, whole4, whole4, "1 replaced, 0 earlier"},
		"the earlier copy comes":    {whole4, early, whole4, "0 replaced, 1 earlier"},
		"all but the seal":          {whole4.cutShort(), whole4, whole4, "1 replaced, 0 earlier"},
		"of two that were cut":      {smallRun(4).at(1, 3), early, early, "1 replaced, 0 earlier"},
		"of two, the earlier comes": {early, smallRun(4).at(1, 3), early, "0 replaced, 1 earlier"},
		"records did not begin":     {smallRun(4).at(0, 3), whole4, whole4, "1 replaced, 0 earlier"},
		// What somebody concluded from half of the records says nothing of all of them.
		"judged here":  {early.judged(1, "of half"), whole4, whole4, "1 replaced, 0 earlier"},
		"judged there": {whole4, early.judged(1, "of half"), whole4, "0 replaced, 1 earlier"},
		// One of the same records stays, under a number that is free.
		"judged all here": {whole4.cutShort().with("x/killed/judged-1.json", "").judged(1, "of all"), whole4, whole4.judged(2, "of all"), "1 replaced, 0 earlier"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, archive := range []bool{false, true} {
				store, from := storeOf(t, tt.here, smallRun(1)), storeOf(t, tt.comes, smallRun(2))
				path := from.Dir()
				if archive {
					path = exportAll(t, from)
				}
				got, err := store.Merge(t.Context(), path)
				must(t, err)
				if want := "1 added, 0 judged, 0 same, 0 refused, " + tt.brief; brief(got) != want {
					t.Errorf("got %s, want %s", brief(got), want)
				}
				whole(t, store)
				if got, want := held(t, store), held(t, storeOf(t, tt.want, smallRun(1), smallRun(2))); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
}

// Where both copies come with one merge, it is one run that is added.
func TestMergeOfBothCopies(t *testing.T) {
	t.Parallel()
	early, late := storeOf(t, smallRun(4).at(1, 2)).Dir(), storeOf(t, smallRun(4)).Dir()
	for want, paths := range map[string][]string{
		"1 added, 0 judged, 0 same, 0 refused":                        {early, late},
		"1 added, 0 judged, 0 same, 0 refused, 0 replaced, 1 earlier": {late, early},
	} {
		store := storeOf(t)
		got, err := store.Merge(t.Context(), paths...)
		must(t, err)
		if brief(got) != want || len(got.CutShort) != 0 {
			t.Errorf("got %s, cut short %v, want %s", brief(got), got.CutShort, want)
		}
		whole(t, store)
	}
}

// A judgement of the earlier copy that is of all records is news to the whole run.
func TestMergeTakesJudgementsOfAnEarlierCopy(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(4))
	early := smallRun(4).cutShort().with("timings.json", "").judged(2, "of all")
	got, err := store.Merge(t.Context(), storeOf(t, early).Dir())
	must(t, err)
	if want := "0 added, 1 judged, 0 same, 0 refused"; brief(got) != want {
		t.Errorf("got %s, want %s", brief(got), want)
	}
	whole(t, store)
}

// What was remembered of the earlier copy is not said of the whole run.
func TestCardsAfterAnEarlierCopy(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(4).at(2, 3))
	for _, want := range []Status{CutShort, Complete} {
		cards, err := store.Cards()
		must(t, err)
		if len(cards) != 1 || cards[0].Status != want || cards[0].Refused != "" || len(cards[0].Results) > 0 != (want == Complete) {
			t.Errorf("got %+v, want a run that is %s", cards, want)
		}
		_, err = store.Merge(t.Context(), storeOf(t, smallRun(4)).Dir())
		must(t, err)
	}
}

func TestMergeLeavesARunThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	store := storeOf(t)
	run := newRun(t, store)
	must(t, run.WriteFile("files/x", []byte("x")))
	elsewhere := storeOf(t)
	must(t, os.MkdirAll(elsewhere.runs(), 0o777))
	_, err := copyRun(run.Dir(), elsewhere.at(run.ID()).dir)
	must(t, err)
	must(t, elsewhere.at(run.ID()).Seal(End{}))
	got, err := store.Merge(t.Context(), elsewhere.Dir())
	must(t, err)
	if len(got.Refused) != 1 || !strings.Contains(got.Refused[0].Reason, "still being written: merge again when it ended") {
		t.Errorf("got %s", brief(got))
	}
	must(t, run.WriteFile("files/y", []byte("y")))
	must(t, run.Seal(End{}))
	whole(t, store)
}

// Two runs that are both whole and differ are never taken for one another, whichever comes first, and both places are named.
func TestMergeOfTwoRunsOfOneID(t *testing.T) {
	t.Parallel()
	one, two := storeOf(t, smallRun(4)), storeOf(t, smallRun(4).longer("x/killed/ops.jsonl"))
	for _, order := range [][]*Store{{one, two}, {two, one}} {
		for _, archives := range []bool{false, true} {
			var paths []string
			for _, s := range order {
				if path := s.Dir(); archives {
					paths = append(paths, exportAll(t, s))
				} else {
					paths = append(paths, path)
				}
			}
			store := storeOf(t)
			got, err := store.Merge(t.Context(), paths...)
			must(t, err)
			if len(got.Refused) != 1 || !slices.Equal(got.Added, []string{smallRun(4).id}) {
				t.Fatalf("got %s", brief(got))
			}
			r := got.Refused[0]
			if r.Source != paths[1] || r.File != "x/killed/ops.jsonl" || !strings.Contains(r.Reason, store.Dir()) || !strings.Contains(r.Reason, "differs") {
				t.Errorf("refused %s", r)
			}
			if held(t, store) != held(t, order[0]) {
				t.Error("the first one is no longer what it was")
			}
		}
	}
}

// A run can grow twice within one merge.
func TestReplaceTwice(t *testing.T) {
	t.Parallel()
	for name, exchange := range map[string]func(a, b string) error{"in one exchange": exchange, "in turn": cannot} {
		store := storeOf(t, smallRun(4).at(1, 3))
		m := store.merger(defaultLimits())
		m.exchange = exchange
		got, err := m.merge(t.Context(), []string{storeOf(t, smallRun(4).at(2, 3)).Dir(), storeOf(t, smallRun(4)).Dir()})
		must(t, err)
		whole(t, store)
		if want := held(t, storeOf(t, smallRun(4))); held(t, store) != want || len(got.Refused) > 0 {
			t.Errorf("%s: %s, got\n%s\nwant\n%s", name, brief(got), held(t, store), want)
		}
	}
}

// cannot is an exchange where there is none.
func cannot(_, _ string) error { return errors.ErrUnsupported }

func TestReplaceWithoutExchange(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(4).at(2, 3), smallRun(5).cutShort().judged(2, "of all"))
	m := store.merger(defaultLimits())
	m.exchange = cannot
	got, err := m.merge(t.Context(), []string{storeOf(t, smallRun(4), smallRun(5)).Dir()})
	must(t, err)
	if want := "0 added, 0 judged, 0 same, 0 refused, 2 replaced, 0 earlier"; brief(got) != want {
		t.Errorf("got %s, want %s", brief(got), want)
	}
	whole(t, store)
	if want := held(t, storeOf(t, smallRun(4), smallRun(5).judged(2, "of all"))); held(t, store) != want {
		t.Errorf("got\n%s\nwant\n%s", held(t, store), want)
	}
}

// A process that dies between the two halves of an exchange leaves nothing in the run's place; the next one puts it back.
func TestReplaceDiedInBetween(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]*Store{"another run": storeOf(t, smallRun(1)), "the whole run": storeOf(t, smallRun(4))} {
		early := smallRun(4).at(2, 3)
		store := storeOf(t, early)
		way, err := store.passage()
		must(t, err)
		staged := filepath.Join(way, "1")
		must(t, os.Rename(smallRun(4).write(t, storeOf(t)), staged))
		err = inTurn(filepath.Join(way, "gone"), store.at(early.id).dir, filepath.Join(way, setAside+early.id))
		if !errors.Is(err, os.ErrNotExist) || !store.has(early.id) {
			t.Fatalf("%s: an exchange whose second half failed: %v", name, err)
		}
		must(t, os.Rename(store.at(early.id).dir, filepath.Join(way, setAside+early.id))) // and here it dies
		got, err := store.Merge(t.Context(), source.Dir())
		must(t, err)
		whole(t, store)
		if len(got.Added)+len(got.Replaced) != 1 || !store.has(early.id) {
			t.Errorf("%s: got %s", name, brief(got))
		}
	}
}

// A process that dies when the copies have changed places leaves what somebody judged at that moment to the next one.
func TestReplaceDiedBeforeItCarried(t *testing.T) {
	t.Parallel()
	early := smallRun(4).cutShort()
	for name, swap := range map[string]func(store *Store, way string) func(a, b string) error{
		"in one exchange": func(*Store, string) func(a, b string) error { return exchange },
		"in turn": func(_ *Store, way string) func(a, b string) error {
			return func(a, b string) error { return inTurn(a, b, filepath.Join(way, setAside+early.id)) }
		},
	} {
		store := storeOf(t, early)
		way, err := store.passage()
		must(t, err)
		staged := filepath.Join(way, "1")
		must(t, os.Rename(smallRun(4).write(t, storeOf(t)), staged))
		m := store.merger(defaultLimits())
		m.dir = way
		died := errors.New("here it dies")
		m.exchange = func(a, b string) error {
			early.judged(2, "meanwhile").write(t, store)
			must(t, swap(store, way)(a, b))
			return died
		}
		if err := m.replace(staged, early.id); !errors.Is(err, died) {
			t.Fatalf("%s: %v", name, err)
		}
		for range 2 {
			_, err = store.Merge(t.Context(), storeOf(t, smallRun(1)).Dir())
			must(t, err)
			whole(t, store)
			if got, want := held(t, store), held(t, storeOf(t, smallRun(1), smallRun(4).judged(2, "meanwhile"))); got != want {
				t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}

// What was concluded from the earlier copy is not said of the whole run that took its place.
func TestJudgeWhileReplaced(t *testing.T) {
	t.Parallel()
	store := storeOf(t, smallRun(4).at(2, 3))
	run, err := store.Open(smallRun(4).id)
	must(t, err)
	run.Input("killed")
	_, err = store.Merge(t.Context(), storeOf(t, smallRun(4)).Dir())
	must(t, err)
	before := held(t, store)
	err = run.AddJudgement("killed", ExperimentResult{Name: "killed", Reason: "of half the records"})
	if err == nil || !strings.Contains(err.Error(), "was changed or replaced while it was judged: judge it again") {
		t.Errorf("got %v", err)
	}
	if got := held(t, store); got != before {
		t.Errorf("got\n%s\nwant\n%s", got, before)
	}
	run.Input("killed")
	must(t, run.AddJudgement("killed", ExperimentResult{Name: "killed", Reason: "of all records"}))
	whole(t, store)
}

// Somebody judges the earlier copy while the whole run is on its way.
func TestReplaceKeepsAJudgementOfThatMoment(t *testing.T) {
	t.Parallel()
	early := smallRun(4).cutShort()
	store := storeOf(t, early)
	m := store.merger(defaultLimits())
	m.sync = func(dir string) error {
		if dir != store.runs() {
			early.judged(2, "meanwhile").write(t, store)
		}
		return nil
	}
	_, err := m.merge(t.Context(), []string{storeOf(t, smallRun(4)).Dir()})
	must(t, err)
	whole(t, store)
	if want := held(t, storeOf(t, smallRun(4).judged(2, "meanwhile"))); held(t, store) != want {
		t.Errorf("got\n%s\nwant\n%s", held(t, store), want)
	}
}
