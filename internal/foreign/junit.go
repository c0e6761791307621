package foreign

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html/charset"
)

// junit reads JUnit XML, in the dialects that are about, token by token. The
// verdict of a test comes from its children; the counters of suites are held against them.
type junit struct {
	*tally
	in     *bounded
	dec    *xml.Decoder
	suites []*suite // those that are open, outermost first
	roots  int
}

// A suite is an element testsuite, or testsuites.
type suite struct {
	name        string
	says        map[string]string // its attributes
	direct, all suiteCounts       // tests in it, and in those below it too
}

// suiteCounts are what counters may mean: a test with two failures is one test or two failures.
type suiteCounts struct{ tests, failing, erring, bad, elements, skipped int }

func (c *suiteCounts) add(d suiteCounts) {
	c.tests += d.tests
	c.failing += d.failing
	c.erring += d.erring
	c.bad += d.bad
	c.elements += d.elements
	c.skipped += d.skipped
}

func readJUnit(in *bounded, decoded bool, t *tally) error {
	j := &junit{tally: t, in: in, dec: xml.NewDecoder(in)}
	j.dec.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if decoded { // the mark told, and what it says of itself is done
			return r, nil
		}
		return charset.NewReaderLabel(label, r)
	}
	for {
		in.next()
		token, err := j.dec.Token()
		if err == nil {
			err = j.token(token)
		}
		switch {
		case err == io.EOF && j.roots > 0:
			return nil
		case err == io.EOF:
			return errors.New("it holds no element")
		case err != nil && j.roots == 0:
			return err
		case err != nil:
			line, _ := j.dec.InputPos()
			j.problem("the file cannot be read to its end: line %d: %v", line, err)
			return nil
		}
	}
}

// notJUnit is another XML file.
type notJUnit string

func (e notJUnit) Error() string {
	return fmt.Sprintf("its root is <%s>, and JUnit's is <testsuites> or <testsuite>", string(e))
}

func (j *junit) token(token xml.Token) error {
	switch x := token.(type) {
	case xml.StartElement:
		return j.start(x)
	case xml.EndElement:
		if n := len(j.suites); n > 0 { // of a suite: the others are read to their end where they start
			j.close(j.suites[n-1])
			j.suites = j.suites[:n-1]
		}
	}
	return nil
}

func (j *junit) start(x xml.StartElement) error {
	name := x.Name.Local
	if len(j.suites) == 0 {
		if name != "testsuites" && name != "testsuite" {
			return notJUnit(name)
		}
		if j.roots++; j.roots > 1 {
			return errors.New("it has a second root")
		}
	}
	switch name {
	case "testsuites", "testsuite":
		j.open(x)
	case "testcase":
		return j.testcase(x)
	case "failure", "error": // of the suite itself, as when its set-up failed
		text, err := j.text(x)
		j.outcome(j.suiteName()+" (the suite itself)", failed, text, suiteCounts{elements: 1, bad: 1})
		return err
	default:
		return j.dec.Skip()
	}
	return nil
}

func attributes(x xml.StartElement) map[string]string {
	attrs := map[string]string{}
	for _, a := range x.Attr {
		attrs[a.Name.Local] = a.Value
	}
	return attrs
}

func (j *junit) open(x xml.StartElement) {
	s := &suite{says: attributes(x)}
	s.name = s.says["name"]
	j.suites = append(j.suites, s)
	began, ok := moment(s.says["timestamp"], j.now)
	if !ok {
		return
	}
	seconds, _ := strconv.ParseFloat(strings.ReplaceAll(s.says["time"], ",", ""), 64)
	const year = 365 * 24 * 3600
	j.during(began, began.Add(time.Duration(min(max(seconds, 0), year)*float64(time.Second))))
}

// moment reads a timestamp. One without a zone is of UTC, as most tools write it, or, where that is to come, of this machine's.
func moment(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", time.RFC1123Z, time.RFC1123} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", time.ANSIC} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if at.After(now) {
			at, err = time.ParseInLocation(layout, text, time.Local)
		}
		return at, err == nil
	}
	return time.Time{}, false
}

// suiteName returns the name of the innermost suite that has one.
func (j *junit) suiteName() string {
	for _, s := range slices.Backward(j.suites) {
		if s.name != "" {
			return s.name
		}
	}
	return "suite"
}

