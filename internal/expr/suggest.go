package expr

import "strings"

// Suggest returns the word among the given that is spelled most like word, or
// "" when none is near: more than a third of its letters would have to change.
func Suggest(word string, among []string) string {
	best, least := "", len([]rune(word))/3+1
	for _, candidate := range among {
		d := distance(strings.ToLower(word), strings.ToLower(candidate))
		if d < least || d == least && best == "" || d == least && candidate < best {
			best, least = candidate, d
		}
	}
	return best
}

// distance is how many letters to insert, delete, replace or swap with their
// neighbour turn a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
