package ledger

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Read returns the entries of the log in dir without taking its lock. A cut last line is left out.
func Read(dir string) ([]Entry, error) {
	file, err := os.Open(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	defer file.Close()
	entries, _, err := read(file)
	if err != nil {
		return entries, fmt.Errorf("read ledger in %s: %w", dir, err)
	}
	return entries, nil
}

// read returns the entries and the length of the whole lines they came from. A
// last line that is cut was never promised to anyone, as Intend had not
// returned; a bad line before the last is damage, and an error.
func read(r io.Reader) (entries []Entry, size int64, err error) {
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return entries, size, nil
		}
		if err != nil {
			return entries, size, err
		}
		entries, err = apply(entries, text)
		if err != nil {
			if _, peek := lines.Peek(1); peek == io.EOF {
				return entries, size, nil
			}
			return entries, size, fmt.Errorf("%s:%d: %w", FileName, number, err)
		}
		size += int64(len(text))
	}
}

func apply(entries []Entry, text []byte) ([]Entry, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return entries, err
	}
	switch {
	case l.Undone > 0 && l.Undone <= len(entries):
		entries[l.Undone-1].Done = true
		return entries, nil
	case l.Undone == 0 && l.Seq == len(entries)+1 && l.Verb != "":
		return append(entries, l.Entry), nil
	}
	return entries, fmt.Errorf("entry %d (undone %d) does not follow entry %d", l.Seq, l.Undone, len(entries))
}
