package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/spec"
)

func (a *app) completionCommand() *cobra.Command {
	shells := map[string]func(*cobra.Command) error{
		"bash":       func(c *cobra.Command) error { return c.Root().GenBashCompletionV2(a.out, true) },
		"zsh":        func(c *cobra.Command) error { return c.Root().GenZshCompletion(a.out) },
		"fish":       func(c *cobra.Command) error { return c.Root().GenFishCompletion(a.out, true) },
		"powershell": func(c *cobra.Command) error { return c.Root().GenPowerShellCompletionWithDesc(a.out) },
	}
	names := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion [" + strings.Join(names, "|") + "]",
		Short: "Print what makes a shell complete commands, flags, runs, experiments, journeys and modes",
		Long: `Print a script for your shell. With it, Tab completes commands and flags, and the names
that are there: runs of the store, and experiments, journeys and defects of the project.

` + exitCodes,
		Example: `  source <(assay completion bash)                 # this shell; put it into ~/.bashrc to keep it
  assay completion zsh >"${fpath[1]}/_assay"
  assay completion fish >~/.config/fish/completions/assay.fish
  assay completion powershell | Out-String | Invoke-Expression`,
		Args:                  usageArgs(oneShell(names)),
		ValidArgs:             names,
		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, args []string) error { return shells[args[0]](cmd) },
	}
}

// oneShell wants the name of one shell.
func oneShell(names []string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		all := strings.Join(names, ", ")
		switch {
		case len(args) != 1:
			return fmt.Errorf("completion for which shell? name one: %s", all)
		case !slices.Contains(names, args[0]):
			return fmt.Errorf("no completion for the shell %q (there are: %s)", args[0], all)
		}
		return nil
	}
}

// A completer returns the names that may stand somewhere. It never fails: without names there are none.
type completer func(a *app, args []string) []string

// flagCompleters are completers of flags, by name, for whichever command has them.
func flagCompleters() map[string]completer {
	modes := func(*app, []string) []string { return experiment.Modes() }
	return map[string]completer{
		"experiment": experimentNames, "defect": defectNames,
		"journey": journeyNames, "journeys": journeyNames,
		"mode": modes, "modes": modes,
		"env":   environmentIDs,
		"layer": func(*app, []string) []string { return evidence.Layers() },
		"grade": func(*app, []string) []string { return evidence.Grades() },
	}
}

// complete gives every command below cmd what its flags and arguments can be completed with, as far as their
// names tell, so that no command has to do so for itself.
func (a *app) complete(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		a.complete(sub)
	}
	completers := flagCompleters()
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if names, ok := completers[f.Name]; ok {
			// It is an error to register a second one, and then the command's own stays.
			_ = cmd.RegisterFlagCompletionFunc(f.Name, a.completion(names))
		}
	})
	if cmd.ValidArgsFunction != nil || cmd.ValidArgs != nil {
		return
	}
	switch use := cmd.Use; {
	case strings.Contains(use, "RUN"):
		cmd.ValidArgsFunction = a.completion(runIDs)
	case strings.Contains(use, "FOLDER"):
		cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	}
}

func (a *app) completion(names completer) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		// Of a list such as "a,b" the last name is typed.
		before := typed[:strings.LastIndex(typed, ",")+1]
		var found []string
		for _, name := range names(a, args) {
			bare, _, _ := strings.Cut(name, "\t")
			if strings.HasPrefix(before+bare, typed) && !slices.Contains(args, bare) {
				found = append(found, before+name)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// environmentIDs are those that run.
func environmentIDs(*app, []string) []string {
	all, _ := hold.Environments()
	var ids []string
	for _, info := range all {
		ids = append(ids, info.ID)
	}
	return ids
}

// runIDs are the runs of the store, newest first. Only their folders are looked at, as a store may be large.
func runIDs(a *app, _ []string) []string {
	const most = 100
	ids := []string{"latest\tthe newest run"}
	folders, _ := os.ReadDir(filepath.Join(a.store, "runs"))
	slices.Reverse(folders)
	for _, folder := range folders[:min(len(folders), most)] {
		ids = append(ids, folder.Name())
	}
	return ids
}

// An outline is what of assay.yaml can be completed. It is read leniently: a file
// that is being written has mistakes, and its names are there all the same.
type outline struct {
	Journeys    map[string]yaml.Node
	Defects     map[string]yaml.Node
	Experiments []string
}

// outlineOf reads the project that the first argument names, else that of this folder.
func outlineOf(args []string) (o outline, dir string) {
	file := "."
	if len(args) > 0 {
		file = args[0]
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, spec.FileName)
	}
	if text, err := os.ReadFile(file); err == nil {
		_ = yaml.Unmarshal(text, &o) // what could be read is there
	}
	return o, filepath.Dir(file)
}

func experimentNames(_ *app, args []string) []string {
	o, dir := outlineOf(args)
	var names []string
	for _, pattern := range o.Experiments {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			names = append(names, name+describe(titleOf(file)))
		}
	}
	return sortedNames(names)
}

func titleOf(file string) string {
	var head struct{ Title string }
	if text, err := os.ReadFile(file); err == nil {
		_ = yaml.Unmarshal(text, &head)
	}
	return head.Title
}

// describe returns what shells show beside a name.
func describe(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("\t%s", strings.ReplaceAll(text, "\n", " "))
}

func journeyNames(_ *app, args []string) []string {
	o, _ := outlineOf(args)
	var names []string
	for name := range o.Journeys {
		names = append(names, name)
	}
	return sortedNames(names)
}

func defectNames(_ *app, args []string) []string {
	o, _ := outlineOf(args)
	var names []string
	for name := range o.Defects {
		names = append(names, name)
	}
	return sortedNames(names)
}

func sortedNames(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
