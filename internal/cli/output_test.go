package cli

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\ttext\n":       "plain\ttext\n",
		"\x1b[31mred\x1b[0m":  `\x1b[31mred\x1b[0m`,
		"\x1b]0;title\x07":    `\x1b]0;title\x07`,
		"over\rwritten":       `over\x0dwritten`,
		"a\u202eb\u2066c":     `a\u202eb\u2066c`,
		"\u009b31m":           `\u009b31m`,
		"\xff\xfe":            `\xff\xfe`,
		"grün ✓ 界":            "grün ✓ 界",
		"<script>&\"'</scrip": "<script>&\"'</scrip",
	} {
		for cut := range len(in) + 1 {
			var out bytes.Buffer
			w := &harmless{w: &out}
			w.Write([]byte(in[:cut]))
			w.Write([]byte(in[cut:]))
			if out.String() != want {
				t.Errorf("%q, cut at %d: %q, want %q", in, cut, out.String(), want)
			}
		}
	}
}

func TestColoursPassOnATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := &harmless{w: &out, colours: true}
	w.Write([]byte("\x1b[1;31mFAIL\x1b[0m \x1b[8mhidden\x1b[2J"))
	if want := "\x1b[1;31mFAIL\x1b[0m " + `\x1b[8mhidden\x1b[2J`; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// What is escaped is still the JSON that it was.
func TestHarmlessJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	name := "a\u202eb\x1b[2Jc\u009b<\x7f"
	if err := writeJSON(&harmless{w: &out}, name); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != name {
		t.Errorf("%q came back as %q, %v", name, back, err)
	}
}
