package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
)

// A Swept is what was found of one environment and undone.
type Swept struct {
	ID       string
	Dir      string
	Killed   int           // processes that carried its mark
	Removed  []string      // files and folders outside Dir; Dir itself is gone when there are no Problems
	Problems []string      // what stays and what to do about it, one sentence each
	Took     time.Duration // wall clock
}

func (s Swept) err() error {
	var errs error
	for _, problem := range s.Problems {
		errs = errors.Join(errs, errors.New(problem))
	}
	return errs
}

// sweep removes what is left of the environment whose log this process owns:
// processes, then what the ledger names, in reverse, then the folder with the
// ledger. What it cannot remove it reports, and keeps the ledger for another try.
func sweep(ctx context.Context, log *ledger.Log, stateDir string) Swept {
	began := time.Now()
	s := Swept{ID: filepath.Base(log.Dir()), Dir: log.Dir()}
	s.kill(ctx)
	entries := log.Pending()
	slices.Reverse(entries)
	for _, e := range entries {
		s.undo(log, stateDir, e)
	}
	if err := plain.RemoveShared(log.Dir()); err != nil {
		s.problem("shared memory of %s cannot be removed: %v; remove it by hand (ipcrm), then run assay recover", s.ID, err)
	}
	if len(s.Problems) == 0 {
		if err := removeAll(log.Remove, log.Dir()); err != nil {
			s.problem("folder %s cannot be removed: %v; remove it by hand, then run assay recover", log.Dir(), err)
		}
	}
	s.Took = time.Since(began)
	return s
}

func (s *Swept) problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

// kill kills what carries the mark, and looks again by itself: that the kill
// returned no error is not the proof.
func (s *Swept) kill(ctx context.Context) {
	killed, err := plain.KillMarked(ctx, s.ID, plainDir(s.Dir))
	s.Killed = killed
	left, look := plain.Processes(s.ID, plainDir(s.Dir))
	switch {
	case look != nil:
		s.problem("processes with %s in their environment cannot be looked for: %v; end them by hand, then run assay recover", plain.Mark(s.ID), errors.Join(look, err))
	case len(left) > 0:
		s.problem("%d processes cannot be killed (%s): %v; end them, as root if they are another user's, then run assay recover", len(left), pidList(left), err)
	}
}

func pidList(processes []plain.Marked) string {
	var pids []string
	for _, p := range processes {
		pids = append(pids, fmt.Sprintf("%d %s", p.PID, p.Command))
	}
	return strings.Join(pids, ", ")
}

// environmentArgs are the arguments of the verb "environment", the first of each ledger.
type environmentArgs struct {
	Kind   string `json:"kind"`
	Holder int    `json:"holder"` // its pid
}

// pathArgs are the arguments of the verbs "dir" and "socket".
type pathArgs struct {
	Path string `json:"path"`
}

// undos returns how to undo what a ledger names, by verb. Each is given a state
// directory and an environment's id, does nothing the second time, and returns the path it removed.
func undos() map[string]func(args json.RawMessage, stateDir, id string) (string, error) {
	nothing := func(json.RawMessage, string, string) (string, error) { return "", nil }
	return map[string]func(json.RawMessage, string, string) (string, error){
		"environment": nothing, // its folder goes last
		"start":       nothing, // processes are found by their mark, also those whose start was never noted
		"dir":         undoPath,
		"socket":      undoPath,
	}
}

func (s *Swept) undo(log *ledger.Log, stateDir string, e ledger.Entry) {
	undo, ok := undos()[e.Verb]
	if !ok {
		s.problem("ledger entry %d of %s says %q, which this version cannot undo; run assay recover of the version that wrote it", e.Seq, s.Dir, e.Verb)
		return
	}
	path, err := undo(e.Args, stateDir, s.ID)
	if err != nil {
		s.problem("ledger entry %d (%s) is not undone: %v; remove it by hand, then run assay recover", e.Seq, e.Verb, err)
		return
	}
	// Failure to note it only means that it is done again.
	log.Done(e.Seq)
	if path != "" && !strings.HasPrefix(path, s.Dir+string(filepath.Separator)) {
		s.Removed = append(s.Removed, path)
	}
}

// undoPath removes a file or folder, if it is one that an environment can have made.
func undoPath(args json.RawMessage, stateDir, id string) (string, error) {
	var a pathArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return "", err
	}
	// The ledger is a file, and files get damaged: what is not plainly ours is not removed.
	path := filepath.Clean(a.Path)
	if !filepath.IsAbs(path) || !strings.Contains(path, id) && !strings.HasPrefix(path, filepath.Clean(stateDir)+string(filepath.Separator)) {
		return "", fmt.Errorf("%q is neither under the state directory nor named for the environment", a.Path)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err := removeAll(func() error { return os.RemoveAll(path) }, path); err != nil {
		return "", err
	}
	return path, nil
}

// removeAll removes by remove, and once more after it made the folders below
// root writable: a service may have taken its own permissions away.
func removeAll(remove func() error, root string) error {
	err := remove()
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	filepath.WalkDir(root, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	return remove()
}
