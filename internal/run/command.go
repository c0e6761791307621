package run

import (
	"regexp"
	"strings"
)

// Command joins words to a command line that can be pasted into a shell.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if !regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(word) {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
