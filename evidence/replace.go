package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// replacing makes an arrival of the whole copy in a folder of ours, which is to take the place of the one here.
func (m *merger) replacing(id, staged string, found content) (arrival, error) {
	a, err := m.asNew(id, staged, found)
	if err == nil {
		a.replaces = true
		err = carry(id, m.store.at(id), &Run{dir: staged})
	}
	return a, err
}

// carry adds to a copy of a run the judgements of an earlier one that are of the same records.
// Those of less than that say nothing of the later copy.
func carry(id string, early, late *Run) error {
	old, err := contentOf(early.dir, nil)
	if err != nil {
		return err
	}
	found, err := contentOf(late.dir, nil)
	if err != nil {
		return err
	}
	var list []judgement
	for _, name := range fitting(id, early, missing(old, found), found) {
		list = append(list, judgement{experimentOf(name), early.path(name)})
	}
	return late.addJudgements(list)
}

// fitting returns those judgements in a copy of the run id that are of the records in found.
func fitting(id string, run *Run, names []string, found content) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		text, err := os.ReadFile(run.path(name))
		if err != nil {
			return true
		}
		result, err := readJudgement(text, id)
		return err != nil || belongs(result, experimentOf(name), found) != nil
	})
}

// replace puts a whole run in the place of an earlier copy of it.
func (m *merger) replace(staged, id string) error {
	final, aside := m.store.at(id), &Run{dir: filepath.Join(m.dir, swapped+id)}
	err := os.Rename(staged, aside.dir)
	if err == nil {
		err = m.exchange(aside.dir, final.dir)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		staged, aside = aside.dir, &Run{dir: filepath.Join(m.dir, setAside+id)}
		err = inTurn(staged, final.dir, aside.dir)
	}
	if err != nil {
		return fmt.Errorf("evidence: put run %s in the place of an earlier copy: %w", id, err)
	}
	if err := carry(id, aside, final); err != nil { // once more: somebody may have judged meanwhile
		return err
	}
	return os.Rename(aside.dir, m.folder()) // it is done with, and a still later copy may come with the same merge
}

// inTurn is an exchange for where there is none. If this process dies in between, putBack undoes the first half.
func inTurn(staged, final, aside string) error {
	if err := os.Rename(final, aside); err != nil {
		return err
	}
	if err := os.Rename(staged, final); err != nil {
		return errors.Join(err, os.Rename(aside, final))
	}
	return nil
}

// These begin the name of a run, in a folder of runs on their way, that gives way to a later copy.
const (
	setAside = "aside-"   // it is out of its place
	swapped  = "swapped-" // it is in one exchange with its successor, which is here until then
)

// putBack returns runs to their places that had to go when their successors had not come in. Where these have come in, they
// get the judgements that were added to the earlier ones meanwhile.
func (s *Store) putBack(passing string) error {
	entries, err := os.ReadDir(passing)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		left := filepath.Join(passing, entry.Name())
		if id, ok := strings.CutPrefix(entry.Name(), setAside); ok {
			_, err = s.enter(left, id)
			err = errors.Join(err, syncDir(s.runs()), s.carryLate(left, id))
		} else if id, ok := strings.CutPrefix(entry.Name(), swapped); ok {
			err = s.carryLate(left, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// carryLate carries what was judged in a copy of a run on its way, which is left by a process that died, if both are there.
func (s *Store) carryLate(left, id string) error {
	if !s.has(id) || !isDir(left) {
		return nil
	}
	if err := carry(id, &Run{dir: left}, s.at(id)); err != nil {
		return err
	}
	return syncTree(s.at(id).dir)
}
