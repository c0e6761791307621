package gate

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// WriteGitHub writes an annotation for each clause that does not let the release through, in the form of workflow
// commands, with what would make it pass. A decision that has none to write gives a notice, or an error where it does not pass.
func (d Decision) WriteGitHub(w io.Writer) error {
	written := 0
	for _, c := range d.Clauses {
		if c.passes() && !c.Waived {
			continue
		}
		level, text := "error", c.Reason+d.Flip.of(c)
		if c.Waived {
			level, text = "warning", c.Reason
		}
		file, line := d.Policy.place(c.Pos)
		written++
		if _, err := fmt.Fprintln(w, Annotation(level, file, line, "assay gate: "+c.Name+" "+c.word(), text)); err != nil {
			return err
		}
	}
	switch {
	case d.Verdict == verdict.Pass:
		_, err := fmt.Fprintln(w, Annotation("notice", "", "", "assay gate: pass", d.Reason))
		return err
	case written == 0:
		file, line := d.Policy.place("")
		_, err := fmt.Fprintln(w, Annotation("error", file, line, "assay gate: "+d.Verdict.String(), d.Reason))
		return err
	}
	return nil
}

// place is the file and line that a clause is about. What stands nowhere in the policy is pinned to its first line, and
// without a policy to the project's file, so that it is seen in a change and not only in a log.
func (p PolicyRef) place(pos string) (file, line string) {
	file, line, _ = strings.Cut(pos, ":")
	line, _, _ = strings.Cut(line, ":")
	switch {
	case file == "" && p.File != "":
		file = p.File
	case file == "":
		file = "assay.yaml"
	}
	if line == "" {
		line = "1"
	}
	return filepath.ToSlash(filepath.Join(p.Folder, file)), line
}

// of says which of the changes would make a clause pass, each with its command.
func (f Flip) of(c Clause) string {
	text := ""
	for _, change := range f.Changes {
		for _, name := range change.Clauses {
			if name == c.Name {
				text += "\nto make it pass: " + matrix.Flat(strings.TrimSuffix(change.Text, ": "+c.Reason)) // it was said
				if change.Command != "" {
					text += "\n    " + matrix.Flat(change.Command)
				}
			}
		}
	}
	if text == "" {
		return "\nnobody can tell what would make it pass"
	}
	return text
}

// Annotation is a workflow command of GitHub Actions: of a level (error, warning, notice), at a file and line, both "" for nowhere.
func Annotation(level, file, line, title, text string) string {
	at := ""
	if file != "" {
		at = fmt.Sprintf("file=%s,line=%s,", property(file), property(line))
	}
	return fmt.Sprintf("::%s %stitle=%s::%s", level, at, property(title), message(text))
}

// message escapes the data of a workflow command, property a value of its head.
func message(text string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A").Replace(table.Plain(text))
}

func property(text string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(table.Plain(text))
}
