package gate

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// A Suite is a test suite of JUnit XML.
type Suite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Stamp    string   `xml:"timestamp,attr"`
	Cases    []Case   `xml:"testcase"`
}

// A Case is one test of a suite.
type Case struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Failure *Fault `xml:"failure,omitempty"`
	Error   *Fault `xml:"error,omitempty"`
	Skipped *Fault `xml:"skipped,omitempty"`
	Out     string `xml:"system-out,omitempty"`
}

// A Fault says why a test did not pass.
type Fault struct {
	Message string `xml:"message,attr"`
}

// NewSuite returns an empty suite of that moment.
func NewSuite(name string, at time.Time) *Suite {
	return &Suite{Name: name, Stamp: at.Format("2006-01-02T15:04:05")}
}

// Add adds a case by its verdict. What is unknown is an error, so that no tool shows it as passed.
func (s *Suite) Add(class, name, reason string, v verdict.Verdict) {
	one := Case{Class: class, Name: name, Out: reason}
	switch v {
	case verdict.Pass:
	case verdict.Fail:
		one.Failure = &Fault{reason}
		s.Failures++
	default:
		one.Error = &Fault{reason}
		s.Errors++
	}
	s.Cases = append(s.Cases, one)
}

// Write writes the suite. What steers a terminal is written out: readers show texts as they are.
func (s *Suite) Write(w io.Writer) error {
	s.Name, s.Tests, s.Skipped = table.Flat(s.Name), len(s.Cases), 0
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Class, c.Name, c.Out = table.Flat(c.Class), table.Flat(c.Name), table.Plain(c.Out)
		for _, fault := range []*Fault{c.Failure, c.Error, c.Skipped} {
			if fault != nil {
				fault.Message = table.Plain(fault.Message)
			}
		}
		if c.Skipped != nil {
			s.Skipped++
		}
	}
	text, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

// WriteJUnit writes the decision as a test suite, one case a clause.
func (d Decision) WriteJUnit(w io.Writer) error {
	suite := NewSuite("assay gate "+d.System, d.At)
	for _, c := range d.Clauses {
		if c.Waived {
			suite.Cases = append(suite.Cases, Case{Class: "gate." + c.Kind, Name: c.Name, Out: c.Reason, Skipped: &Fault{"waived: " + c.Reason}})
			continue
		}
		suite.Add("gate."+c.Kind, c.Name, c.Reason, c.Verdict)
	}
	return suite.Write(w)
}
