package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/run"
)

// usageError gives a complaint about flags or arguments its type.
func usageError(cmd *cobra.Command, err error) error {
	return &run.UsageError{Msg: fmt.Sprintf("%v\nRun '%s --help' for usage.", err, cmd.CommandPath())}
}

// usageArgs is check with its complaint as a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError(cmd, err)
		}
		return nil
	}
}

// someArgs wants one argument or more, and without any it says what they are.
func someArgs(what string) cobra.PositionalArgs {
	return usageArgs(func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(what)
		}
		return nil
	})
}

// subcommandOnly is for commands that only hold others: an argument is a subcommand that does not exist.
func subcommandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf(" (did you mean %s?)", strings.Join(near, ", "))
	}
	return fmt.Errorf("%s", text)
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }
