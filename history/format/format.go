// Package format opens histories of all formats, and knows them by their content:
//
//	f, err := format.Open("history.edn", format.Options{})
//	fmt.Println(f.Format)          // Jepsen EDN
//	for {
//		rec, err := f.Next()       // io.EOF at the end; errors begin with FILE:LINE:COLUMN
//		…
//	}
//
// The formats are operations as JSON lines (package history), Jepsen's EDN and
// JSON (package jepsen), logs of etcd runs (package etcdlog) and the one-line
// shorthand (history.Shorthand), each also compressed by gzip.
package format

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/etcdlog"
	"github.com/assay-dev/assay/history/jepsen"
	"github.com/assay-dev/assay/history/pair"
)

// A Format is one way to write a history.
type Format string

const (
	JepsenEDN  Format = "Jepsen EDN"
	JepsenJSON Format = "Jepsen JSON"
	EtcdLog    Format = "etcd log"
	Operations Format = "operations as JSON lines" // ours
	Events     Format = "events as JSON lines"     // ours: what was done to the system
	Shorthand  Format = "shorthand"
)

// Options change how files are understood. The zero value is usual.
type Options struct {
	Keyed bool // values of Jepsen's histories are [key, value]
}

// A File is a history that is read as a stream, once.
type File struct {
	Name   string
	Format Format
	Gzip   bool
	reader reader
	closer io.Closer
	err    error
}

type reader interface {
	Next() (pair.Record, error)
	Stats() pair.Stats
}

// Open opens a file, and reads as much as shows the format. The caller closes it.
func Open(path string, opts Options) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the history cannot be read: %w", err)
	}
	if info, err := in.Stat(); err == nil && info.IsDir() {
		_ = in.Close() // nothing was read of it
		return nil, fmt.Errorf("%s: this is a folder, and a history is a file (such as its history.edn)", path)
	}
	f, err := New(in, path, opts)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	f.closer = in
	return f, nil
}

// New reads a history from r, which messages call name.
func New(r io.Reader, name string, opts Options) (*File, error) {
	f := &File{Name: name}
	in := bufio.NewReaderSize(r, headBytes)
	head, err := peek(in)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", name, err)
	}
	if len(head) > 2 && head[0] == 0x1f && head[1] == 0x8b {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%s: cannot be unpacked: %w", name, err)
		}
		f.Gzip = true
		in = bufio.NewReaderSize(unzipped, headBytes)
		if head, err = peek(in); err != nil {
			return nil, fmt.Errorf("%s: cannot be unpacked: %w", name, err)
		}
	}
	if f.Format, err = Sniff(head); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.reader = open(f.Format, in, opts)
	return f, nil
}

func peek(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(headBytes)
	if err == io.EOF {
		err = nil
	}
	return head, err
}

func open(format Format, in io.Reader, opts Options) reader {
	switch format {
	case JepsenEDN:
		return jepsen.New(in, jepsen.EDN, jepsen.Options{Keyed: opts.Keyed})
	case JepsenJSON:
		return jepsen.New(in, jepsen.JSON, jepsen.Options{Keyed: opts.Keyed})
	case EtcdLog:
		return etcdlog.New(in)
	case Shorthand:
		return &shorthand{in: in}
	case Events:
		return newLines(in, func(e history.Event) (pair.Record, bool, error) { return pair.Record{Event: &e}, true, nil })
	}
	return newLines(in, operation)
}

// Stats counts what was read until now.
func (f *File) Stats() pair.Stats { return f.reader.Stats() }

// Next returns the next operation or event. It ends with io.EOF; any other error begins with the file's name and the
// place in it, and comes again.
func (f *File) Next() (pair.Record, error) {
	if f.err != nil {
		return pair.Record{}, f.err
	}
	record, err := f.reader.Next()
	var placed *pair.Error
	var line *history.LineError
	switch {
	case err == nil:
		return record, nil
	case err == io.EOF:
		f.err = err
	case errors.As(err, &line):
		f.err = fmt.Errorf("%s:%d: %w", f.Name, line.Line, line.Err)
	case errors.As(err, &placed), f.Format != Operations && f.Format != Events:
		f.err = fmt.Errorf("%s:%w", f.Name, err)
	default:
		f.err = fmt.Errorf("%s: %w", f.Name, err)
	}
	return pair.Record{}, f.err
}

// Rest returns the operations that were open where Next ended with an error, for a file that is cut. It says false where the
// format does not tell: ours has operations when they are over, so what was under way at the cut left no trace.
func (f *File) Rest() ([]pair.Record, bool) {
	events, ok := f.reader.(interface{ Rest() []pair.Record })
	if !ok {
		return nil, false
	}
	return events.Rest(), true
}

// Close closes the file.
func (f *File) Close() error {
	if stop, ok := f.reader.(interface{ stop() }); ok {
		stop.stop()
	}
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}
