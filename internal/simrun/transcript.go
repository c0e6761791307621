package simrun

import (
	"bytes"
	"fmt"
)

// A transcript is what a process writes: all of it, or where that is much its beginning and its end, and of what is between the lines that
// name tests that failed. It is not safe for concurrent use.
type transcript struct {
	text bytes.Buffer
	left int // bytes that were left out
	at   int // where, in the text
}

const (
	mostText  = 16 << 20 // bytes, before it is cut
	firstText = 1 << 20  // and what is kept then
	lastText  = 4 << 20
)

// Write implements io.Writer. It never fails.
func (t *transcript) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		k := min(len(p), mostText)
		t.text.Write(p[:k])
		p = p[k:]
		if t.text.Len() > mostText {
			t.cut()
		}
	}
	return n, nil
}

func (t *transcript) cut() {
	all := t.text.Bytes()
	from := max(t.at, firstText)
	middle := all[from : len(all)-lastText]
	kept := append([]byte{}, all[:from]...)
	for line := range bytes.Lines(middle) {
		if bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("--- FAIL: ")) && len(kept) < mostText/2 {
			kept = append(kept, line...)
		}
	}
	t.left += len(middle) - (len(kept) - from)
	t.at = len(kept)
	last := bytes.Clone(all[len(all)-lastText:])
	t.text.Reset()
	t.text.Write(kept)
	t.text.Write(last)
}

// String is what was written.
func (t *transcript) String() string {
	if t.left == 0 {
		return t.text.String()
	}
	all := t.text.Bytes()
	return fmt.Sprintf("%s\n[assay sim: %d bytes of output are left out here]\n%s", all[:t.at], t.left, all[t.at:])
}
