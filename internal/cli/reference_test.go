package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands returns every command a user can type, in order of name.
func commands(t *testing.T) []*cobra.Command {
	t.Helper()
	root := (&app{out: io.Discard, err: io.Discard, name: "assay"}).root()
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		all = append(all, cmd)
		for _, sub := range cmd.Commands() {
			if sub.Name() != "help" && !sub.Hidden {
				walk(sub)
			}
		}
	}
	walk(root)
	return all
}

// lacks says what the help of a command does not have.
func lacks(cmd *cobra.Command) []string {
	var missing []string
	for what, found := range map[string]bool{
		"Short, one line that starts with a capital and ends without a full stop": cmd.Short != "" && !strings.Contains(cmd.Short, "\n") &&
			!strings.HasSuffix(cmd.Short, ".") && strings.ToUpper(cmd.Short[:1]) == cmd.Short[:1],
		"Long, which says more than Short":           len(strings.TrimSpace(strings.ReplaceAll(cmd.Long, exitCodes, ""))) > len(cmd.Short),
		"exit codes: end Long with + exitCodes":      strings.Contains(cmd.Long, "Exit codes:"),
		"Example, lines that start with two blanks":  strings.HasPrefix(cmd.Example, "  "),
		"an example that shows the command itself":   strings.Contains(cmd.Example, cmd.CommandPath()),
		"flags that all say what they are for":       saidFlags(cmd),
		"lines of at most 100 characters (see Long)": width(cmd.Long) <= 100,
	} {
		if !found {
			missing = append(missing, what)
		}
	}
	return missing
}

func saidFlags(cmd *cobra.Command) bool {
	said := true
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { said = said && f.Usage != "" })
	return said
}

func width(text string) int {
	widest := 0
	for line := range strings.Lines(text) {
		widest = max(widest, len([]rune(strings.TrimRight(line, "\n"))))
	}
	return widest
}

// Every command's --help says what it does, shows examples, and has the exit codes.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, cmd := range commands(t) {
		for _, what := range lacks(cmd) {
			t.Errorf("%s --help lacks %s", cmd.CommandPath(), what)
		}
	}
	bad := &cobra.Command{Use: "bad", Short: "does nothing.", Long: "Nothing"}
	if got := len(lacks(bad)); got != 5 {
		t.Errorf("a command without help lacks %d things, want 5: %q", got, lacks(bad))
	}
}

// docs/reference/cli.md is what the commands say. ASSAY_UPDATE=1 writes it.
func TestReference(t *testing.T) {
	t.Parallel()
	const path = "../../docs/reference/cli.md"
	want := cliReference(commands(t))
	if os.Getenv("ASSAY_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("docs/reference/cli.md is not what the commands say (%v): ASSAY_UPDATE=1 go test -run TestReference ./internal/cli writes it", err)
	}
}

func cliReference(all []*cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The command line\n\nGenerated from the commands by `ASSAY_UPDATE=1 go test -run TestReference ./internal/cli`.\n\n" +
		"stdout is the result, stderr the story. Every command takes `--json` and `--store`, and has `--help`.\n\n")
	for line := range strings.Lines(exitCodes) {
		switch code, meaning, ok := strings.Cut(strings.TrimSpace(line), " "); {
		case strings.HasPrefix(line, "Exit codes:"):
			b.WriteString("| exit | means |\n|---|---|\n")
		case ok && strings.HasPrefix(line, " "):
			fmt.Fprintf(&b, "| %s | %s |\n", code, strings.TrimSpace(meaning))
		default:
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(line))
		}
	}
	b.WriteString("\n| command | does |\n|---|---|\n")
	for _, cmd := range all[1:] {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", cmd.CommandPath(), strings.ReplaceAll(cmd.CommandPath(), " ", "-"), cmd.Short)
	}
	for _, cmd := range all {
		commandReference(&b, cmd)
	}
	return b.String()
}

func commandReference(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s\n```\n", cmd.CommandPath(), cmd.Short+".", cmd.UseLine())
	if long := strings.TrimSpace(strings.ReplaceAll(cmd.Long, exitCodes, "")); long != "" {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", long)
	}
	var flags strings.Builder
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind := f.Value.Type()
		if kind == "bool" {
			kind = ""
		}
		fmt.Fprintf(&flags, "| `%s` | %s | %s | %s |\n", name, kind, strings.Trim(f.DefValue, "[]"), strings.ReplaceAll(f.Usage, "|", `\|`))
	})
	if flags.Len() > 0 {
		b.WriteString("\n| flag | value | default | meaning |\n|---|---|---|---|\n" + flags.String())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindent(cmd.Example))
	}
}

func unindent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return strings.TrimRight(b.String(), "\n")
}
