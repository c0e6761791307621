package jepsen

import (
	"errors"
	"fmt"
	"io"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/pair"
)

const (
	bufferBytes = 64 << 10
	mostBytes   = 16 << 20 // of one token: a string, a symbol, a number
	mostNesting = 100
	mostInterns = 4096
)

// A scanner reads bytes and tokens, and knows where it is.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	read     int64 // bytes before buf[0]
	line     int
	lineAt   int64 // where the line starts
	err      error // of r, other than its end
	eof      bool
	interns  map[string]string
	stack    []history.Value // of the lists that are open
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, bufferBytes), line: 1, interns: map[string]string{}}
}

// more reads more behind what is not used yet, which moves to the front of the buffer. It returns false at the end.
func (s *scanner) more() bool {
	if s.eof || s.err != nil {
		return false
	}
	copy(s.buf, s.buf[s.pos:s.end])
	s.read += int64(s.pos)
	s.end -= s.pos
	s.pos = 0
	if s.end == len(s.buf) {
		if len(s.buf) >= mostBytes {
			s.err = s.wrong(fmt.Sprintf("a single token of more than %d MB", mostBytes>>20), "")
			return false
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for tries := 0; tries < 100; tries++ {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		switch {
		case err == io.EOF:
			s.eof = true
		case err != nil:
			s.err = err
		}
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// peek returns the next byte, and false at the end.
func (s *scanner) peek() (byte, bool) {
	if s.pos == s.end && !s.more() {
		return 0, false
	}
	return s.buf[s.pos], true
}

// second returns the byte after the next, and 0 where there is none.
func (s *scanner) second() byte {
	if s.end-s.pos < 2 && !s.more() || s.end-s.pos < 2 {
		return 0
	}
	return s.buf[s.pos+1]
}

func (s *scanner) newline() {
	s.line++
	s.lineAt = s.read + int64(s.pos) + 1
}

// token returns the bytes up to the next for which ends holds. They are valid until the next read.
func (s *scanner) token(ends *[256]bool) []byte {
	i := s.pos
	for {
		for ; i < s.end; i++ {
			if ends[s.buf[i]] {
				return s.take(i)
			}
		}
		n := i - s.pos
		if !s.more() {
			return s.take(s.pos + n)
		}
		i = s.pos + n
	}
}

func (s *scanner) take(to int) []byte {
	text := s.buf[s.pos:to]
	s.pos = to
	return text
}

// quoted returns the inside of a string whose opening quote is next, as it is written, and whether it holds escapes.
// It is valid until the next read.
func (s *scanner) quoted() (text []byte, escapes bool, err error) {
	line, column := s.line, s.column()
	i := s.pos + 1
	lines, lineAt := s.line, s.lineAt
	for {
		for ; i < s.end; i++ {
			switch s.buf[i] {
			case '"':
				text = s.buf[s.pos+1 : i]
				s.pos = i + 1
				s.line, s.lineAt = lines, lineAt
				return text, escapes, nil
			case '\\':
				escapes = true
				if i+1 == s.end {
					goto more
				}
				i++
			case '\n':
				lines++
				lineAt = s.read + int64(i) + 1
			}
		}
	more:
		n := i - s.pos
		if !s.more() {
			if s.err != nil {
				return nil, false, s.err
			}
			return nil, false, &pair.Error{Line: line, Column: column, Msg: "the file ends inside a string", Try: "it is cut: get it again"}
		}
		i = s.pos + n
	}
}

func (s *scanner) column() int { return int(s.read+int64(s.pos)-s.lineAt) + 1 }

// wrong is an error here.
func (s *scanner) wrong(msg, try string) error {
	return &pair.Error{Line: s.line, Column: s.column(), Msg: msg, Try: try}
}

// cut is the error of a file that ends too early.
func (s *scanner) cut(inside string) error {
	if s.err != nil {
		return s.place(s.err)
	}
	return s.wrong("the file ends inside "+inside, "it is cut: get it again")
}

// place gives an error of the reader below a place.
func (s *scanner) place(err error) error {
	var placed *pair.Error
	if errors.As(err, &placed) {
		return err
	}
	return fmt.Errorf("%d:%d: the file cannot be read on: %w", s.line, s.column(), err)
}

// intern returns b as a string, one and the same for those that come again and again.
func (s *scanner) intern(b []byte) string {
	if known, ok := s.interns[string(b)]; ok {
		return known
	}
	text := string(b)
	if len(s.interns) < mostInterns && len(text) <= 32 {
		s.interns[text] = text
	}
	return text
}

// pop takes what is on the stack from base. It is valid until the next read.
func (s *scanner) pop(base int) []history.Value {
	items := s.stack[base:]
	s.stack = s.stack[:base]
	return items
}

// shown shortens what a message quotes.
func shown(b []byte) string {
	if len(b) > 40 {
		return fmt.Sprintf("%q…", b[:40])
	}
	return fmt.Sprintf("%q", b)
}
