// Package cli is the command line. stdout is the result, stderr the story.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

const exitCodes = `Exit codes:
  0    pass
  1    fail
  2    bad usage or configuration
  3    unknown: nothing failed, and something was not proved
  4    the environment or the tool broke
  130  interrupted
Of many, 1 goes over 4 over 3 over 0.`

const defaultStore = ".assay"

// exit is an error that only carries an exit code: what is to say was said.
type exit struct{ code int }

func (e *exit) Error() string { return fmt.Sprintf("exit %d", e.code) }

// app is what commands share.
type app struct {
	out, err io.Writer
	json     bool
	store    string
	name     string // how the user calls assay, for commands to paste
}

// Main runs the command line and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	a := &app{out: &harmless{w: stdout, colours: isTerminal(stdout)}, err: &harmless{w: stderr, colours: isTerminal(stderr)}, name: invocation()}
	root := a.root()
	root.SetArgs(asGoFlags(root, args))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals) // before anybody knows of the first: a second ends this process at once, and the holder cleans up
			cancel()
		case <-ctx.Done():
		}
	}()
	return a.code(root.ExecuteContext(ctx))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "assay",
		Short: "Prove that a distributed system survives what production does to it",
		Long: "assay starts a real system, drives its journeys, breaks it as its experiments say,\n" +
			"judges, heals, and stores the evidence.\n\n" + exitCodes,
		Example: `  assay init                   # from your compose file to a first run
  assay run examples/shop
  assay evidence show latest`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args:          usageArgs(subcommandOnly),
		RunE:          help,
	}
	root.SetFlagErrorFunc(usageError)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print the result as JSON")
	root.PersistentFlags().StringVar(&a.store, "store", defaultStore, "folder of the evidence")
	root.AddCommand(
		a.initCommand(),
		a.runCommand(),
		a.simCommand(),
		a.upCommand(),
		a.faultCommand(),
		a.matrixCommand(),
		a.gateCommand(),
		a.contractCommand(),
		a.historyCommand(),
		a.evidenceCommand(),
		a.reportCommand(),
		a.diffCommand(),
		a.proxyCommand(),
		a.recoverCommand(),
		a.doctorCommand(),
		a.schemaCommand(),
		a.completionCommand(),
	)
	root.CompletionOptions.DisableDefaultCmd = true
	a.complete(root)
	return root
}

// code says what went wrong and returns the exit code for it.
func (a *app) code(err error) int {
	var quiet *exit
	var files spec.Errors
	var file *spec.Error
	var usage *run.UsageError
	switch {
	case err == nil:
		return run.ExitPass
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &files), errors.As(err, &file), errors.As(err, &usage):
		a.complain(err, run.ExitUsage)
		return run.ExitUsage
	case errors.Is(err, context.Canceled):
		a.complain(errors.New("interrupted"), run.ExitInterrupted)
		return run.ExitInterrupted
	}
	a.complain(err, run.ExitBroken)
	return run.ExitBroken
}

func (a *app) complain(err error, code int) {
	if a.json {
		a.printJSON(map[string]any{"error": err.Error(), "exit": code})
		return
	}
	fmt.Fprintln(a.err, err)
}

func (a *app) printJSON(v any) {
	if err := writeJSON(a.out, v); err != nil {
		fmt.Fprintln(a.err, "cannot print the result:", err)
	}
}

// invocation returns how this process was started, so that a printed command can be pasted.
func invocation() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/assay"
	}
	if strings.ContainsRune(os.Args[0], filepath.Separator) {
		return run.Command(os.Args[0])
	}
	return "assay"
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
