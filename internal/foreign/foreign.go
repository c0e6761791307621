// Package foreign reads the results of other tools, and turns them into evidence.
//
// It knows JUnit XML, CTRF and "go test -json", and tells them by their content.
// Nothing of ours stands behind such results, so their grade is "claimed", and
// whatever keeps them from being whole and green makes them unknown or a failure: a test that was skipped,
// a file that ends early, counters that say something else than the tests.
//
//	got, err := foreign.Import(ctx, store, "junit.xml", foreign.Options{
//		Covers: []foreign.Cover{{Journey: "checkout", Mode: "retry"}},
//	})
package foreign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// Options say what results are of.
type Options struct {
	Covers   []Cover            // cells that the tests are to prove
	Subjects []evidence.Subject // what was tested
	Commit   string
	Dirty    bool
	Layer    string    // "" is evidence.DefaultLayer
	Owner    string    // who answers for the tests
	Name     string    // of the experiment; "" names it after tool and file
	At       time.Time // when the tests ran; zero takes the results' own time, else the file's
	Now      time.Time // zero is the present
	Version  string    // of assay
}

// A Cover says which cell of the matrix tests are of.
type Cover struct {
	Journey string `json:"journey"`
	Mode    string `json:"mode"`
	Tests   string `json:"tests,omitempty"` // a regular expression that selects tests by full name; "" for all
}

// Imported is what an import came to.
type Imported struct {
	Run    string                    `json:"run"`
	Added  bool                      `json:"added"` // false where the store had it
	Tool   string                    `json:"tool"`
	Result evidence.ExperimentResult `json:"result"`
}

// An Error is a file or an option that cannot be used as it is.
type Error struct{ Msg string }

func (e *Error) Error() string { return e.Msg }

