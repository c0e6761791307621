package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/assay-dev/assay/history"
)

// longest is the longest line that is read. A final read of a million keys has 40 MB.
const longest = 256 << 20

// A Damage is what of a file of records cannot be read.
type Damage struct {
	File  string `json:"file"`
	Lines int    `json:"lines,omitempty"` // how many cannot be read, 0 where the file cannot
	First int    `json:"first,omitempty"` // the first of them, from 1
	Cut   bool   `json:"cut,omitempty"`   // the file ends inside a record: its writer died
	Text  string `json:"text"`            // what is wrong with the first
}

// String returns the damage as a sentence.
func (d Damage) String() string {
	switch {
	case d.Lines == 0:
		return fmt.Sprintf("%s cannot be read: %s", d.File, d.Text)
	case d.Cut && d.Lines == 1:
		return fmt.Sprintf("%s is cut short in line %d: its writer died there", d.File, d.First)
	}
	return fmt.Sprintf("%s: %d %s cannot be read, first line %d: %s", d.File, d.Lines, plural(d.Lines, "record"), d.First, d.Text)
}

// eachLine gives the lines of a file to handlers, in as many stretches of the file at once as there are handlers, the
// first stretch to the first. A line that its handler refuses is counted and left out. Nil is a file without damage.
func eachLine(path, name string, handlers []func(line []byte) error) *Damage {
	file, err := os.Open(path)
	if err != nil {
		return &Damage{File: name, Text: reason(err)}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return &Damage{File: name, Text: reason(err)}
	}
	if !info.Mode().IsRegular() {
		return &Damage{File: name, Text: "it is no file"}
	}
	stretches := make([]stretch, len(handlers))
	var wait sync.WaitGroup
	for i, handle := range handlers {
		stretches[i] = stretch{file: file, from: info.Size() * int64(i) / int64(len(handlers)), to: info.Size() * int64(i+1) / int64(len(handlers)), size: info.Size()}
		wait.Go(func() { stretches[i].read(handle) })
	}
	wait.Wait()
	return together(name, stretches)
}

// reason is an error about a file without the path, which is of this machine.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// A stretch is a part of a file: the lines that start in it.
type stretch struct {
	file           *os.File
	from, to, size int64
	lines, bad     int
	first          int // the first bad line, from 1 within the stretch
	err            error
	broken         error // the file could not be read on
}

func (s *stretch) read(handle func([]byte) error) {
	at := s.from
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, at, s.size-at), 256<<10)
	if s.from > 0 { // the line that began before belongs to the stretch before, unless it began just here
		before := make([]byte, 1)
		if _, err := s.file.ReadAt(before, s.from-1); err != nil {
			s.broken = err
			return
		}
		if before[0] != '\n' {
			n, err := pass(in)
			if at += n; err != nil {
				return
			}
		}
	}
	for at < s.to {
		line, err := wholeLine(in)
		at += int64(len(line))
		if err != nil && !errors.Is(err, io.EOF) {
			s.broken = err
			return
		}
		s.lines++
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				s.refuse(history.ErrCut)
			}
			return
		}
		if err := handle(line); err != nil {
			s.refuse(err)
		}
	}
}

func (s *stretch) refuse(err error) {
	if s.bad++; s.bad == 1 {
		s.first, s.err = s.lines, err
	}
}

// pass reads to the end of a line and returns how long it was.
func pass(in *bufio.Reader) (int64, error) {
	var n int64
	for {
		part, err := in.ReadSlice('\n')
		n += int64(len(part))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// wholeLine returns the next line with its newline. It stays valid until the next call.
func wholeLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := append([]byte(nil), line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > longest {
			return nil, fmt.Errorf("a line is longer than %d MB", longest>>20)
		}
		line, err = in.ReadSlice('\n')
		long = append(long, line...)
	}
	return long, err
}

// together numbers the lines through all stretches.
func together(name string, stretches []stretch) *Damage {
	var whole *Damage
	lines := 0
	for _, s := range stretches {
		err := s.err
		if s.broken != nil {
			err, s.bad, s.first = s.broken, s.bad+1, s.lines+1
		}
		if err != nil && whole == nil {
			whole = &Damage{File: name, First: lines + s.first, Text: err.Error()}
		}
		if whole != nil {
			whole.Lines += s.bad
			whole.Cut = whole.Cut || errors.Is(err, history.ErrCut)
		}
		lines += s.lines
	}
	return whole
}
