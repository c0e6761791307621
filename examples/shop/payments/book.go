package payments

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Charge is one line in the book.
type Charge struct {
	ID          string `json:"id"`
	Key         string `json:"key"`
	OrderID     string `json:"order_id"`
	AmountCents int64  `json:"amount_cents"`
	Declined    bool   `json:"declined,omitempty"`
}

// Book is an append-only file of charges, one per key. It survives a killed process, not a machine that loses power:
// it does not wait for the disk. Safe for concurrent use.
type Book struct {
	mu      sync.Mutex
	file    *os.File
	charges map[string]Charge
}

// Open reads the book in folder, which it makes if absent. A last line that a kill cut short was never answered for,
// and is dropped.
func Open(folder string) (*Book, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("payments: %w", err)
	}
	path := filepath.Join(folder, "charges.jsonl")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("payments: %w", err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	charges, err := parse(bytes.NewReader(whole))
	if err != nil {
		return nil, fmt.Errorf("payments: %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("payments: %w", err)
	}
	return &Book{file: file, charges: charges}, errors.Join(file.Truncate(int64(len(whole))), seekEnd(file))
}

// Enter keeps c unless its key is in the book, and returns what the book has.
func (b *Book) Enter(c Charge) (Charge, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.charges[c.Key]; ok {
		return old, nil
	}
	line, err := json.Marshal(c)
	if err != nil {
		return Charge{}, err
	}
	if _, err := b.file.Write(append(line, '\n')); err != nil {
		return Charge{}, fmt.Errorf("payments: %w", err)
	}
	b.charges[c.Key] = c
	return c, nil
}

// Find returns the charge of a key.
func (b *Book) Find(key string) (Charge, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.charges[key]
	return c, ok
}

// Close closes the file.
func (b *Book) Close() error { return b.file.Close() }

func parse(r io.Reader) (map[string]Charge, error) {
	charges := map[string]Charge{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var c Charge
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		charges[c.Key] = c
	}
	return charges, lines.Err()
}

func seekEnd(f *os.File) error {
	_, err := f.Seek(0, io.SeekEnd)
	return err
}
