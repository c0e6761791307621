package foreign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

type ctrfSummary struct {
	Tests, Passed, Failed, Pending, Skipped, Other *int
	Start, Stop                                    float64 // milliseconds since 1970
}

type ctrfTest struct {
	Name, Status, Message, Trace string
	Suite                        json.RawMessage // text, or a list of it
	Flaky                        bool
	Retries                      int
}

// ctrf reads the document member by member, and tests one by one.
type ctrf struct {
	*tally
	in      *bounded
	dec     *json.Decoder
	summary *ctrfSummary
	byTool  [statuses]int // as the file names them, to compare with its summary
	pending int
	lists   int
}

func readCTRF(in *bounded, t *tally) error {
	c := &ctrf{tally: t, in: in, dec: json.NewDecoder(in)}
	err := c.object(func(key string) error {
		if key == "results" {
			return c.object(c.results)
		}
		return c.skip()
	})
	if err == nil {
		if _, more := c.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the document")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		c.problem("the file cannot be read to its end: %v", err)
	}
	c.compare()
	return nil
}

// object reads an object, and calls member for each key, which reads the value.
func (c *ctrf) object(member func(key string) error) error {
	if err := c.delim('{'); err != nil {
		return err
	}
	for c.dec.More() {
		c.in.next()
		key, err := c.dec.Token()
		if err != nil {
			return err
		}
		if err := member(fmt.Sprint(key)); err != nil {
			return err
		}
	}
	return c.delim('}')
}

func (c *ctrf) delim(want json.Delim) error {
	token, err := c.dec.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%v stands where %v is to", token, want)
	}
	return nil
}

func (c *ctrf) skip() error {
	var value json.RawMessage
	return c.dec.Decode(&value)
}

func (c *ctrf) results(key string) error {
	switch key {
	case "tests":
		return c.tests()
	case "summary":
		if c.summary != nil {
			return errors.New("it has two summaries")
		}
		return c.dec.Decode(&c.summary)
	}
	return c.skip()
}

func (c *ctrf) tests() error {
	if c.lists++; c.lists > 1 {
		return errors.New("it has two lists of tests")
	}
	if err := c.delim('['); err != nil {
		return err
	}
	for c.dec.More() {
		c.in.next()
		var test ctrfTest
		if err := c.dec.Decode(&test); err != nil {
			return err
		}
		c.test(test)
	}
	return c.delim(']')
}

func (c *ctrf) test(test ctrfTest) {
	s := unclear
	switch test.Status {
	case "passed":
		s = passed
	case "failed":
		s = failed
	case "skipped":
		s = skipped
	case "pending":
		s = skipped
		c.pending++
	}
	c.byTool[s]++
	if s == passed && (test.Flaky || test.Retries > 0) {
		s = flaky
	}
	text := strings.TrimSpace(test.Message + "\n" + test.Trace)
	if s == unclear {
		text = fmt.Sprintf("its status is %q", test.Status)
	}
	c.add(ctrfName(test), s, text)
}

// ctrfName joins a test's suites and name with " > ".
func ctrfName(test ctrfTest) string {
	var suite string
	var suites []string
	if json.Unmarshal(test.Suite, &suites) == nil {
		suite = strings.Join(suites, " > ")
	} else if bytes.HasPrefix(test.Suite, []byte(`"`)) {
		_ = json.Unmarshal(test.Suite, &suite)
	}
	if suite == "" {
		return test.Name
	}
	return suite + " > " + test.Name
}

// compare holds the summary against the tests.
func (c *ctrf) compare() {
	if c.summary == nil {
		c.problem("the file has no summary, so nobody can tell whether tests are missing")
		return
	}
	skippedOnly := c.byTool[skipped] - c.pending
	sum := 0
	for _, n := range c.byTool {
		sum += n
	}
	for _, x := range []struct {
		name string
		says *int
		n    int
	}{{"tests", c.summary.Tests, sum}, {"passed", c.summary.Passed, c.byTool[passed]}, {"failed", c.summary.Failed, c.byTool[failed]},
		{"skipped", c.summary.Skipped, skippedOnly}, {"pending", c.summary.Pending, c.pending}, {"other", c.summary.Other, c.byTool[unclear]}} {
		if x.says != nil && *x.says != x.n {
			c.problem("the summary says %s: %d, and the file has %d", x.name, *x.says, x.n)
		}
	}
	if c.summary.Start > 0 {
		c.during(milliseconds(c.summary.Start), milliseconds(c.summary.Stop))
	}
}

func milliseconds(n float64) time.Time {
	const year9999 = 253402300799000
	return time.UnixMilli(int64(min(max(n, 0), year9999)))
}
