package event

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

const page = "../../docs/contracts-events.md"

// TestDocs holds the page's tables against what the rules say of their examples. ASSAY_UPDATE writes them anew.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(data)
	want := section(section(section(got, "avro", avroTable(t)), "asyncapi", asyncTable(t)), "bindings", bindingTable())
	if got == want {
		return
	}
	if os.Getenv("ASSAY_UPDATE") == "" {
		t.Fatalf("%s does not say what the rules say: ASSAY_UPDATE=1 go test -run TestDocs ./contract/event writes it", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// section replaces what stands between two marks.
func section(text, name, table string) string {
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return text + "\nno section " + name
	}
	return before + begin + table + end + after
}

func avroTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| rule | says | written as | read as | witness: bytes, JSON, and what the reader makes of it |\n|---|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, c := range avroEdits() {
		diff, err := Check(t.Context(), Avro, versionsOf(c.writer, c.reader), Backward, contract.Options{Documents: 10})
		if err != nil {
			t.Fatal(err)
		}
		f := diff.Findings[0]
		if seen[f.Rule] {
			continue
		}
		seen[f.Rule] = true
		witness := "none: no datum shows it"
		if w := f.Witness; w != nil {
			witness = fmt.Sprintf("`%s` `%s` %s", or2(w.Document, "(no bytes)"), w.Readable, w.Reason)
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` | %s |\n", f.Rule, f.Severity, inner(c.writer), inner(c.reader), strings.ReplaceAll(witness, "|", "\\|"))
	}
	return b.String()
}

// inner is the part of a record that an example is about.
func inner(record string) string {
	_, fields, _ := strings.Cut(record, `"fields": [`)
	return or2(strings.TrimSuffix(fields, "]}"), "(no fields)")
}

func asyncTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| rule | says | was | is | found |\n|---|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, c := range asyncEdits() {
		edited := strings.Replace(shop, c.from, c.to, 1)
		diff, err := Diff(t.Context(), asyncSource("old", shop, billed), asyncSource("new", edited, billed), contract.Options{Documents: 10})
		if err != nil {
			continue
		}
		for _, f := range diff.Findings {
			if seen[f.Rule] || !strings.HasPrefix(f.Rule, "asyncapi-") {
				continue
			}
			seen[f.Rule] = true
			fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` | %s: %s |\n", f.Rule, f.Severity, cell(c.from), cell(c.to), f.Subject, f.Text)
		}
	}
	return b.String()
}

func bindingTable() string {
	var b strings.Builder
	b.WriteString("| binding | says | why |\n|---|---|---|\n")
	for _, row := range bindingRules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.place, row.severity, row.why)
	}
	return b.String()
}

func cell(text string) string {
	return strings.Join(strings.Fields(or2(strings.TrimSpace(text), "(nothing)")), " ")
}

// TestRulesHaveExamples wants an example for each rule that the source names.
func TestRulesHaveExamples(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"walk.go", "diff.go", "channels.go", "operations.go", "messages.go", "bindings.go", "payload.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, word := range strings.Split(string(source), `"`) {
			if i%2 == 1 && (strings.HasPrefix(word, "avro-") || strings.HasPrefix(word, "asyncapi-")) && !strings.Contains(string(data), "`"+word+"`") {
				t.Errorf("%s: the rule %s has no example", file, word)
			}
		}
	}
}
