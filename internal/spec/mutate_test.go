package spec

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file with lines and words lost, doubled and swapped is reported or read, and
// never panics. Fuzzing finds broken bytes; this finds broken structure.
func TestMutatedFiles(t *testing.T) {
	t.Parallel()
	good, err := LoadOn(FakeHost(), "testdata/shop")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
		mutateAssay(t, seed)
		mutateCompose(t, seed)
		mutateExperiment(t, seed, good)
	}
}

func mutateAssay(t *testing.T, seed uint64) {
	l, dir := shop(t)
	content := mutated(t, filepath.Join(dir, FileName), seed)
	defer onPanic(t, seed, content)
	src := l.source(l.project.File, content, false)
	if src.root != nil {
		l.readAssay(src)
		l.checkSteps()
	}
	checkErrors(t, l.errs)
}

func mutateCompose(t *testing.T, seed uint64) {
	l, dir := shop(t)
	path := filepath.Join(dir, "compose.yaml")
	content := mutated(t, path, seed)
	defer onPanic(t, seed, content)
	l.composeSource(l.source(path, content, true), path)
	checkErrors(t, l.errs)
}

func mutateExperiment(t *testing.T, seed uint64, good *Project) {
	l, dir := shop(t)
	project := *good
	project.Files, project.Experiments = map[string][]byte{}, nil
	l.project = &project
	path := filepath.Join(dir, "experiments", "payments-slow.yaml")
	content := mutated(t, path, seed)
	defer onPanic(t, seed, content)
	if src := l.source(path, content, false); src.root != nil {
		l.experiment(src, path)
	}
	checkErrors(t, l.errs)
}

func onPanic(t *testing.T, seed uint64, content []byte) {
	if r := recover(); r != nil {
		t.Fatalf("seed %d: panic: %v\n%s", seed, r, content)
	}
}

// mutated returns a file with one to three changes.
func mutated(t *testing.T, path string, seed uint64) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	lines := strings.Split(string(content), "\n")
	for range 1 + random.IntN(3) {
		at, other := random.IntN(len(lines)), random.IntN(len(lines))
		switch random.IntN(4) {
		case 0:
			lines[at] = ""
		case 1:
			lines[at], lines[other] = lines[other], lines[at]
		case 2:
			lines[at] = swapWords(random, lines[at], lines[other])
		case 3:
			lines[at] = strings.Repeat(" ", random.IntN(8)) + strings.TrimSpace(lines[at])
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// swapWords puts a word of another line in place of one of line.
func swapWords(random *rand.Rand, line, other string) string {
	words, others := strings.Fields(line), append(strings.Fields(other), "[]", "{}", "~", "7", "{a: [b]}", "''")
	if len(words) == 0 {
		return line
	}
	word := words[random.IntN(len(words))]
	return strings.Replace(line, word, others[random.IntN(len(others))], 1)
}
