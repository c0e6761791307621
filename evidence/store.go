// Package evidence stores runs: what was planned, what happened, and what was concluded.
//
// A run is one directory, append-only: no file of it is ever overwritten.
// Whatever moment its writer dies at, what was written before stays readable,
// and the run is listed as cut short, because its seal comes last.
//
//	store, err := evidence.OpenStore(".assay")
//	run, err := store.Create(evidence.Meta{Version: version, Seed: seed})
//	err = run.WriteJSON("plan.json", plan)
//	dir, err := run.Experiment("db-failover") // x/db-failover, for ops.jsonl and its siblings
//	...
//	err = run.Seal(evidence.End{Verdict: verdict.Pass})
//
// The layout of .assay/runs/ID:
//
//	run.json           Meta
//	plan.json          the plan; byte for byte the same for the same seed
//	declaration.json   Declaration
//	subjects.json      []Subject
//	files/             copies of the user's files
//	logs/INSTANCE.log
//	x/EXPERIMENT/      ops.jsonl events.jsonl env.jsonl exchanges.jsonl decisions.jsonl series.jsonl judged-N.json
//	end.json           End, with the digest of every file
package evidence

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Store is a directory of runs. Several processes may use it at once.
type Store struct{ dir string }

// OpenStore returns the store in dir, usually ".assay". It creates nothing, so
// a store that may only be read can be read; Create makes what is missing.
func OpenStore(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("evidence: open store %s: %w", dir, err)
	}
	info, err := os.Stat(abs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("evidence: open store: %w", err)
	}
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("evidence: open store %s: it is a file, and must be a directory", abs)
	}
	return &Store{abs}, nil
}

// Dir returns the absolute path of the store.
func (s *Store) Dir() string { return s.dir }

func (s *Store) runs() string { return filepath.Join(s.dir, "runs") }

// Create makes a new run and stores meta in it. The run has an id of its own,
// also when another process creates one at the same moment. The caller calls
// Seal at the end, or Close.
func (s *Store) Create(meta Meta) (*Run, error) {
	if meta.Started.IsZero() {
		meta.Started = time.Now()
	}
	meta.Started = meta.Started.UTC()
	if err := os.MkdirAll(s.runs(), 0o777); err != nil {
		return nil, fmt.Errorf("evidence: cannot create the store %s: %w", s.dir, err)
	}
	id, err := s.claim(meta.Started)
	if err != nil {
		return nil, fmt.Errorf("evidence: cannot create a run in %s: %w", s.runs(), err)
	}
	meta.ID, meta.Format = id, Format
	run := &Run{dir: filepath.Join(s.runs(), id)}
	if err := run.begin(meta); err != nil {
		return nil, fmt.Errorf("evidence: cannot create run %s: %w", id, err)
	}
	return run, nil
}

// claim makes a directory that did not exist. An id says when, so that names
// sort by time, to the microsecond because short runs follow one another within a
// millisecond, and ends in chance, so that two runs of one moment differ. Ids
// need not replay: nothing that a seed decides depends on them.
func (s *Store) claim(at time.Time) (string, error) {
	for {
		var chance [3]byte
		rand.Read(chance[:])
		id := at.Format("20060102-150405.000000-") + hex.EncodeToString(chance[:])
		err := os.Mkdir(filepath.Join(s.runs(), id), 0o777)
		if err == nil {
			return id, syncDir(s.runs())
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
}

// Open returns the run with that id, or whose id alone starts with it. "latest" is the newest.
func (s *Store) Open(id string) (*Run, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("evidence: there is no run in %s", s.runs())
	}
	if id == "latest" {
		return &Run{dir: filepath.Join(s.runs(), ids[0])}, nil
	}
	matches := slices.DeleteFunc(slices.Clone(ids), func(other string) bool { return !strings.HasPrefix(other, id) })
	switch {
	case id == "" || len(matches) == 0:
		return nil, fmt.Errorf("evidence: no run is called %q in %s (the newest is %s)", id, s.runs(), ids[0])
	case len(matches) > 1 && !slices.Contains(matches, id):
		return nil, fmt.Errorf("evidence: %d runs start with %q (%s and %s, …): give more of the id", len(matches), id, matches[0], matches[1])
	case slices.Contains(matches, id):
		return &Run{dir: filepath.Join(s.runs(), id)}, nil
	}
	return &Run{dir: filepath.Join(s.runs(), matches[0])}, nil
}

// ids returns the names of all runs, newest first.
func (s *Store) ids() ([]string, error) {
	entries, err := os.ReadDir(s.runs())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("evidence: list runs: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() {
			ids = append(ids, entry.Name())
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(b, a) })
	return ids, nil
}
