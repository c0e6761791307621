package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".unfinished-")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	err = write(file)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
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
	switch {
	case r == '\n' || r == '\t':
		out.WriteRune(r)
	case r == utf8.RuneError && len(raw) == 1:
		fmt.Fprintf(out, `\x%02x`, raw[0])
	case unicode.IsControl(r) && r < 0x20:
		fmt.Fprintf(out, `\x%02x`, r)
	case unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) || r == '\u2028' || r == '\u2029':
		fmt.Fprintf(out, `\u%04x`, r)
	default:
		out.Write(raw)
	}
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
