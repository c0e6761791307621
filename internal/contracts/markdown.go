package contracts

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// WriteMarkdown writes the report for a pull request.
func (r Report) WriteMarkdown(w io.Writer, changelog bool) error {
	fmt.Fprintf(w, "## %s %s: %s\n\nagainst %s\n\n", sign(r.Verdict), strings.ToUpper(r.Verdict.String()), matrix.Markdown(r.title()), matrix.Markdown(orNothing(r.Against)))
	fmt.Fprint(w, "| contract | kind | verdict | owner | what |\n|---|---|---|---|---|\n")
	for _, one := range r.Results {
		fmt.Fprintf(w, "| %s | %s | %s %s | %s | %s |\n", matrix.Markdown(one.Contract), orUnknown(one.Kind), sign(one.Verdict), one.Verdict, matrix.Markdown(one.Owner), matrix.Markdown(one.Reason))
	}
	for _, one := range r.Results {
		one.writeMarkdown(w, changelog)
	}
	return nil
}

func sign(v verdict.Verdict) string {
	return map[verdict.Verdict]string{verdict.Pass: "✅", verdict.Fail: "❌", verdict.Unknown: "❔"}[v]
}

func (r Result) writeMarkdown(w io.Writer, changelog bool) {
	head := fmt.Sprintf("\n### %s\n\n", matrix.Markdown(r.Contract))
	once := func() { fmt.Fprint(w, head); head = "" }
	for _, f := range r.Findings {
		if f.word() == string(contract.Change) && !changelog {
			continue
		}
		once()
		fmt.Fprintf(w, "- **%s** %s: %s (%s, `%s`)\n", f.word(), matrix.Markdown(f.where().String()), matrix.Markdown(f.title()), matrix.Markdown(f.Rule), f.ID)
		if f.Witness != nil {
			fmt.Fprintf(w, "  %s\n  ```\n  %s\n  ```\n", matrix.Markdown(witnessText(*f.Witness)), strings.ReplaceAll(table.Flat(brief(f.Witness.Document)), "```", ""))
		}
		for _, text := range []string{f.Try, f.Note} {
			if text != "" {
				fmt.Fprintf(w, "  %s  \n", matrix.Markdown(text))
			}
		}
	}
	for _, g := range r.Gaps {
		once()
		fmt.Fprintf(w, "- **undecided** %s\n", matrix.Markdown(strings.TrimPrefix(g.At.String()+": "+gapTitle(g), ": ")))
	}
	for _, use := range r.Waivers {
		once()
		fmt.Fprintf(w, "- waiver %s\n", matrix.Markdown(use.text()))
	}
}
