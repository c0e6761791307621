package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [" + strings.Join(schema.Names(), "|") + "]",
		Short: "Print the JSON Schema of a file, for editors",
		Long: `Print the JSON Schema (draft 2020-12) of one of the files you write, as this version
reads them. Without a name, list the schemas and where they are published.

A schema knows structure: keys, types and the form of durations and rates. Names and
expressions are checked by assay run --dry-run, which reports each mistake with its place.

` + exitCodes,
		Example: `  assay schema
  assay schema assay >.assay.schema.json
  # and as the first line of assay.yaml, for the YAML language server:
  #   # yaml-language-server: $schema=.assay.schema.json`,
		Args:              usageArgs(cobra.MaximumNArgs(1)),
		ValidArgsFunction: cobra.FixedCompletions(schema.Names(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.schemaList()
			}
			text, ok := schema.Text(args[0])
			if !ok {
				return usageError(cmd, fmt.Errorf("no schema is called %q (allowed: %s)", args[0], strings.Join(schema.Names(), ", ")))
			}
			_, err := a.out.Write(text)
			return err
		},
	}
}

// schemaFile says which file a schema is for.
func schemaFile(name string) string {
	if name == "experiment" {
		return "experiments/*.yaml"
	}
	return name + ".yaml"
}

func (a *app) schemaList() error {
	type row struct {
		Name string `json:"name"`
		File string `json:"file"`
		URL  string `json:"url"`
	}
	var rows []row
	for _, name := range schema.Names() {
		rows = append(rows, row{name, schemaFile(name), schema.URL(name)})
	}
	if a.json {
		a.printJSON(rows)
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCHEMA\tFILE\tPUBLISHED")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, r.File, r.URL)
	}
	return w.Flush()
}
