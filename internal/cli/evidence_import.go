package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/internal/foreign"
	"github.com/assay-dev/assay/internal/run"
)

// importFlags are the flags of "assay evidence import".
type importFlags struct {
	covers, subjects           []string
	commit, layer, owner, name string
	at                         string
}

func (a *app) importCommand() *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Take archives, and the results of other tools, into the store",
		Long: `Take files into the store, told by their content: archives of assay evidence export, and
results as JUnit XML, CTRF, or the output of go test -json.

Results become a run of the grade "claimed". Each --covers JOURNEY:MODE says which cell the
tests are to prove; with =REGEXP only those whose full name matches: class.name of JUnit,
suite > name of CTRF, package.Test of go test. A cell is proved if tests were there and all of
them passed: skipped, flaky or missing tests, a file that ends early and counters that disagree
with the tests are unknown. The same file with the same flags is the same run.

The exit code says whether the files were taken over; what the results say is for the gate to
judge. It is 1 where a run of an archive was refused.

` + exitCodes,
		Example: `  assay evidence import evidence.tgz
  assay evidence import junit.xml --covers checkout:retry --subject orders=bin/orders
  assay evidence import go-test.json --layer component --covers 'checkout:timeout=TestDeadline' \
      --covers 'checkout:retry=TestRetry' --owner team-orders`,
		Args: someArgs("import what? name one or more files: archives of assay evidence export, JUnit XML, CTRF, or go test -json"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importFiles(cmd.Context(), flags, args) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.covers, "covers", nil, "cell that results are to prove, JOURNEY:MODE or JOURNEY:MODE=REGEXP; repeat it for more")
	f.StringArrayVar(&flags.subjects, "subject", nil, "what was tested, SERVICE=sha256:DIGEST or SERVICE=FILE; repeat it for more")
	f.StringVar(&flags.commit, "commit", "", "commit that was tested (default: git's HEAD in this folder)")
	f.StringVar(&flags.layer, "layer", evidence.DefaultLayer, "layer of the tests: "+strings.Join(evidence.Layers(), ", "))
	f.StringVar(&flags.owner, "owner", "", "who answers for the tests")
	f.StringVar(&flags.name, "name", "", "name of the experiment (default: after the tool and the file)")
	f.StringVar(&flags.at, "at", "", "when the tests ran, as 2026-01-02T03:04:05Z (default: what the results say, else the file's time)")
	return cmd
}

// imported is what an import of several files came to.
type imported struct {
	Merged  *evidence.Merged   `json:"merged,omitempty"` // of the archives
	Results []foreign.Imported `json:"results"`
}

func (a *app) importFiles(ctx context.Context, flags importFlags, files []string) error {
	var archives, results []string
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			return &run.UsageError{Msg: fmt.Sprintf("import %s: it is no file (%v); assay evidence merge takes folders", file, err)}
		}
		if evidence.IsArchive(file) {
			archives = append(archives, file)
		} else {
			results = append(results, file)
		}
	}
	opts, err := a.foreignOptions(flags, results)
	if err != nil {
		return err
	}
	got := imported{Results: []foreign.Imported{}}
	store, err := evidence.OpenStore(a.store)
	if err != nil {
		return err
	}
	for _, file := range results {
		one, err := foreign.Import(ctx, store, file, opts)
		if err != nil {
			return asUsage(err)
		}
		if got.Results = append(got.Results, one); !a.json {
			a.printImported(file, one)
		}
	}
	if len(archives) > 0 {
		merged, err := a.merge(ctx, archives)
		if err != nil {
			return err
		}
		if got.Merged = &merged; !a.json {
			a.printMerged(merged)
		}
	}
	if a.json {
		a.printJSON(got)
	}
	if got.Merged == nil {
		return nil
	}
	return refusedCode(got.Merged.Refused)
}

func asUsage(err error) error {
	var unusable *foreign.Error
	if errors.As(err, &unusable) {
		return &run.UsageError{Msg: unusable.Msg}
	}
	return err
}

func (a *app) printImported(file string, one foreign.Imported) {
	p := newPrinter(a.out)
	v := one.Result.Verdict
	fmt.Fprintf(a.out, "%s  %s: %s\n", p.paint(v, strings.ToUpper(v.String())), one.Result.Name, one.Result.Reason)
	for _, journey := range slices.Sorted(maps.Keys(one.Result.Modes)) {
		for _, m := range one.Result.Modes[journey] {
			fmt.Fprintf(a.out, "  %s: %s %s: %s\n", journey, m.Name, provedWord(m), m.Text)
		}
	}
	was := "imported as"
	if !one.Added {
		was = "was imported already, as"
	}
	fmt.Fprintf(a.out, "  %s (%s) %s run %s\n", file, one.Tool, was, one.Run)
}

