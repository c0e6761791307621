package spec

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// structural are the messages about mistakes that a schema can see, too: keys, types, and the form of scalars.
func structural() *regexp.Regexp {
	return regexp.MustCompile(`has no key "|must be (text|a mapping|a list|a duration|a rate|a whole number|PORT/PATH)|must be longer than|` +
		`(assay.yaml|a step|sql|an experiment|an action|a stop condition|defect [^ ]+|probe [^ ]+) has no [a-z]+$| is empty$|is an empty list|` +
		`is no (duration|rate)|must be above zero|the (load|method) is empty|expects nothing \(|exactly one of|calls nothing|asks nothing|` +
		`is given twice$|no failure mode|is not supported|cannot be the text|is no name that an expression can read|no signal is called`)
}

// Of the mistakes in testdata/mistakes.txt those of structure are refused by the schemas as well.
func TestSchemasRefuseStructuralMistakes(t *testing.T) {
	t.Parallel()
	schemas, seen := compileSchemas(t), 0
	text, err := os.ReadFile("testdata/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")
	for _, block := range strings.Split(string(text), "\n== ")[1:] {
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		file := strings.TrimPrefix(lines[1], "file ")
		if !structural().MatchString(messagesOf(lines[4:], file)) {
			continue
		}
		content, err := os.ReadFile(filepath.Join("testdata/shop", file))
		if err != nil {
			t.Fatal(err)
		}
		old, replacement := unescape.Replace(strings.TrimPrefix(lines[2], "old ")), unescape.Replace(strings.TrimPrefix(strings.TrimPrefix(lines[3], "new"), " "))
		value := valueOf([]byte(strings.Replace(string(content), old, replacement, 1)))
		name := schemaOf(nil, file)
		if err := schemas[name].Validate(value); value != nil && err == nil {
			t.Errorf("%s: the parser refuses it (%s), and the schema %s does not", lines[0], strings.Join(lines[4:], "; "), name)
		}
		seen++
	}
	if seen < 60 {
		t.Errorf("only %d mistakes are of structure: their messages have changed", seen)
	}
	t.Logf("%d mistakes of structure", seen)
}

// messagesOf keeps what is said of one file, without places.
func messagesOf(lines []string, file string) string {
	var messages []string
	for _, line := range lines {
		rest, ok := strings.CutPrefix(line, file+":")
		if ok && !strings.Contains(rest, "a key must be text") { // JSON has no other keys
			_, message, _ := strings.Cut(rest, ": ")
			messages = append(messages, message)
		}
	}
	return strings.Join(messages, "\n")
}
