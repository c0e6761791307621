package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/release"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

// decideFlags are the flags of what is decided from evidence.
type decideFlags struct {
	base     string
	subjects []string
	commit   string
	at       string
	format   string
	output   string
	mutate   bool
	reread   bool
}

func (d *decideFlags) add(cmd *cobra.Command, formats ...string) {
	f := cmd.Flags()
	f.StringVar(&d.base, "base", "", `git revision whose declaration must still be asked for; "none" compares nothing (default: where this branch left the one it is merged into)`)
	f.StringVar(&d.at, "at", "", "the time at which evidence is judged, such as 2026-12-31T12:00:00Z (default now)")
	f.StringVar(&d.format, "format", "text", strings.Join(formats, ", "))
	f.StringVarP(&d.output, "output", "o", "", "file to write, - for stdout (default: stdout)")
}

func (a *app) matrixCommand() *cobra.Command {
	var flags decideFlags
	formats := []string{"text", "markdown", "json", "html"}
	cmd := &cobra.Command{
		Use:   "matrix [FOLDER]",
		Short: "Show what is proved: journeys by failure modes",
		Long: `Show what the evidence in the store proves of the project in FOLDER (default: this
folder): its journeys by failure modes, each with verdict, age and owner. A cell that
nothing proves says so. What the base branch asks for and this one does not is shown,
and fails.

` + exitCodes,
		Example: `  assay matrix
  assay matrix examples/shop --format markdown
  assay matrix --base main --format html -o matrix.html`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.matrix(cmd.Context(), folder(args), flags, formats)
		},
	}
	flags.add(cmd, formats...)
	return cmd
}

func (a *app) gateCommand() *cobra.Command {
	var flags decideFlags
	formats := []string{"text", "markdown", "json", "junit", "github"}
	cmd := &cobra.Command{
		Use:   "gate [FOLDER]",
		Short: "Decide whether the evidence is enough for a release",
		Long: `Decide, by the policy that assay.yaml names (gate: gate.yaml) or by the default one, whether
the evidence in the store is enough to release. What is unknown, stale or missing never
passes. The decision says clause by clause what it rests on, and what would flip it.

What is to be released is what was run last, unless --subject names each service's binary
or image. The default policy needs replication, failover, retry, timeout and a degraded
mode of every journey, proved on the same digests within 7 days.

` + exitCodes,
		Example: `  assay gate
  assay gate --subject orders=bin/orders --subject payments=sha256:2c26…
  assay gate --base main --format github
  assay gate --mutate                             # would it notice? the share it noticed is the kill rate
  assay gate --json --at 2026-12-31T12:00:00Z     # the same inputs give the same bytes`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.gate(cmd.Context(), folder(args), flags, formats)
		},
	}
	flags.add(cmd, formats...)
	cmd.Flags().StringArrayVar(&flags.subjects, "subject", nil, "SERVICE=FILE or SERVICE=sha256:DIGEST of what is to be released; every service, or none")
	cmd.Flags().BoolVar(&flags.mutate, "mutate", false, "test the gate: spoil a copy of all it rests on, piece by piece, and show what it did not notice")
	cmd.Flags().BoolVar(&flags.reread, "reread", false, "read every file that the decision rests on, also of runs that were verified here before and have not changed since")
	cmd.Flags().StringVar(&flags.commit, "commit", "", "commit that is to be released (default: the one that is checked out)")
	return cmd
}

// folder returns the project that a command is about.
func folder(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

func (a *app) matrix(ctx context.Context, path string, flags decideFlags, formats []string) error {
	if err := flags.formatIn(formats); err != nil {
		return err
	}
	f, err := a.gather(ctx, path, flags, false)
	if err != nil {
		return err
	}
	m := f.Matrix
	err = a.write(flags, map[string]func(io.Writer) error{
		"text":     func(w io.Writer) error { return m.WriteText(w, newPrinter(w).style()) },
		"markdown": m.WriteMarkdown, "html": func(w io.Writer) error { return report.MatrixHTML(w, m) },
		"json": func(w io.Writer) error { return writeJSON(w, m) },
	})
	if err != nil {
		return err
	}
	return exitOf(m.Verdict())
}

func (a *app) gate(ctx context.Context, path string, flags decideFlags, formats []string) error {
	if err := flags.formatIn(formats); err != nil {
		return err
	}
	if flags.mutate {
		return a.mutate(ctx, path, flags)
	}
	f, err := a.gather(ctx, path, flags, flags.reread)
	if err != nil {
		return err
	}
	d := gate.Decide(ctx, f)
	err = a.write(flags, map[string]func(io.Writer) error{
		"text":     func(w io.Writer) error { return d.WriteText(w, newPrinter(w).style()) },
		"markdown": d.WriteMarkdown, "junit": d.WriteJUnit, "github": d.WriteGitHub,
		"json": func(w io.Writer) error { return writeJSON(w, d) },
	})
	if err != nil {
		return err
	}
	return exitOf(d.Verdict)
}

// formatIn refuses a form that there is not.
func (d decideFlags) formatIn(formats []string) error {
	if slices.Contains(formats, d.format) {
		return nil
	}
	return &run.UsageError{Msg: fmt.Sprintf("--format cannot be %q (allowed: %s)", d.format, strings.Join(formats, ", "))}
}

// gather reads the project and its evidence. A store that is not there is an empty one: nothing is proved.
func (a *app) gather(ctx context.Context, path string, flags decideFlags, verify bool) (gate.Facts, error) {
	project, store, opts, err := a.open(path, flags)
	if err != nil {
		return gate.Facts{}, err
	}
	opts.Verify = verify
	return release.Gather(ctx, project, store, opts)
}

func (a *app) open(path string, flags decideFlags) (*spec.Project, *evidence.Store, release.Options, error) {
	opts := release.Options{Base: flags.base, Subjects: flags.subjects, Commit: flags.commit, Path: path, Command: a.command, Program: program()}
	if flags.at != "" {
		at, err := time.Parse(time.RFC3339, flags.at)
		if err != nil {
			return nil, nil, opts, &run.UsageError{Msg: fmt.Sprintf("--at %s is no time (such as 2026-12-31T12:00:00Z)", flags.at)}
		}
		opts.Now = at
	}
	project, err := run.Prepare(path, run.Options{})
	if err != nil {
		return nil, nil, opts, err
	}
	store, err := evidence.OpenStore(a.store)
	if err != nil {
		return nil, nil, opts, &run.UsageError{Msg: err.Error()}
	}
	return project, store, opts, nil
}

// write writes the result in the form that was asked for, to the standard output or to a file.
func (a *app) write(flags decideFlags, forms map[string]func(io.Writer) error) error {
	form := flags.format
	if a.json {
		form = "json"
	}
	if flags.output == "" || flags.output == "-" {
		return forms[form](a.out)
	}
	return writeFile(flags.output, func(w io.Writer) error { return forms[form](&harmless{w: w}) })
}

// program tells this program from others of the same version, so that what it concluded can be remembered. "" where nobody can tell.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", version(), info.Size(), info.ModTime().UnixNano())
}