func provedWord(m evidence.Mode) string {
	return map[bool]string{true: "proved", false: "unproven"}[m.Proved]
}

// foreignOptions reads the flags that are for the results of other tools.
func (a *app) foreignOptions(flags importFlags, results []string) (foreign.Options, error) {
	opts := foreign.Options{Commit: flags.commit, Layer: flags.layer, Owner: flags.owner, Name: flags.name, Version: version()}
	if len(results) == 0 {
		if len(flags.covers)+len(flags.subjects) > 0 || flags.name != "" {
			return opts, &run.UsageError{Msg: "--covers, --subject and --name are for results of other tools, and no file holds any: an archive says itself what it proves"}
		}
		return opts, nil
	}
	if len(results) > 1 && flags.name != "" {
		return opts, &run.UsageError{Msg: fmt.Sprintf("--name names one experiment, and there are %d files of results: import them one by one", len(results))}
	}
	if !slices.Contains(evidence.Layers(), opts.Layer) {
		return opts, unknownWord("layer", opts.Layer, evidence.Layers())
	}
	if err := a.readCovers(flags.covers, &opts); err != nil {
		return opts, err
	}
	for _, text := range flags.subjects {
		subject, err := readSubject(text)
		if err != nil {
			return opts, &run.UsageError{Msg: "--subject " + err.Error()}
		}
		opts.Subjects = append(opts.Subjects, subject)
	}
	if flags.at != "" {
		var err error
		if opts.At, err = time.Parse(time.RFC3339, flags.at); err != nil {
			return opts, &run.UsageError{Msg: fmt.Sprintf("--at %q is no time such as 2026-01-02T03:04:05Z", flags.at)}
		}
	}
	if opts.Commit == "" {
		opts.Commit, opts.Dirty = head()
	}
	return opts, nil
}

func (a *app) readCovers(texts []string, opts *foreign.Options) error {
	known := a.journeysOfStore()
	for _, text := range texts {
		cover, err := foreign.ParseCover(text)
		if err != nil {
			return &run.UsageError{Msg: "--covers " + err.Error()}
		}
		if !slices.Contains(experiment.Modes(), cover.Mode) {
			return unknownWord("mode", cover.Mode, experiment.Modes())
		}
		if near := expr.Suggest(cover.Journey, known); near != "" && !slices.Contains(known, cover.Journey) {
			fmt.Fprintf(a.err, "no run of %s declares a journey %q (did you mean %q?): it becomes a row of its own\n", a.store, cover.Journey, near)
		}
		opts.Covers = append(opts.Covers, cover)
	}
	return nil
}

func unknownWord(what, word string, allowed []string) error {
	text := fmt.Sprintf("no %s is called %q", what, word)
	if near := expr.Suggest(word, allowed); near != "" {
		text += fmt.Sprintf(" (did you mean %q?)", near)
	}
	return &run.UsageError{Msg: text + ": there are " + strings.Join(allowed, ", ")}
}

// journeysOfStore returns the journeys that runs of the store declare. A store that cannot be read knows none.
func (a *app) journeysOfStore() []string {
	store, err := evidence.OpenStore(a.store)
	if err != nil {
		return nil
	}
	list, err := store.List()
	if err != nil {
		return nil
	}
	const enough = 20 // of the newest runs
	var names []string
	for _, sum := range list[:min(len(list), enough)] {
		r, err := store.Open(sum.ID)
		if err != nil {
			continue
		}
		d, err := r.Declaration()
		if err != nil {
			continue
		}
		for _, journey := range d.Journeys {
			names = append(names, journey.Name)
		}
	}
	return sortedNames(names)
}

var digestText = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// readSubject reads SERVICE=sha256:DIGEST or SERVICE=FILE.
func readSubject(text string) (evidence.Subject, error) {
	service, what, ok := strings.Cut(text, "=")
	if !ok || service == "" || what == "" {
		return evidence.Subject{}, fmt.Errorf("%q is not SERVICE=sha256:DIGEST or SERVICE=FILE", text)
	}
	subject := evidence.Subject{Service: service, Instances: []string{}}
	if strings.HasPrefix(what, "sha256:") {
		if !digestText.MatchString(what) {
			return subject, fmt.Errorf("%q: a digest is sha256: and 64 small hexadecimal digits", text)
		}
		subject.SHA256 = what
		return subject, nil
	}
	digest, err := evidence.Digest(what)
	if err != nil {
		return subject, fmt.Errorf("%q: %w", text, err)
	}
	subject.Binary, subject.SHA256 = what, digest
	return subject, nil
}

// head returns the commit of this folder, "" where there is none, and whether the tree differs from it.
func head() (commit string, dirty bool) {
	out, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "", false
	}
	changes, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	return strings.TrimSpace(string(out)), err != nil || len(changes) > 0
}
