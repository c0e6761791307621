package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/release"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// mutate shows what the gate did not notice, in the form that was asked for.
func (a *app) mutate(ctx context.Context, path string, flags decideFlags) error {
	project, store, opts, err := a.open(path, flags)
	if err != nil {
		return err
	}
	result, err := release.Mutate(ctx, project, store, opts)
	if err != nil {
		return err
	}
	m := mutated{result, filepath.ToSlash(filepath.Join(path, "assay.yaml"))}
	err = a.write(flags, map[string]func(io.Writer) error{
		"text": m.text, "markdown": m.markdown, "junit": m.junit, "github": m.github,
		"json": func(w io.Writer) error {
			return writeJSON(w, map[string]any{"verdict": m.Verdict(), "killed": m.Killed(), "of": len(m.All), "mutations": m.All})
		},
	})
	if err != nil {
		return err
	}
	return exitOf(m.Verdict())
}

// mutated is what came of mutations, ready to be shown. file is the project's.
type mutated struct {
	release.Mutations
	file string
}

func (m mutated) title() string {
	return fmt.Sprintf("the gate noticed %d of %d mutations: kill rate %.1f %%", m.Killed(), len(m.All), 100*float64(m.Killed())/float64(max(len(m.All), 1)))
}

// survived are the mutations that the gate did not notice.
func (m mutated) survived() []release.Mutation {
	var all []release.Mutation
	for _, one := range m.All {
		if !one.Killed() {
			all = append(all, one)
		}
	}
	return all
}

func mutationText(m release.Mutation) string {
	return fmt.Sprintf("%s of %s: %s", m.Kind, m.On, matrix.Flat(m.Target))
}

func (m mutated) text(w io.Writer) error {
	p := newPrinter(w)
	p.line(m.Verdict(), strings.ToUpper(m.Verdict().String()), m.title(), "      ")
	t := table.Table{Head: []string{"MUTATION", "OF", "KILLED"}}
	for _, row := range m.Table() {
		t.Row(row.Kind, row.On, fmt.Sprintf("%d of %d", row.Killed, row.All))
	}
	fmt.Fprintf(w, "\n%s", t.Lay(p.columns))
	for i, one := range m.survived() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		p.line(verdict.Fail, "not noticed", mutationText(one), "    ")
	}
	return nil
}

func (m mutated) markdown(w io.Writer) error {
	word := map[verdict.Verdict]string{verdict.Pass: "✅ PASS", verdict.Fail: "❌ FAIL", verdict.Unknown: "❔ UNKNOWN"}[m.Verdict()]
	fmt.Fprintf(w, "## %s %s\n\n| mutation | of | killed |\n|---|---|--:|\n", word, matrix.Markdown(m.title()))
	for _, row := range m.Table() {
		fmt.Fprintf(w, "| %s | %s | %d of %d |\n", row.Kind, row.On, row.Killed, row.All)
	}
	for i, one := range m.survived() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "- **not noticed** %s\n", matrix.Markdown(mutationText(one)))
	}
	return nil
}

func (m mutated) junit(w io.Writer) error {
	suite := gate.NewSuite("assay gate --mutate "+m.Decision.System, m.Decision.At)
	for _, one := range m.All {
		v, reason := verdict.Pass, "noticed: "+one.Reason
		if !one.Killed() {
			v, reason = verdict.Fail, "the gate did not notice it"
		}
		suite.Add("gate.mutate."+one.On, one.Kind+": "+one.Target, reason, v)
	}
	return suite.Write(w)
}

func (m mutated) github(w io.Writer) error {
	for _, one := range m.survived() {
		fmt.Fprintln(w, gate.Annotation("error", m.file, "1", "assay gate --mutate: not noticed", "the gate did not notice "+mutationText(one)))
	}
	level := map[verdict.Verdict]string{verdict.Pass: "notice", verdict.Fail: "warning", verdict.Unknown: "error"}[m.Verdict()]
	_, err := fmt.Fprintln(w, gate.Annotation(level, "", "", "assay gate --mutate: "+m.Verdict().String(), m.title()))
	return err
}
