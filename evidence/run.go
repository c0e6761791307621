package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrSealed reports a write to a run that has its end.json.
var ErrSealed = errors.New("the run is sealed: only judgements can be added")

// A Run is the directory of one run. Its methods are safe for concurrent use.
type Run struct {
	dir  string
	lock *os.File // held while it is being written; nil when it was opened to be read
	seen readings
}

// begin writes run.json and takes the lock that tells others that this run is alive.
func (r *Run) begin(meta Meta) error {
	if err := r.WriteJSON("run.json", meta); err != nil {
		return err
	}
	lock, err := os.Open(r.path("run.json"))
	if err != nil {
		return err
	}
	r.lock = lock
	// The kernel drops the lock when the writer dies. Where a file system has no
	// locks the run is listed as cut short until it is sealed.
	_ = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return nil
}

// beingWritten says whether a living process holds the run's lock.
func (r *Run) beingWritten() bool {
	file, err := os.Open(r.path("run.json"))
	if err != nil {
		return false
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// Close lets go of a run without sealing it: from then on it counts as cut short.
func (r *Run) Close() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Close()
}

// ID returns the run's id.
func (r *Run) ID() string { return filepath.Base(r.dir) }

// Dir returns the absolute path of the run.
func (r *Run) Dir() string { return r.dir }

func (r *Run) path(name string) string { return filepath.Join(r.dir, filepath.FromSlash(name)) }

// LogDir returns the directory of the instances' logs, logs/INSTANCE.log, and makes it.
func (r *Run) LogDir() (string, error) { return r.folder("logs") }

// Experiment returns the directory of an experiment's records, x/NAME, and makes it.
func (r *Run) Experiment(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return r.folder("x/" + name)
}

func (r *Run) folder(name string) (string, error) {
	if r.sealed() {
		return "", fmt.Errorf("evidence: run %s: make %s: %w", r.ID(), name, ErrSealed)
	}
	if err := makeDirs(r.dir, name); err != nil {
		return "", fmt.Errorf("evidence: run %s: make %s: %w", r.ID(), name, err)
	}
	return r.path(name), nil
}

// Experiments returns the names of the experiments that left records, sorted.
func (r *Run) Experiments() ([]string, error) {
	entries, err := os.ReadDir(r.path("x"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("evidence: run %s: list experiments: %w", r.ID(), err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// WriteJSON stores v, indented, as a new file; name is a path below the run with slashes.
// The file is there whole or not at all, and on disk when WriteJSON returns.
// A name that exists is an error that wraps fs.ErrExist.
func (r *Run) WriteJSON(name string, v any) error {
	text, err := indented(v)
	if err != nil {
		return fmt.Errorf("evidence: run %s: write %s: %w", r.ID(), name, err)
	}
	return r.place(name, strings.NewReader(text))
}

func indented(v any) (string, error) {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return text.String(), err
}

// WriteFile stores content as a new file, with the promises of WriteJSON.
func (r *Run) WriteFile(name string, content []byte) error {
	return r.place(name, bytes.NewReader(content))
}

// CopyFile stores a copy of the file at path, with the promises of WriteJSON.
func (r *Run) CopyFile(name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("evidence: run %s: write %s: %w", r.ID(), name, err)
	}
	defer file.Close()
	return r.place(name, file)
}

func (r *Run) place(name string, content io.Reader) error {
	if r.sealed() {
		return fmt.Errorf("evidence: run %s: write %s: %w", r.ID(), name, ErrSealed)
	}
	if err := r.writeNew(name, content); err != nil {
		return fmt.Errorf("evidence: run %s: write %s: %w", r.ID(), name, err)
	}
	return nil
}

// CreateFile makes a new file that is written as the run goes on, such as
// ops.jsonl. The caller closes it before Seal.
func (r *Run) CreateFile(name string) (*os.File, error) {
	if r.sealed() {
		return nil, fmt.Errorf("evidence: run %s: create %s: %w", r.ID(), name, ErrSealed)
	}
	file, err := r.createNew(name)
	if err != nil {
		return nil, fmt.Errorf("evidence: run %s: create %s: %w", r.ID(), name, err)
	}
	return file, nil
}

// Meta returns run.json.
func (r *Run) Meta() (Meta, error) { return readJSON[Meta](r, "run.json") }

// Declaration returns declaration.json.
func (r *Run) Declaration() (Declaration, error) {
	return readJSON[Declaration](r, "declaration.json")
}

// Subjects returns subjects.json.
func (r *Run) Subjects() ([]Subject, error) { return readJSON[[]Subject](r, "subjects.json") }

// End returns end.json. An error that wraps fs.ErrNotExist means the run was not sealed.
func (r *Run) End() (End, error) { return readJSON[End](r, "end.json") }

func readJSON[T any](r *Run, name string) (T, error) {
	var v T
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		return v, fmt.Errorf("evidence: run %s: %w", r.ID(), err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return *new(T), fmt.Errorf("evidence: run %s: %s cannot be read: %w", r.ID(), name, err)
	}
	return v, nil
}

// checkName refuses experiment names that are no plain name of a directory.
func checkName(name string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`+"\x00") {
		return fmt.Errorf("evidence: %q cannot name an experiment (no slashes, no leading dot, not empty)", name)
	}
	return nil
}

func (r *Run) sealed() bool {
	_, err := os.Lstat(r.path("end.json"))
	return err == nil
}

// isJudgement says whether name is x/EXPERIMENT/judged-N.json, which may be added after the seal.
func isJudgement(name string) bool {
	parts := strings.Split(name, "/")
	return len(parts) == 3 && parts[0] == "x" && judgementNumber(parts[2]) > 0
}
