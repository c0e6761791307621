package release

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/verdict"
)

// derived judges once more, from their records, the results that a decision would rest on, and those that were judged after
// their run was sealed. A seal only says that a file is what it was, and anybody can seal; so a result counts if its records say the same.
// What this program found so before is remembered.
func derived(ctx context.Context, store *evidence.Store, f gate.Facts, opts Options, cards []evidence.Card) []evidence.Card {
	cited := restsOn(f, opts.Now, cards)
	cards = slices.Clone(cards)
	if opts.Verify {
		store.Verify(cards, func(c evidence.Card) bool { return cited[c.ID] != nil })
	}
	var news atomic.Bool
	each(len(cards), func(i int) {
		var names []string
		for _, r := range cards[i].Results {
			if (r.Later || cited[cards[i].ID][r.Name]) && (r.Derived == "" || r.Derived != opts.Program) {
				names = append(names, r.Name)
			}
		}
		if len(names) == 0 || cards[i].Meta.Kind != evidence.KindRun { // nobody but their tool can judge the others
			return
		}
		r, err := store.Open(cards[i].ID)
		cards[i] = derive(ctx, r, err, cards[i], names, opts.Program)
		news.Store(true)
	})
	if opts.Program != "" && news.Load() {
		store.Remember(cards)
	}
	return cards
}

// each calls do with every number below n, on all processors.
func each(n int, do func(i int)) {
	var work sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		turns <- struct{}{}
		work.Go(func() {
			do(i)
			<-turns
		})
	}
	work.Wait()
}

// restsOn returns the experiments that a decision would rest on, by run.
func restsOn(f gate.Facts, now time.Time, cards []evidence.Card) map[string]map[string]bool {
	newest(&f, cards, now)
	cited := map[string]map[string]bool{}
	cite := func(run, experiment string) {
		if cited[run] == nil {
			cited[run] = map[string]bool{}
		}
		cited[run][experiment] = true
	}
	if f.Newest != nil {
		cite(f.Newest.ID, "")
	}
	if f.Newest != nil && len(f.Policy.Conditions) > 0 { // which may read what became of the run
		for _, r := range f.Newest.Results {
			cite(f.Newest.ID, r.Name)
		}
	}
	m := lay(f, now, cards)
	for _, r := range m.Results {
		if len(f.Policy.Conditions) > 0 { // which may read it, whatever it claims
			cite(r.Run, r.Name)
		}
	}
	for _, row := range m.Rows {
		for _, cell := range row.Cells {
			for _, s := range cell.Sources {
				cite(s.Run, s.Name)
			}
		}
	}
	return cited
}

// derive returns the card as it is once the named results were judged again. err is what kept the run from being opened.
func derive(ctx context.Context, r *evidence.Run, err error, card evidence.Card, names []string, program string) evidence.Card {
	var again map[string]evidence.ExperimentResult
	if err == nil {
		again, err = run.Derive(ctx, r, names)
	}
	card.Results = slices.Clone(card.Results)
	for i := range card.Results {
		result := &card.Results[i]
		if !slices.Contains(names, result.Name) {
			continue
		}
		doubt := ""
		if err != nil {
			doubt = fmt.Sprintf("its records cannot be judged here: %v", err)
		} else if now, planned := again[result.Name]; !planned {
			doubt = "its run did not plan it"
		} else {
			doubt = differs(*result, now)
		}
		switch {
		case doubt == "":
			result.Derived = program
		case result.Later:
			result.Verdict, result.Reason = verdict.Unknown, "it was judged after its run was sealed, and "+doubt
		case result.Verdict != verdict.Fail: // which stands: doubts make nothing better
			result.Verdict, result.Reason = verdict.Unknown, "it was judged once more for this decision, and "+doubt
		}
	}
	return card
}

// differs says what is in a result and not in its records, "" for nothing.
func differs(stored evidence.CardResult, now evidence.ExperimentResult) string {
	switch {
	case now.Definition != stored.Definition:
		return "its plan asks something else than it answers"
	case now.Verdict != stored.Verdict:
		return fmt.Sprintf("its records say %s: %s", now.Verdict, now.Reason)
	case len(now.Checks) != stored.Checks:
		return fmt.Sprintf("its records have %d checks, not %d", len(now.Checks), stored.Checks)
	case !maps.EqualFunc(now.Modes, stored.Modes, slices.Equal):
		return "its records say something else of what was proved"
	case !reflect.DeepEqual(now.Recovery, stored.Recovery):
		return "its records say something else of the recovery"
	}
	return ""
}
