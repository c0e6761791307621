package evidence

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A source is one place that runs are taken from.
type source struct {
	path string
	take func(context.Context, *merger) error
}

// deepestSource is how far below a folder that was named evidence is looked for.
const deepestSource = 8

// sources finds the stores, runs and archives at path.
func (s *Store) sources(path string) ([]source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("evidence: merge %s: %w: %w", path, ErrNoEvidence, err)
	}
	if !info.IsDir() {
		if !IsArchive(path) {
			return nil, fmt.Errorf("evidence: merge %s: %w: it is no archive of assay evidence export", path, ErrNoEvidence)
		}
		return []source{archiveSource(path)}, nil
	}
	found, err := s.below(path, deepestSource)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("evidence: merge %s: %w: neither a store, nor a run, nor an archive of assay evidence export", path, ErrNoEvidence)
	}
	return found, err
}

func (s *Store) below(path string, depth int) ([]source, error) {
	switch {
	case isFile(filepath.Join(path, "run.json")):
		abs, err := filepath.Abs(path) // the last part is the run's id
		return []source{runsSource(path, []string{abs})}, err
	case isDir(filepath.Join(path, "runs")):
		if same(filepath.Join(path, "runs"), s.runs()) {
			return nil, nil // the store itself
		}
		return storeSource(path)
	case depth == 0:
		return nil, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("evidence: merge %s: %w", path, err)
	}
	var all []source
	for _, entry := range entries {
		child := filepath.Join(path, entry.Name())
		switch {
		case entry.IsDir():
			found, err := s.below(child, depth-1)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		case entry.Type().IsRegular() && IsArchive(child) && !holdsSomethingElse(child):
			all = append(all, archiveSource(child))
		}
	}
	return all, nil
}

func storeSource(path string) ([]source, error) {
	entries, err := os.ReadDir(filepath.Join(path, "runs"))
	if err != nil {
		return nil, fmt.Errorf("evidence: merge %s: %w", path, err)
	}
	var dirs []string
	for _, entry := range entries {
		if entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 {
			dirs = append(dirs, filepath.Join(path, "runs", entry.Name()))
		}
	}
	return []source{runsSource(path, dirs)}, nil
}

func runsSource(path string, dirs []string) source {
	return source{path, func(ctx context.Context, m *merger) error { return m.takeRuns(ctx, path, dirs) }}
}

func archiveSource(path string) source {
	return source{path, func(ctx context.Context, m *merger) error { return m.takeArchive(ctx, path) }}
}

func isFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
