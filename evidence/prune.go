package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-dev/assay/verdict"
)

// Retention says which runs Prune may remove. A run goes only if each rule that
// is set lets it go; with none set nothing goes.
type Retention struct {
	Keep   int           // the newest so many stay; 0 for no such rule
	MaxAge time.Duration // runs that started since stay; 0 for no such rule
	Now    time.Time     // what ages are counted from; zero for the present
	Force  bool          // also runs that hold the newest evidence of a cell
	DryRun bool          // remove nothing, and say what would go
}

// Pruned is what Prune did, or would do.
type Pruned struct {
	Removed []Removed `json:"removed"` // oldest first
	Spared  []Spared  `json:"spared"`  // runs that the rules let go, and that stay
	Freed   int64     `json:"freed"`   // bytes
}

// Removed is a run that is gone, and what it held.
type Removed struct {
	Run   string   `json:"run"`
	Bytes int64    `json:"bytes"`
	Held  []string `json:"held,omitempty"` // the newest evidence of these cells, as "EXPERIMENT: JOURNEY MODE"
}

// Spared is a run that stays, and why.
type Spared struct {
	Run    string `json:"run"`
	Reason string `json:"reason"`
}

// Prune removes old runs. It spares one that is being written, one whose account
// of itself cannot be read, and, without Force, the newest that holds evidence of a cell.
func (s *Store) Prune(ctx context.Context, r Retention) (Pruned, error) {
	out := Pruned{Removed: []Removed{}, Spared: []Spared{}}
	if r.Keep <= 0 && r.MaxAge <= 0 {
		return out, errors.New("evidence: prune: no rule says what may go")
	}
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	err := s.exclusively(ctx, func() error {
		cards, err := s.Cards()
		if err != nil {
			return err
		}
		held := holdings(cards)
		for i, card := range slices.Backward(cards) {
			sum := card.Summary
			if !r.lets(i, sum) {
				continue
			}
			reason := r.spares(sum, held[sum.ID])
			if card.Refused != "" && reason == "" {
				reason = "it does not count, and somebody should know why: remove it by name"
			}
			if reason != "" {
				out.Spared = append(out.Spared, Spared{sum.ID, reason})
				continue
			}
			removed, err := s.remove(ctx, sum.ID, held[sum.ID], r.DryRun)
			if err != nil {
				return err
			}
			out.Removed = append(out.Removed, removed)
			out.Freed += removed.Bytes
		}
		return nil
	})
	return out, err
}

// lets says whether the rules let a run go that i newer ones follow.
func (r Retention) lets(i int, sum Summary) bool {
	if r.Keep > 0 && i < r.Keep {
		return false
	}
	return r.MaxAge <= 0 || r.Now.Sub(sum.Meta.Started) > r.MaxAge
}

func (r Retention) spares(sum Summary, held []string) string {
	switch {
	case sum.Status == Running:
		return "it is being written"
	case sum.Status == Corrupt:
		return "its own account of itself cannot be read: remove it by name"
	case len(held) > 0 && !r.Force:
		more := ""
		if len(held) > 1 {
			more = fmt.Sprintf(" and %d more", len(held)-1)
		}
		return "it holds the newest evidence of " + held[0] + more
	}
	return ""
}

// Remove removes one run, whatever it holds, unless it is being written.
func (s *Store) Remove(ctx context.Context, id string) (removed Removed, err error) {
	err = s.exclusively(ctx, func() error {
		cards, err := s.Cards()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(cards, func(c Card) bool { return c.ID == id })
		switch {
		case at < 0:
			return fmt.Errorf("evidence: remove %s: there is no such run in %s", id, s.dir)
		case cards[at].Status == Running:
			return fmt.Errorf("evidence: remove %s: it is being written", id)
		}
		removed, err = s.remove(ctx, id, holdings(cards)[id], false)
		return err
	})
	return removed, err
}

// remove takes the run out of the store in one step, and then its files away.
func (s *Store) remove(ctx context.Context, id string, held []string, dry bool) (Removed, error) {
	dir := filepath.Join(s.runs(), id)
	removed := Removed{Run: id, Held: held}
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			removed.Bytes += info.Size()
		}
		return err
	})
	if err != nil || dry || ctx.Err() != nil {
		return removed, errors.Join(err, ctx.Err())
	}
	way, err := s.passage()
	if err != nil {
		return removed, err
	}
	if err := os.Rename(dir, filepath.Join(way, id)); err != nil {
		return removed, errors.Join(fmt.Errorf("evidence: remove run %s: %w", id, err), os.RemoveAll(way))
	}
	return removed, errors.Join(syncDir(s.runs()), os.RemoveAll(way))
}

// A cell is what evidence is of. Runs that were made differently do not stand in for one another.
type cell struct {
	experiment, journey, mode string
	defect, grade             string
	control, proof            bool
}

func (c cell) String() string {
	text := c.experiment
	if c.mode != "" {
		text += ": " + c.journey + " " + c.mode
	}
	return text
}

// holdings returns, by run, the cells that it holds the newest evidence of, or the
// newest proof. A run that is not as it was sealed has no results in its card, and holds nothing.
func holdings(newestFirst []Card) map[string][]string {
	taken := map[cell]bool{}
	held := map[string][]string{}
	for _, card := range newestFirst {
		texts := map[string]bool{}
		for _, c := range cellsOf(card) {
			if !taken[c] {
				taken[c] = true
				texts[c.String()] = true
			}
		}
		if len(texts) > 0 {
			held[card.ID] = slices.Sorted(maps.Keys(texts))
		}
	}
	return held
}

// cellsOf returns what a run holds evidence of: of one that was cut short, its failures.
func cellsOf(card Card) []cell {
	var cells []cell
	for _, result := range card.Results {
		if card.Status != Complete && result.Verdict != verdict.Fail {
			continue
		}
		c := cell{experiment: result.Name, defect: card.Meta.Defect, grade: card.Meta.Grade, control: card.Meta.Control}
		if len(result.Modes) == 0 {
			cells = append(cells, c) // evidence of no cell, and all that there is of the experiment
		}
		for journey, modes := range result.Modes {
			for _, mode := range modes {
				c.journey, c.mode, c.proof = journey, mode.Name, false
				cells = append(cells, c)
				c.proof = mode.Proved && result.Verdict == verdict.Pass
				cells = append(cells, c)
			}
		}
	}
	return cells
}
