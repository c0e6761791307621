package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/contracts"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

// contractFlags are the flags of comparisons of contracts.
type contractFlags struct {
	decideFlags
	kind, mode, against string
	seed                uint64
	documents           int
	changelog, dry      bool
}

// contractExits are what exit codes mean where contracts are compared.
const contractExits = `Exit codes:
  0    nothing breaks, and that is proven
  1    something breaks
  2    bad usage or configuration, or a contract that cannot be read
  3    unknown: nothing breaks for sure, and something could not be decided or compared
  4    the environment or the tool broke
  130  interrupted`

func contractForms() []string {
	return []string{"text", "markdown", "json", "junit", "sarif", "github"}
}

func (a *app) contractCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "contract",
		Short: "Compare versions of contracts: what breaks a neighbour, with a witness",
		Long: `Compare versions of contracts: OpenAPI, Protobuf and gRPC, Avro, JSON Schema, AsyncAPI, and
terms of time, retries and idempotency. What breaks a neighbour is shown with a witness, a
request, response or event that one version allows and the other refuses; what could not be
decided is unknown, and never passes.

` + contractExits,
		Example: `  assay contract diff main:api/orders.yaml api/orders.yaml
  assay contract check`,
		Args: usageArgs(subcommandOnly),
		RunE: help,
	}
	cmd.AddCommand(a.contractDiffCommand(), a.contractCheckCommand())
	return cmd
}

func (f *contractFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "text", strings.Join(contractForms(), ", "))
	flags.StringVarP(&f.output, "output", "o", "", "file to write, - for stdout (default: stdout)")
	flags.BoolVar(&f.changelog, "changelog", false, "list what harms nobody, too: new operations, new optional fields")
	flags.Uint64Var(&f.seed, "seed", 1, "decides which documents are tried")
	flags.IntVar(&f.documents, "documents", contract.DefaultDocuments, "documents that are tried for each pair of schemas")
	flags.StringVar(&f.at, "at", "", "the time that waivers are held against, such as 2026-12-31T12:00:00Z (default now)")
}

func (a *app) contractDiffCommand() *cobra.Command {
	var flags contractFlags
	var kinds []string
	for _, k := range contracts.Kinds() {
		kinds = append(kinds, string(k))
	}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two versions of a contract, or of a folder of them",
		Long: `Compare two versions. Each is a file, a folder, or a path at a git revision, REVISION:PATH,
which counts from the repository's top (./ counts from this folder). A path that exists as it
is written wins. Of folders, each file that is a contract by itself is compared with the one
of the same path, and all .proto files together.

What kind of contract a file is, its content says. Events are compared in a mode of a schema
registry with --mode: Avro, JSON Schema, and Protobuf, which is compared for gRPC without it.

` + contractExits,
		Example: `  assay contract diff main:api/orders.yaml api/orders.yaml
  assay contract diff v1.4:proto ./proto --changelog
  assay contract diff old.avsc new.avsc --mode FULL
  assay contract diff origin/main:contracts contracts --format sarif -o contracts.sarif`,
		Args: usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.contractDiff(cmd.Context(), flags, args[0], args[1])
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.kind, "kind", "", "kind of the contract, where its content does not tell: "+strings.Join(kinds, ", "))
	cmd.Flags().StringVar(&flags.mode, "mode", "", "mode of a registry, for events: "+strings.Join(contracts.Modes(), ", "))
	return cmd
}

func (a *app) contractCheckCommand() *cobra.Command {
	var flags contractFlags
	cmd := &cobra.Command{
		Use:   "check [FOLDER]",
		Short: "Compare all contracts that assay.yaml names with what they were",
		Long: `Compare every contract that the assay.yaml in FOLDER names (contracts:) with what it was at a
baseline: the revision that --against or the contract says, else the gate's base, where this
branch left the one it is merged into.

A contract that the baseline names and this tree lacks is a break; one that could not be
compared is unknown. A break is let through by a waiver of its id alone, which has an owner, a
reason, and a day within 90 days on which it ends.

What it comes to is stored as evidence of the layer contract, for assay matrix and assay gate.

` + contractExits,
		Example: `  assay contract check
  assay contract check examples/shop --against main --changelog
  assay contract check --format github          # annotations in a pull request
  assay contract check --format sarif -o contracts.sarif`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.contractCheck(cmd.Context(), flags, folder(args))
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.against, "against", "", "git revision to compare with, whatever assay.yaml says (default: the gate's base)")
	cmd.Flags().BoolVar(&flags.dry, "no-evidence", false, "store nothing")
	return cmd
}

