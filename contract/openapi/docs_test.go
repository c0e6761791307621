package openapi_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

const page = "../../docs/contracts-openapi.md"

// changedLines returns what differs between two versions.
func changedLines(old, new string) (before, after string) {
	x, y := strings.Split(old, "\n"), strings.Split(new, "\n")
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return oneLine(x), oneLine(y)
}

func oneLine(lines []string) string {
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	text := strings.Join(lines, " ")
	if text == "" {
		return "–"
	}
	return "`" + strings.ReplaceAll(text, "|", "\\|") + "`"
}

// row is what the page says of an edit: the first finding that the edit is about.
func row(e edit, d contract.Diff) string {
	before, after := changedLines(e.old, e.new)
	rule, severity, witness := "none", "proven safe", "–"
	if len(d.Findings) > 0 && e.want != "" {
		f := d.Findings[0]
		for _, other := range d.Findings {
			if other.Severity == e.want && strings.HasPrefix(other.Rule, e.rule) {
				f = other
				break
			}
		}
		rule, severity = "`"+f.Rule+"`", string(f.Severity)
		if f.Witness != nil {
			witness = "`" + f.Witness.Document + "`"
			if f.Witness.At != "" {
				witness = f.Witness.At + ": " + witness
			}
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", e.name, before, after, severity, rule, witness)
}

// The page shows each example with what comes of it. ASSAY_UPDATE=1 writes it anew.
func TestPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("| change | old | new | severity | rule | witness |\n|---|---|---|---|---|---|\n")
	for _, e := range edits() {
		b.WriteString(row(e, diff(t, e.old, e.new)) + "\n")
	}
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- examples -->\n", "<!-- /examples -->"
	head, rest, ok := strings.Cut(string(data), begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s: no place for examples", page)
	}
	if have == b.String() {
		return
	}
	if os.Getenv("ASSAY_UPDATE") == "" {
		t.Fatalf("%s: the examples are not what comes of them; write them anew with ASSAY_UPDATE=1\n%s", page, b.String())
	}
	if err := os.WriteFile(page, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
