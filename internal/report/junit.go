package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// The elements of JUnit XML, as the tools that read it agree on them.
type (
	testSuites struct {
		XMLName  xml.Name    `xml:"testsuites"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Suites   []testSuite `xml:"testsuite"`
	}
	testSuite struct {
		Name       string     `xml:"name,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Errors     int        `xml:"errors,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Time       string     `xml:"time,attr"`
		Timestamp  string     `xml:"timestamp,attr,omitempty"`
		Properties []property `xml:"properties>property"`
		Cases      []testCase `xml:"testcase"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testCase struct {
		Name    string     `xml:"name,attr"`
		Class   string     `xml:"classname,attr"`
		Time    string     `xml:"time,attr"`
		File    string     `xml:"file,attr,omitempty"`
		Line    int        `xml:"line,attr,omitempty"`
		Failure *complaint `xml:"failure"`
		Error   *complaint `xml:"error"`
		Out     string     `xml:"system-out,omitempty"`
	}
	complaint struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the report as JUnit XML: an experiment is a suite, a check is a case. What failed is a failure, and what is
// unknown is an error: a reader that knows only red and green must not show it green, and skipped is green to most.
func (r *Report) JUnit(w io.Writer) error {
	r = scrubbed(r)
	all := testSuites{Name: cmp.Or(r.System, r.results(), "assay")}
	var length time.Duration
	for i := range r.Experiments {
		if x := &r.Experiments[i]; !x.Control {
			all.Suites = append(all.Suites, r.suite(x))
			length += x.End
		}
	}
	all.Time = seconds(length)
	if s, ok := r.runSuite(all); ok {
		all.Suites = append([]testSuite{s}, all.Suites...)
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		s.count()
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func (s *testSuite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		}
	}
}

// runSuite is a suite for what is wrong with the run and not with an experiment.
func (r *Report) runSuite(all testSuites) (testSuite, bool) {
	text := cmp.Or(r.Standing(), r.Reason)
	if text == "" && (r.Verdict == verdict.Pass || len(all.Suites) > 0) {
		return testSuite{}, false
	}
	c := testCase{Name: "the run came to its end", Class: cmp.Or(r.System, "assay"), Time: "0.000", Error: &complaint{Message: cmp.Or(text, "there is no experiment"), Type: "unknown"}}
	return testSuite{Name: "run", Time: "0.000", Timestamp: r.stamp(), Properties: r.properties(), Cases: []testCase{c}}, true
}

func (r *Report) stamp() string {
	if r.Meta.Started.IsZero() {
		return ""
	}
	return r.Meta.Started.UTC().Format("2006-01-02T15:04:05")
}

func (r *Report) properties() []property {
	if r.foreign() {
		return []property{{"run", r.ID}, {"results", r.results()}, {"commit", r.Meta.Commit}, {"grade", r.Meta.Grade}}
	}
	return []property{{"run", r.ID}, {"seed", fmt.Sprint(r.Meta.Seed)}, {"commit", r.Meta.Commit}, {"grade", r.Meta.Grade}, {"environment", r.Meta.Environment}}
}

func (r *Report) suite(x *Experiment) testSuite {
	s := testSuite{Name: x.Name, Time: seconds(x.End), Timestamp: r.stamp(), Properties: append(r.properties(), property{"verdict", x.Verdict.String()}, property{"fault", x.FaultText})}
	class := cmp.Or(r.System, "assay") + "." + x.Name
	names, bad := map[string]int{}, false
	for _, c := range x.Checks {
		name := c.Phase + ": " + c.Check
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		kase := r.testCase(name, class, cmp.Or(x.Positions[c.Phase+": "+c.Check], x.Pos), c.Verdict, c.Reason, detail(x, c))
		bad = bad || c.Verdict != verdict.Pass
		s.Cases = append(s.Cases, kase)
	}
	if x.Verdict != verdict.Pass && !bad || len(x.Checks) == 0 { // not all that keeps a verdict from being a pass is a check
		v := x.Verdict
		if v == verdict.Pass {
			v = verdict.Unknown
		}
		s.Cases = append(s.Cases, r.testCase("verdict", class, x.Pos, v, cmp.Or(x.Reason, "nothing was checked"), detail(x, evidence.Checked{})))
	}
	return s
}

func (r *Report) testCase(name, class, pos string, v verdict.Verdict, reason, text string) testCase {
	c := testCase{Name: name, Class: class, Time: "0.000"}
	c.File, c.Line, _ = position(r.place(pos))
	switch v {
	case verdict.Pass:
		c.Out = reason
	case verdict.Fail:
		c.Failure = &complaint{reason, "fail", text}
	default:
		c.Error = &complaint{"unknown, and so no pass: " + reason, "unknown", text}
	}
	return c
}

// detail is what a reader of a failed case wants to see.
func detail(x *Experiment, c evidence.Checked) string {
	text := ""
	add := func(name, value string) {
		if value != "" {
			text += name + ": " + value + "\n"
		}
	}
	add("limit", c.Limit)
	add("measured", c.Measured)
	add("missed by", missed(c.Limit, c.Measured))
	add("fault", x.FaultText)
	for _, j := range x.Journeys {
		for _, e := range j.Errors[:min(3, len(j.Errors))] {
			add(fmt.Sprintf("%s, %d times", j.Name, e.Count), e.Example)
		}
	}
	for _, problem := range trouble(x) {
		add("problem", problem)
	}
	if x.Replay != "" {
		text += replayed(x.Replay, x.Elsewhere) + "\n"
	}
	return text
}
