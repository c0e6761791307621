package plain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// errorLines is how many log lines an error shows.
const errorLines = 20

// Log returns the last lines of the instance's output, oldest first.
func (e *Env) Log(ctx context.Context, instance string, lines int) ([]string, error) {
	n := e.byName[instance]
	if n == nil {
		return nil, fmt.Errorf("log of %s: no such instance", instance)
	}
	last, err := lastLines(n.log, 0, lines)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // it was never started
	}
	return last, err
}

// withLog adds the last lines that a process printed to an error about it.
func (n *node) withLog(p *process, err error) error {
	lines, readErr := lastLines(n.log, p.logFrom, errorLines)
	switch {
	case readErr != nil:
		return errors.Join(err, readErr)
	case len(lines) == 0:
		return fmt.Errorf("%w; it printed nothing", err)
	}
	text := strings.Join(lines, "\n  | ")
	hint := ""
	if strings.Contains(strings.ToLower(text), "address already in use") {
		hint = "\n  hint: bind {{ip}}:PORT, the instance's own address: the others of 127.0.0.0/8 are in use for links"
	}
	return fmt.Errorf("%w; its last lines (%s):\n  | %s%s", err, n.log, text, hint)
}

// openLog opens the log for a new process, and says where its output will begin.
func openLog(path string) (*os.File, int64, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, 0, fmt.Errorf("open log: %w", err)
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		file.Close()
		return nil, 0, fmt.Errorf("open log: %w", err)
	}
	return file, end, nil
}

// lastLines returns the last lines of a file after from. It reads at most the
// last 256 KiB: a log may be of any size, and so may a line.
func lastLines(path string, from int64, count int) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.NewSectionReader(file, max(from, size-256<<10), size))
	if err != nil {
		return nil, err
	}
	trimmed := strings.TrimRight(string(text), "\n")
	if trimmed == "" {
		return nil, nil
	}
	lines := strings.Split(trimmed, "\n")
	return lines[max(0, len(lines)-count):], nil
}

func lastLine(text string) string {
	trimmed := strings.TrimRight(text, "\n")
	return trimmed[strings.LastIndexByte(trimmed, '\n')+1:]
}

// A limitedBuffer keeps the first mebibyte that is written to it: a program that
// never stops printing must not fill the memory of the process that asked.
type limitedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	const limit = 1 << 20
	b.buf.Write(p[:min(len(p), max(0, limit-b.buf.Len()))])
	return len(p), nil
}

func (b *limitedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
