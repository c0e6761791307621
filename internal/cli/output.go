package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/table"
)

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeFile writes a file whole or not at all, over one that is there, and makes its folder where that is missing. Its
// errors name the path as the user wrote it. A pipe or device, such as /dev/stdout, is written to as it is.
func writeFile(path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	switch {
	case path == "" || strings.HasSuffix(path, string(filepath.Separator)), err == nil && info.IsDir():
		return &run.UsageError{Msg: fmt.Sprintf("%q is a folder: name a file in it to write", path)}
	case err == nil && !info.Mode().IsRegular():
		return writeInto(path, write)
	}
	switch err := replaceFile(path, write); {
	case errors.Is(err, syscall.ENOTDIR):
		return &run.UsageError{Msg: fmt.Sprintf("write %s: %v", path, err)}
	case err != nil:
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeInto writes to what is there already.
func writeInto(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// replaceFile puts a new file where path says. Its errors do not name the file that is written meanwhile.
func replaceFile(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".unfinished-")
	if err != nil {
		return cause(err)
	}
	defer os.Remove(file.Name())
	err = write(file)
	for _, finish := range []func() error{func() error { return file.Chmod(0o644) }, file.Sync} {
		if err == nil {
			err = cause(finish())
		}
	}
	if closed := file.Close(); err == nil {
		err = cause(closed)
	}
	if err == nil {
		err = cause(os.Rename(file.Name(), path))
	}
	return err
}

// cause drops the names of files from an error of the operating system.
func cause(err error) error {
	var one *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return one.Err
	case errors.As(err, &two):
		return two.Err
	}
	return err
}

// harmless writes text that others chose, such as the names of journeys and the errors of services, so that
// it cannot steer a terminal: control characters and those that turn the direction of text are written as \x1b and \u202e, which
// JSON reads as what they were. Our own colours pass on a terminal.
type harmless struct {
	w       io.Writer
	colours bool
	rest    []byte // of a character that was cut by the end of a write
}

// Write writes p. It returns len(p) unless the underlying writer fails.
func (h *harmless) Write(p []byte) (int, error) {
	text := append(h.rest, p...)
	h.rest = nil
	var out bytes.Buffer
	for len(text) > 0 {
		if n := h.colour(text); n > 0 {
			out.Write(text[:n])
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 && !utf8.FullRune(text) {
			h.rest = bytes.Clone(text)
			break
		}
		writeRune(&out, r, text[:n])
		text = text[n:]
	}
	_, err := h.w.Write(out.Bytes())
	return len(p), err
}

func writeRune(out *bytes.Buffer, r rune, raw []byte) {
	escape := table.Escape(r, string(raw))
	if escape == "" || r == '\n' || r == '\t' {
		out.Write(raw)
		return
	}
	out.WriteString(escape)
}

// colour returns the length of one of our own colour codes at the head of text, 0 for anything else.
func (h *harmless) colour(text []byte) int {
	if !h.colours || text[0] != '\x1b' {
		return 0
	}
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m"} {
		if strings.HasPrefix(string(text[:min(len(text), 8)]), code) {
			return len(code)
		}
	}
	return 0
}

// raw returns the writer below, for what is no text.
func raw(w io.Writer) io.Writer {
	if h, ok := w.(*harmless); ok {
		return h.w
	}
	return w
}
