package contracts

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/verdict"
)

// WriteJUnit writes a test suite: a case for each finding that is no harmless change and each gap, and one for what else a contract promises.
func (r Report) WriteJUnit(w io.Writer) error {
	suite := gate.NewSuite(strings.TrimSpace("assay contract "+r.System), r.At)
	for _, one := range r.Results {
		class := "contract." + one.Contract
		said := 0
		for _, f := range one.Findings {
			name := strings.TrimSpace(f.Rule + " " + f.Subject + " " + f.Path)
			reason := strings.TrimPrefix(f.where().String()+": ", ": ") + f.title() + "\n" + strings.Join(f.details(), "\n")
			switch {
			case f.Waived != nil:
				suite.Cases = append(suite.Cases, gate.Case{Class: class, Name: name, Out: reason, Skipped: &gate.Fault{Message: "waived: " + f.Waived.Reason}})
			case f.Breaks():
				suite.Add(class, name, reason, verdict.Fail)
				said++
			case f.Severity == contract.Risk:
				suite.Add(class, name, reason, verdict.Pass) // it is told, and refuses nothing
			}
		}
		for _, g := range one.Gaps {
			suite.Add(class, "undecided "+g.Subject+" "+g.Path, strings.TrimPrefix(g.At.String()+": "+gapTitle(g), ": "), verdict.Unknown)
			said++
		}
		if said == 0 {
			suite.Add(class, one.Contract, one.Reason, one.Verdict)
		}
	}
	return suite.Write(w)
}

// WriteGitHub writes an annotation for each finding and gap, in the form of workflow commands. folder is the working folder below the
// repository's top, "" for the top: annotations are pinned to paths of the repository.
func (r Report) WriteGitHub(w io.Writer, folder string) error {
	print := func(level string, at contract.Place, title, text string) error {
		file, line := repoPath(folder, at.File), fmt.Sprint(max(at.Line, 1))
		_, err := fmt.Fprintln(w, gate.Annotation(level, file, line, "assay contract: "+title, text))
		return err
	}
	for _, one := range r.Results {
		for _, f := range one.Findings {
			level := map[string]string{string(contract.Break): "error", string(contract.Risk): "warning", "waived": "warning"}[f.word()]
			if level == "" {
				continue
			}
			if err := print(level, f.here(one), f.word()+" "+f.Rule, f.title()+"\n"+strings.Join(f.details(), "\n")); err != nil {
				return err
			}
		}
		for _, g := range one.Gaps {
			at := g.At
			if at.File == "" {
				at = one.place()
			}
			if err := print("error", at, "undecided", gapTitle(g)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, gate.Annotation("notice", "", "", "assay contract: "+r.Verdict.String(), r.title()))
	return err
}

// here is where a finding is shown in the files that are here: what is gone is shown at its contract.
func (f Found) here(r Result) contract.Place {
	if f.New.File != "" {
		return f.New
	}
	return r.place()
}

// place is where a contract as such is shown: at its file, or where assay.yaml names it.
func (r Result) place() contract.Place {
	if r.Pos != "" {
		at := contract.Place{}
		parts := strings.Split(r.Pos, ":")
		if at.File = parts[0]; len(parts) == 3 {
			fmt.Sscan(parts[1], &at.Line)
			fmt.Sscan(parts[2], &at.Column)
		}
		return at
	}
	return contract.Place{File: r.New.Name}
}