func unusable(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// ParseCover reads JOURNEY:MODE or JOURNEY:MODE=REGEXP.
func ParseCover(text string) (Cover, error) {
	cell, tests, _ := strings.Cut(text, "=")
	at := strings.LastIndex(cell, ":")
	if at <= 0 || at == len(cell)-1 {
		return Cover{}, fmt.Errorf("%q is not JOURNEY:MODE or JOURNEY:MODE=REGEXP (such as checkout:retry=TestRetry)", text)
	}
	c := Cover{cell[:at], cell[at+1:], tests}
	if _, err := regexp.Compile(tests); err != nil {
		return Cover{}, fmt.Errorf("%q: %w", text, err)
	}
	return c, nil
}

// Import stores the results in the file at path as a run. The same file with the
// same options is the same run, on every machine. What is wrong with the file or the options is an *Error.
func Import(ctx context.Context, store *evidence.Store, path string, opts Options) (Imported, error) {
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	read, err := readFile(ctx, path, opts)
	if err != nil {
		return Imported{}, err
	}
	began, ended, err := moments(path, read, opts)
	if err != nil {
		return Imported{}, err
	}
	name := opts.Name
	if name == "" {
		name = defaultName(read.tool, path)
	}
	if err := evidence.CheckName(name); err != nil {
		return Imported{}, unusable("%v: choose another with --name", err)
	}
	digest, err := evidence.Digest(path)
	if err != nil {
		return Imported{}, err
	}
	result := read.result(name, opts)
	result.Judged = ended
	meta := evidence.Meta{ID: evidence.IDAt(began, fingerprint(read.tool, name, digest, ended, opts)), Kind: evidence.KindForeign, Tool: read.tool,
		Started: began, Version: opts.Version, Commit: opts.Commit, Dirty: opts.Dirty, Grade: evidence.GradeClaimed, Experiments: []string{name}}
	_, added, err := store.Add(ctx, meta, func(r *evidence.Run) (evidence.End, error) {
		end := evidence.End{Ended: ended, Verdict: result.Verdict, Reason: ""}
		return end, fill(r, path, digest, result, opts)
	})
	return Imported{meta.ID, added, read.tool, result}, err
}

// fingerprint tells imports apart that differ in anything that is stored.
func fingerprint(tool, name, digest string, ended time.Time, opts Options) string {
	opts.At, opts.Now, opts.Name = ended, time.Time{}, name
	text, err := json.Marshal(struct {
		Tool, Digest string
		Options      Options
	}{tool, digest, opts})
	if err != nil {
		panic(fmt.Sprintf("foreign: options that cannot be written: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

func fill(r *evidence.Run, path, digest string, result evidence.ExperimentResult, opts Options) error {
	file := "files/" + safe(filepath.Base(path))
	if err := r.CopyFile(file, path); err != nil {
		return err
	}
	if copied, err := evidence.Digest(filepath.Join(r.Dir(), filepath.FromSlash(file))); err != nil || copied != digest {
		return fmt.Errorf("%s changed while it was imported (%v)", path, err)
	}
	subjects := opts.Subjects
	if subjects == nil {
		subjects = []evidence.Subject{}
	}
	if err := r.WriteJSON("declaration.json", declaration(result.Name, opts.Covers)); err != nil {
		return err
	}
	if err := r.WriteJSON("subjects.json", subjects); err != nil {
		return err
	}
	if _, err := r.Experiment(result.Name); err != nil {
		return err
	}
	return r.AddJudgement(result.Name, result)
}

// declaration names the journeys and cells that the tests are to prove, each once.
func declaration(experiment string, covers []Cover) evidence.Declaration {
	d := evidence.Declaration{Journeys: []evidence.Journey{}}
	journeys, cells := map[string]bool{}, map[Cover]bool{}
	for _, c := range covers {
		if !journeys[c.Journey] {
			journeys[c.Journey] = true
			d.Journeys = append(d.Journeys, evidence.Journey{Name: c.Journey})
		}
		if c.Tests = ""; !cells[c] {
			cells[c] = true
			d.Cells = append(d.Cells, evidence.Cell{Journey: c.Journey, Mode: c.Mode, Experiment: experiment})
		}
	}
	return d
}

// moments returns when the tests began and ended.
func moments(path string, read *report, opts Options) (began, ended time.Time, err error) {
	const by = "--at says"
	began, ended, source := opts.At, opts.At, by
	if began.IsZero() {
		began, ended, source = read.began, read.ended, "the results say"
	}
	if began.IsZero() {
		info, err := os.Stat(path)
		if err != nil {
			return began, ended, err
		}
		began, ended, source = info.ModTime(), info.ModTime(), "the file's time says"
	}
	if ended.Before(began) {
		ended = began
	}
	if ended.Sub(opts.Now) > evidence.MaxAhead {
		hint := " (say when with --at)"
		if source == by {
			hint = ""
		}
		return began, ended, unusable("%s: %s that the tests ran at %s, which is in the future%s", path, source, ended.UTC().Format(time.RFC3339), hint)
	}
	if began.Year() < 1970 {
		return began, ended, unusable("%s: %s that the tests ran in the year %d (say when with --at)", path, source, began.Year())
	}
	return began.UTC(), ended.UTC(), nil
}

func defaultName(tool, path string) string {
	base := filepath.Base(path)
	return strings.ReplaceAll(tool, " ", "-") + "-" + safe(strings.TrimSuffix(base, filepath.Ext(base)))
}

// safe returns a file's name with all that could mean something elsewhere replaced.
func safe(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, name)
	const longest = 100
	if name = strings.TrimLeft(name, "."); name == "" {
		name = "results"
	}
	return name[:min(len(name), longest)]
}

// A report is what was read of one file.
type report struct {
	tool         string
	began, ended time.Time
	*tally
}

// result concludes. Only tests that were there, ran and passed, all of them, in a file that is whole, pass.
func (r *report) result(name string, opts Options) evidence.ExperimentResult {
	result := evidence.ExperimentResult{Name: name, Title: "Results of " + r.tool, Owner: opts.Owner, Layer: opts.Layer, Version: opts.Version,
		Problems: r.problemList(), Checks: r.checks(), Modes: r.modes()}
	if result.Layer == "" {
		result.Layer = evidence.DefaultLayer
	}
	result.Verdict, result.Reason = r.conclude()
	if result.Verdict == verdict.Pass && len(result.Problems) > 0 {
		panic("foreign: a pass with problems")
	}
	return result
}