func (f *contractFlags) moment() (time.Time, error) {
	if f.at == "" {
		return time.Now().UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return at, &run.UsageError{Msg: fmt.Sprintf("--at %s is no time (such as 2026-12-31T12:00:00Z)", f.at)}
	}
	return at.UTC(), nil
}

// valid refuses flags that cannot be meant.
func (f *contractFlags) valid() error {
	f.mode = strings.ToUpper(f.mode)
	switch {
	case f.kind != "" && !slices.Contains(spec.ContractKinds(), f.kind):
		return unknownWord("kind of contract", f.kind, spec.ContractKinds())
	case f.mode != "" && !slices.Contains(contracts.Modes(), f.mode):
		return unknownWord("mode", f.mode, contracts.Modes())
	case f.documents < 1:
		return &run.UsageError{Msg: fmt.Sprintf("--documents %d: at least one has to be tried", f.documents)}
	}
	return f.formatIn(contractForms())
}

func (a *app) contractDiff(ctx context.Context, flags contractFlags, old, new string) error {
	if err := flags.valid(); err != nil {
		return err
	}
	at, err := flags.moment()
	if err != nil {
		return err
	}
	report, err := contracts.Diff(ctx, old, new, contracts.Choice{Kind: contract.Kind(flags.kind), Mode: flags.mode, Seed: flags.seed, Documents: flags.documents, Now: at})
	if err != nil {
		return contractError(err)
	}
	return a.showContracts(ctx, flags, report)
}

func (a *app) contractCheck(ctx context.Context, flags contractFlags, path string) error {
	if err := flags.valid(); err != nil {
		return err
	}
	at, err := flags.moment()
	if err != nil {
		return err
	}
	project, err := spec.LoadContracts(path)
	if err != nil {
		return err
	}
	report, err := contracts.Check(ctx, project, contracts.CheckOptions{Against: flags.against, Now: at, Seed: flags.seed, Documents: flags.documents})
	if err != nil {
		return contractError(err)
	}
	if !flags.dry {
		if err := a.storeContracts(ctx, project, report); err != nil {
			return err
		}
	}
	return a.showContracts(ctx, flags, report)
}

// storeContracts stores a report as evidence, and says where.
func (a *app) storeContracts(ctx context.Context, project *spec.Project, report contracts.Report) error {
	store, err := evidence.OpenStore(a.store)
	if err != nil {
		return &run.UsageError{Msg: err.Error()}
	}
	id, err := contracts.Store(ctx, store, project, report, version())
	if err != nil {
		return fmt.Errorf("store the evidence: %w", err)
	}
	if !a.json {
		fmt.Fprintf(a.err, "evidence: run %s in %s\n", id, a.store)
	}
	return nil
}

func (a *app) showContracts(ctx context.Context, flags contractFlags, report contracts.Report) error {
	here, _ := exec.CommandContext(ctx, "git", "rev-parse", "--show-prefix").Output()
	prefix := strings.TrimSpace(string(here))
	err := a.write(flags.decideFlags, map[string]func(io.Writer) error{
		"text":     func(w io.Writer) error { return report.WriteText(w, newPrinter(w).style(), flags.changelog) },
		"markdown": func(w io.Writer) error { return report.WriteMarkdown(w, flags.changelog) },
		"junit":    report.WriteJUnit,
		"github":   func(w io.Writer) error { return report.WriteGitHub(w, prefix) },
		"sarif":    func(w io.Writer) error { return report.WriteSARIF(w, version(), prefix) },
		"json":     func(w io.Writer) error { return writeJSON(w, report) },
	})
	if err != nil {
		return err
	}
	return exitOf(report.Verdict)
}

// contractError types what went wrong for the exit code.
func contractError(err error) error {
	var unusable *contracts.Error
	if errors.As(err, &unusable) {
		return &run.UsageError{Msg: unusable.Msg}
	}
	return err
}