// testcase reads a test with all its children.
func (j *junit) testcase(x xml.StartElement) error {
	attrs := attributes(x)
	name := attrs["classname"]
	if name == "" {
		name = j.suiteName()
	}
	name += "." + attrs["name"]
	seen := map[string]int{}
	text := ""
	for {
		token, err := j.dec.Token()
		if err != nil {
			j.add(name, unclear, "the file ends in it")
			return unexpected(err)
		}
		if _, ends := token.(xml.EndElement); ends {
			break
		}
		child, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		seen[child.Name.Local]++
		said, err := j.text(child)
		if text == "" && child.Name.Local != "system-out" && child.Name.Local != "system-err" && child.Name.Local != "properties" {
			text = said
		}
		if err != nil {
			j.add(name, unclear, "the file ends in it")
			return err
		}
	}
	s, why := statusOf(seen, attrs)
	if why != "" {
		text = why
	}
	j.outcome(name, s, text, countsOf(s, seen))
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// statusOf concludes from a test's children, and from attributes where they say that it did not run or pass.
func statusOf(seen map[string]int, attrs map[string]string) (s status, why string) {
	switch {
	case seen["failure"]+seen["error"] > 0:
		return failed, ""
	case seen["flakyFailure"]+seen["flakyError"]+seen["rerunFailure"]+seen["rerunError"] > 0:
		return flaky, ""
	case seen["skipped"]+seen["disabled"]+seen["pending"]+seen["ignored"] > 0:
		return skipped, ""
	}
	s = passed
	for _, name := range []string{"status", "result"} {
		switch value := attrs[name]; strings.ToLower(value) {
		case "", "run", "passed", "pass", "ok", "success", "successful", "completed", "complete":
		case "failed", "fail", "failure", "error", "errored", "broken":
			return failed, fmt.Sprintf("%s=%q", name, value)
		case "skipped", "skip", "notrun", "disabled", "pending", "ignored", "suppressed", "todo":
			s, why = skipped, fmt.Sprintf("%s=%q", name, value)
		default:
			s, why = unclear, fmt.Sprintf("%s=%q", name, value)
		}
	}
	return s, why
}

func countsOf(s status, seen map[string]int) suiteCounts {
	c := suiteCounts{tests: 1, elements: seen["failure"] + seen["error"]}
	if s == failed {
		c.bad = 1
	}
	if seen["failure"] > 0 {
		c.failing = 1
	}
	if seen["error"] > 0 {
		c.erring = 1
	}
	if s == skipped {
		c.skipped = 1
	}
	return c
}

func (j *junit) outcome(name string, s status, text string, c suiteCounts) {
	j.add(name, s, text)
	for i, open := range j.suites {
		open.all.add(c)
		if i == len(j.suites)-1 {
			open.direct.add(c)
		}
	}
}

// text returns the attribute message of an element and the text in it, and reads to its end.
func (j *junit) text(x xml.StartElement) (string, error) {
	text := attributes(x)["message"]
	for depth := 1; depth > 0; {
		j.in.next()
		token, err := j.dec.Token()
		if err != nil {
			return text, unexpected(err)
		}
		switch y := token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if len(text) < longestText {
				text += "\n" + string(y[:min(len(y), 2*longestText)])
			}
		}
	}
	return strings.TrimSpace(text), nil
}

// close compares the counters of a suite with what was in it. Some count the suites below, and some do not.
func (j *junit) close(s *suite) {
	skips := []int{s.direct.skipped, s.all.skipped}
	bads := []int{s.direct.bad, s.all.bad, s.direct.elements, s.all.elements}
	if s.says["errors"] == "" {
		bads = append(bads, s.direct.failing, s.all.failing)
	}
	if s.says["failures"] == "" {
		bads = append(bads, s.direct.erring, s.all.erring)
	}
	j.counter(s, []int{s.direct.tests, s.all.tests}, "tests")
	j.counter(s, bads, "failures", "errors")
	j.counter(s, skips, "skipped", "disabled")
}

// counter notes a problem unless the sum of the attributes that are there is one of the given.
func (j *junit) counter(s *suite, found []int, names ...string) {
	sum, said := 0, []string{}
	for _, name := range names {
		text := strings.TrimSpace(s.says[name])
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			j.problem("suite %q says %s=%q, which is no number", cut(s.name, longestName), name, cut(text, longestName))
			return
		}
		sum += n
		said = append(said, fmt.Sprintf("%s=%d", name, n))
	}
	if len(said) > 0 && !slices.Contains(found, sum) {
		j.problem("suite %q says %s, and holds %d", cut(s.name, longestName), strings.Join(said, " "), found[len(found)-1])
	}
}
