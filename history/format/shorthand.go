package format

import (
	"sort"
	"strings"

	"github.com/assay-dev/assay/history"
)

// shorthandLines returns the lines of a text, those that begin with # empty.
func shorthandLines(text []byte) []string {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines[i] = ""
		}
	}
	return lines
}

// shorthandOps reads the first n lines as one history.
func shorthandOps(lines []string, n int) ([]history.Op, error) {
	return history.Shorthand(strings.Join(lines[:n], "\n"))
}

// firstWrong is the line, from 1, at which lines that are no history stop being the beginning of one. What is opened and never
// closed is so at the last line.
func firstWrong(lines []string) int {
	return min(len(lines), 1+sort.Search(len(lines), func(n int) bool {
		_, err := shorthandOps(lines, n+1)
		return err != nil && !strings.Contains(err.Error(), "never closed")
	}))
}

// shorthandPlaces returns the lines where each operation begins and ends.
func shorthandPlaces(lines []string) [][2]int {
	var places [][2]int
	open := map[string]int{}
	for i, line := range lines {
		for word := range strings.FieldsSeq(line) {
			client, rest, _ := strings.Cut(word, ":")
			if rest == ")" {
				places[open[client]][1] = i + 1
				continue
			}
			if strings.HasSuffix(word, "(") {
				open[client] = len(places)
			}
			places = append(places, [2]int{i + 1, i + 1})
		}
	}
	return places
}
