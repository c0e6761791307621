package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEachLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 700<<10)
	tests := []struct {
		name, content string
		lines         int
		damage        string
	}{
		{"empty", "", 0, ""},
		{"one", "a\n", 1, ""},
		{"many", strings.Repeat("some line\n", 5000), 5000, ""},
		{"of all lengths", func() string {
			var b strings.Builder
			for i := range 300 {
				fmt.Fprintln(&b, strings.Repeat("y", i*7%511))
			}
			return b.String()
		}(), 300, ""},
		{"longer than a buffer", "a\n" + long + "\nb\n", 3, ""},
		{"cut", "a\nb\nhalf", 2, "f is cut short in line 3: its writer died there"},
		{"cut at once", "half", 0, "f is cut short in line 1: its writer died there"},
		{"corrupt", "a\nb\nBAD\nc\nBAD\nd\n", 4, "f: 2 records cannot be read, first line 3: a planted defect"},
		{"corrupt and cut", "a\nBAD\nhalf", 1, "f: 2 records cannot be read, first line 2: a planted defect"},
	}
	for _, test := range tests {
		for workers := 1; workers <= 9; workers++ {
			path := filepath.Join(t.TempDir(), "f")
			check0(t, os.WriteFile(path, []byte(test.content), 0o644))
			lines := make([]int, workers)
			handlers := make([]func([]byte) error, workers)
			for i := range handlers {
				handlers[i] = func(line []byte) error {
					if !bytes.HasSuffix(line, []byte("\n")) || bytes.Count(line, []byte("\n")) != 1 {
						return fmt.Errorf("%q is no line", line)
					}
					if bytes.HasPrefix(line, []byte("BAD")) {
						return errors.New("a planted defect")
					}
					lines[i]++
					return nil
				}
			}
			damage := eachLine(path, "f", handlers)
			total := 0
			for _, n := range lines {
				total += n
			}
			got := ""
			if damage != nil {
				got = damage.String()
			}
			if total != test.lines || got != test.damage {
				t.Errorf("%s, %d workers: got %d lines and %q, want %d and %q", test.name, workers, total, got, test.lines, test.damage)
			}
		}
	}
	if damage := eachLine(filepath.Join(t.TempDir(), "none"), "f", each(2, func([]byte) error { return nil })); damage == nil || damage.String() != "f cannot be read: no such file or directory" {
		t.Errorf("a missing file: got %v", damage)
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"checkout":              "checkout",
		"ümläut 支払い 🦀 👩\u200d💻": "ümläut 支払い 🦀 👩\u200d💻",
		"a\nb\tc":               "a b c",
		"\x1b[31mred\x07":       `\x1b[31mred\x07`,
		"user\u202egnp.exe":     `user\u202egnp.exe`,
		"zero\u200bwidth\ufeff": `zero\u200bwidth\ufeff`,
		"\xff\xfe":              `\xff\xfe`,
		"\uFFFD":                "\uFFFD",
		"a\u2028b\u0085":        `a\u2028b\u0085`,
		"\ufffe":                `\ufffe`,
		"tag\U000e0041":         `tag\U000e0041`,
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := Plain(Plain(in)); got != Plain(in) {
			t.Errorf("%q is not stable", in)
		}
	}
	if got := shown(strings.Repeat("é", 10000)); len([]rune(got)) > longText+40 || !strings.Contains(got, "16000 more bytes") {
		t.Errorf("a long text: %d runes, ends %q", len([]rune(got)), got[len(got)-30:])
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"expected status == 201, got status 503":                  "expected status == 201, got status 503",
		"POST http://orders:8080/orders: reset":                   "POST http://orders:8080/orders: reset",
		"order 2b00181f-b991-476e-95bd-2e0ad185f186 is gone":      "order # is gone",
		"read tcp 127.0.0.1:48210->127.0.0.1:8080: i/o timeout":   "read tcp #:#->#:8080: i/o timeout",
		"no answer within 1.999812s":                              "no answer within #s",
		"trace 0af7651916cd43dd8448eb211c80319c at 1700000000123": "trace # at #",
		"decade facade deadbeef":                                  "decade facade deadbeef",
		"a1b2":                                                    "a1b2",
		"version 1.2":                                             "version 1.2",
	} {
		if got := pattern(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	long := strings.Repeat("x ", 1000)
	if a, b := pattern(long), pattern(long+"1 2 3"); a != b {
		t.Error("two lengths are two errors")
	}
	if a, b := pattern("id 11111111"), pattern("id 22222222"); a != b {
		t.Errorf("two ids are two errors: %q and %q", a, b)
	}
}
