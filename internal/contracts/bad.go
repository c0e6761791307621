package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// mistake says why the content of a file cannot be that of any contract, after its name: "" where it reads well. It names the place.
func mistake(name string, content []byte) string {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	switch {
	case len(bytes.TrimSpace(content)) == 0:
		return ": the file is empty"
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		return ":1:1: the file is UTF-16 (save it as UTF-8)"
	case bytes.IndexByte(content, 0) >= 0:
		return fmt.Sprintf("%s: this is a binary file, and no text", position(content, bytes.IndexByte(content, 0)))
	case !utf8.Valid(content):
		return fmt.Sprintf("%s: this is no UTF-8", position(content, invalid(content)))
	}
	if at := regexp.MustCompile(`(?m)^<{7} `).FindIndex(content); at != nil {
		return fmt.Sprintf("%s: a merge conflict is not resolved", position(content, at[0]))
	}
	if path.Ext(name) == ".json" || path.Ext(name) == ".avsc" {
		return badJSON(content)
	}
	return badYAML(content)
}

// badJSON returns what is wrong with JSON, "" for nothing.
func badJSON(content []byte) string {
	var document any
	err := json.Unmarshal(content, &document)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &syntax):
		return fmt.Sprintf("%s: this is no JSON: %v", position(content, int(syntax.Offset)-1), err)
	}
	return fmt.Sprintf(": this is no JSON: %v", err)
}

func badYAML(content []byte) string {
	var document yaml.Node
	err := yaml.Unmarshal(content, &document)
	if err == nil {
		return ""
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		return fmt.Sprintf(":%s:1: this is no YAML: %s", m[1], strings.TrimPrefix(text, m[0]))
	}
	return ": this is no YAML: " + text
}

// position returns ":line:column" of a byte.
func position(content []byte, at int) string {
	before := content[:min(max(at, 0), len(content))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf(":%d:%d", line, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])+1)
}

// invalid returns where the first byte stands that is no UTF-8.
func invalid(content []byte) int {
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(content)
}

// meant says whether a text that cannot be read was meant to be a contract.
func meant(content []byte) bool {
	return regexp.MustCompile(`(?m)^\s*[{,]?\s*["']?(openapi|swagger|asyncapi|\$schema|x-assay|operations|fields)["']?\s*:`).Match(content)
}
