package fault

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const docPath = "../docs/faults.md"

// docs/faults.md has a section for each kind, whose examples are faults of that kind in the form in which they print.
func TestDocHasEveryFault(t *testing.T) {
	t.Parallel()
	doc := readDoc(t, docPath)
	section := regexp.MustCompile("(?s)\n### ([a-z]+)\n```fault\n(.*?)```\n(.*?)(\n##|$)")
	var documented []string
	for rest := doc; ; {
		at := section.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		kind, examples, text := rest[at[2]:at[3]], rest[at[4]:at[5]], rest[at[6]:at[7]]
		documented = append(documented, kind)
		for example := range strings.Lines(examples) {
			example = strings.TrimSpace(example)
			f, err := Parse(example)
			if err != nil || f.Kind() != kind || f.String() != example {
				t.Errorf("%s: the example of %s is %v, %v", example, kind, f, err)
			}
		}
		for _, want := range []string{"Does: ", "Proof: "} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", kind, want)
			}
		}
		rest = rest[at[7]:]
	}
	slices.Sort(documented)
	if !slices.Equal(documented, Kinds()) {
		t.Errorf("documented are %v, of %v", documented, Kinds())
	}
}

// Whatever looks like a fault in the docs is one.
func TestFaultsInDocsAreFaults(t *testing.T) {
	t.Parallel()
	looks := regexp.MustCompile(`\b(` + strings.Join(Kinds(), "|") + `)\([^\n]*?\)(?:['` + "`" + `"\s]|$)`)
	for _, path := range []string{docPath, "../docs/files.md"} {
		n := 0
		for _, text := range looks.FindAllString(readDoc(t, path), -1) {
			text = strings.TrimRight(text, "'`\" \n")
			if strings.Contains(text, "NAME") || strings.Contains(text, "A ->") && strings.Contains(text, "…") {
				continue
			}
			n++
			if _, err := Parse(text); err != nil {
				t.Errorf("%s: %s: %v", path, text, err)
			}
		}
		if n < 5 {
			t.Errorf("%s: only %d faults were found", path, n)
		}
	}
}

// What the doc says of arguments and profiles is written from the tables. ASSAY_UPDATE=1 writes it.
func TestDocHasEveryArgument(t *testing.T) {
	doc := readDoc(t, docPath)
	want := region(t, region(t, doc, "arguments", argumentTable()), "profiles", profileTable())
	if doc == want {
		return
	}
	if os.Getenv("ASSAY_UPDATE") == "" {
		t.Fatalf("%s is not what the tables say; write it: ASSAY_UPDATE=1 go test ./fault", docPath)
	}
	if err := os.WriteFile(docPath, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readDoc(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// region replaces what stands between a region's marks.
func region(t *testing.T, doc, name, text string) string {
	t.Helper()
	marks := regexp.MustCompile(`(?s)(<!-- ` + name + `:[^\n]*-->\n).*?(<!-- end -->)`)
	if !marks.MatchString(doc) {
		t.Fatalf("%s has no region %s", docPath, name)
	}
	return marks.ReplaceAllStringFunc(doc, func(old string) string {
		m := marks.FindStringSubmatch(old)
		return m[1] + text + m[2]
	})
}

func argumentTable() string {
	text := "| fault | arguments |\n|---|---|\n"
	for _, kind := range append(linkKinds()[1:], profileKind) {
		own := ownParams(kind)
		var parts []string
		for _, p := range own {
			parts = append(parts, argumentText(p))
		}
		rest := "triggers"
		switch {
		case kind == profileKind:
			rest = ""
		case len(params(kind)) == len(own)+len(matchParams())+len(triggerParams()):
			rest = "requests, triggers"
		case kind == "cut" || kind == "refuse":
			rest = "triggers, but not `after`"
		}
		if rest != "" {
			parts = append(parts, rest)
		}
		text += fmt.Sprintf("| `%s(A -> B, …)` | %s |\n", kind, strings.Join(parts, ", "))
	}
	return text
}

func argumentText(p param) string {
	if p.flag {
		return "`" + p.key + "`"
	}
	if p.key == "" {
		return p.what + " (required)"
	}
	return "`" + p.key + "=` " + p.what
}

func profileTable() string {
	text := "| profile | is, in each direction | source | ours |\n|---|---|---|---|\n"
	for _, p := range Profiles() {
		text += fmt.Sprintf("| `%s` | %s | %s | %s |\n", p.Name, strings.Join(p.Faults, "; "), p.Source, p.Ours)
	}
	return text
}
