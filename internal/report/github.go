package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/verdict"
)

// GitHub shows ten annotations of a step. The worst come first, and the rest is in the report.
const mostAnnotations = 10

// GitHub writes annotations for GitHub Actions: an error for what failed, a warning for what is unknown, at the line of
// the file that expected it. A run with nothing to annotate gives a notice, so that silence is never mistaken for success.
func (r *Report) GitHub(w io.Writer) error {
	r = scrubbed(r)
	var lines []string
	if text := cmp.Or(r.Standing(), r.Reason); text != "" {
		lines = append(lines, annotation(r.Verdict, "", "assay: "+r.Verdict.String(), text))
	}
	for _, bad := range []verdict.Verdict{verdict.Fail, verdict.Unknown} {
		for i := range r.Experiments {
			if x := &r.Experiments[i]; !x.Control {
				lines = append(lines, r.annotations(x, bad)...)
			}
		}
	}
	if more := len(lines) - mostAnnotations; more > 0 {
		lines = append(lines[:mostAnnotations-1], annotation(verdict.Unknown, "", "assay", fmt.Sprintf("%d more checks did not pass", more+1)))
	}
	if len(lines) == 0 || r.Verdict == verdict.Pass {
		lines = append(lines, annotation(r.Verdict, "", "assay: "+r.Verdict.String(), r.Summary()))
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// annotations are those of one experiment with one verdict; an experiment that is no pass has at least one.
func (r *Report) annotations(x *Experiment, v verdict.Verdict) []string {
	var lines []string
	others := 0
	for _, c := range x.Checks {
		if c.Verdict != verdict.Pass {
			others++
		}
		if c.Verdict == v {
			pos := r.place(cmp.Or(x.Positions[c.Phase+": "+c.Check], x.Pos))
			lines = append(lines, annotation(v, pos, fmt.Sprintf("%s: %s (%s)", v, x.Name, c.Phase), explain(x, c.Reason)))
		}
	}
	if others == 0 && x.Verdict == v {
		lines = append(lines, annotation(v, r.place(x.Pos), fmt.Sprintf("%s: %s", v, x.Name), explain(x, x.Reason)))
	}
	return lines
}

// explain adds what a reader of an annotation needs and does not see there.
func explain(x *Experiment, reason string) string {
	text := reason
	if x.FaultText != "" {
		text += "\nunder " + x.FaultText
	}
	if x.Replay != "" {
		text += "\n" + replayed(x.Replay, x.Elsewhere)
	}
	return text
}

func annotation(v verdict.Verdict, pos, title, text string) string {
	level := map[verdict.Verdict]string{verdict.Pass: "notice", verdict.Fail: "error", verdict.Unknown: "warning"}[v]
	var properties []string
	if file, line, column := position(pos); file != "" {
		properties = append(properties, "file="+escapeProperty(file))
		if line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", line))
		}
		if column > 0 {
			properties = append(properties, fmt.Sprintf("col=%d", column))
		}
	}
	properties = append(properties, "title="+escapeProperty(brief(title, 200)))
	return fmt.Sprintf("::%s %s::%s", level, strings.Join(properties, ","), escapeData(text))
}

// escapeData escapes the text of a workflow command: a line end would end it, and begin another.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty escapes a property of a workflow command.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// position takes file:line:column apart. What has no line is a file.
func position(pos string) (file string, line, column int) {
	m := regexp.MustCompile(`^(.*?)(?::([0-9]+))?(?::([0-9]+))?$`).FindStringSubmatch(pos)
	if m == nil {
		return pos, 0, 0
	}
	line, _ = strconv.Atoi(m[2])
	column, _ = strconv.Atoi(m[3])
	return m[1], line, column
}
