package foreign

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The tools whose results are read.
const (
	toolJUnit  = "junit"
	toolCTRF   = "ctrf"
	toolGoTest = "go test"
)

// window bounds what is read for one element, line or token, so that no file can fill the memory.
const window = 64 << 20

var errTooLong = errors.New("one element of it is longer than 64 MiB")

// A bounded reader fails when more than window bytes are read without a call of next.
type bounded struct {
	ctx  context.Context
	r    *bufio.Reader
	n    int
	text []byte // of the line that is read
}

func (b *bounded) next() { b.n = 0 }

func (b *bounded) ReadByte() (byte, error) {
	if b.n++; b.n > window {
		return 0, errTooLong
	}
	return b.r.ReadByte()
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if b.n += n; b.n > window {
		return n, errTooLong
	}
	return n, err
}

// line returns the next line without its end, and io.ErrUnexpectedEOF with a last one that has none.
func (b *bounded) line() ([]byte, error) {
	b.text = b.text[:0]
	for {
		part, err := b.r.ReadSlice('\n')
		b.text = append(b.text, part...)
		switch {
		case len(b.text) > window:
			return nil, errTooLong
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(b.text) > 0:
			return b.text, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		return bytes.TrimRight(b.text, "\r\n"), b.ctx.Err()
	}
}

// readFile reads a file of whichever tool it is of.
func readFile(ctx context.Context, path string, opts Options) (*report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unusable("%v", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, unusable("%s is no file of results (%v)", path, info.Mode())
	}
	t, err := newTally(opts.Covers)
	if err != nil {
		return nil, err
	}
	t.now = opts.Now
	text, decoded := plainText(file)
	in := &bounded{ctx: ctx, r: text}
	tool := detect(in.r)
	switch tool {
	case toolJUnit:
		err = readJUnit(in, decoded, t)
	case toolCTRF:
		err = readCTRF(in, t)
	case toolGoTest:
		err = readGoTest(in, t)
	default:
		return nil, unusable("%s holds no results that are known: JUnit XML, CTRF, or the output of go test -json", path)
	}
	if err != nil {
		return nil, unusable("%s: %v", path, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &report{tool, t.began, t.ended, t}, nil
}

// plainText takes a byte order mark away, and decodes UTF-16, which only the mark or a zero byte tells.
func plainText(file io.Reader) (text *bufio.Reader, decoded bool) {
	const size = 64 << 10
	raw := bufio.NewReaderSize(file, size)
	head, _ := raw.Peek(3)
	endian, marked := unicode.BigEndian, unicode.UseBOM
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		raw.Discard(3)
		return raw, false
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
	case bytes.HasPrefix(head, []byte("<\x00")):
		endian, marked = unicode.LittleEndian, unicode.IgnoreBOM
	case bytes.HasPrefix(head, []byte("\x00<")):
		marked = unicode.IgnoreBOM
	default:
		return raw, false
	}
	return bufio.NewReaderSize(transform.NewReader(raw, unicode.UTF16(endian, marked).NewDecoder()), size), true
}

// detect tells a tool by how its results begin, and takes nothing away.
func detect(r *bufio.Reader) string {
	head, _ := r.Peek(64 << 10)
	for {
		head = bytes.TrimLeft(head, " \t\r\n")
		switch {
		case bytes.HasPrefix(head, []byte("<")):
			return toolJUnit
		case bytes.HasPrefix(head, []byte("{")):
			return detectJSON(head)
		}
		// A build that failed may speak before the events do.
		_, rest, more := bytes.Cut(head, []byte("\n"))
		if !more {
			return ""
		}
		head = rest
	}
}

// detectJSON looks at the keys of the first object until one tells.
func detectJSON(head []byte) string {
	dec := json.NewDecoder(bytes.NewReader(head))
	dec.Token()
	for {
		key, err := dec.Token()
		if err != nil {
			return ""
		}
		switch key {
		case "Action", "Package", "ImportPath":
			return toolGoTest
		case "results", "reportFormat", "specVersion", "reportId":
			return toolCTRF
		}
		if _, isKey := key.(string); !isKey {
			return ""
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return ""
		}
	}
}
