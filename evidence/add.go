package evidence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// IDAt returns the id of a run that began at that moment. What tells it from
// others of the moment, in small letters and digits, is the last part.
func IDAt(at time.Time, last string) string {
	return at.UTC().Format("20060102-150405.000000-") + last
}

// Add stores a run that did not happen here, under meta's id. fill writes what
// it holds, and returns its end; the run is in the store whole or not at all. Where the store has a run of
// that id, fill is not called, and Add returns the run and false.
func (s *Store) Add(ctx context.Context, meta Meta, fill func(*Run) (End, error)) (run *Run, added bool, err error) {
	if err := checkID(meta.ID); err != nil {
		return nil, false, fmt.Errorf("evidence: %w", err)
	}
	run = &Run{dir: filepath.Join(s.runs(), meta.ID)}
	meta.Format = Format
	err = s.exclusively(ctx, func() (err error) {
		if s.has(meta.ID) {
			return run.Verify()
		}
		dir, err := s.passage()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		staged := &Run{dir: filepath.Join(dir, meta.ID)}
		if err := os.Mkdir(staged.dir, 0o777); err != nil {
			return err
		}
		if err := staged.complete(ctx, meta, fill); err != nil {
			return err
		}
		if added, err = s.enter(staged.dir, meta.ID); err != nil {
			return err
		}
		return syncDir(s.runs())
	})
	return run, added, err
}

func (r *Run) complete(ctx context.Context, meta Meta, fill func(*Run) (End, error)) error {
	if err := r.WriteJSON("run.json", meta); err != nil {
		return err
	}
	end, err := fill(r)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	return r.Seal(end)
}
