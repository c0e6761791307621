package fault

import (
	"fmt"
	"strings"
)

// hint returns what to try instead of word: the nearest of allowed, and all of them.
func hint(word string, allowed []string) string {
	list := "allowed: " + strings.Join(allowed, ", ")
	if len(allowed) == 0 {
		list = "there are none"
	}
	if near := nearest(word, allowed); near != "" {
		return fmt.Sprintf("did you mean %q? %s", near, list)
	}
	return list
}

// nearest returns the word of allowed that is the fewest typos away, or "" if
// all are further than a third of their letters.
func nearest(word string, allowed []string) string {
	best, distance := "", 0
	for _, candidate := range allowed {
		d := typos(word, candidate)
		if d <= max(1, len(candidate)/3) && (best == "" || d < distance) {
			best, distance = candidate, d
		}
	}
	return best
}

// typos counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b.
func typos(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64 // no typo is that long
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
