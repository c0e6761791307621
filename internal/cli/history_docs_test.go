package cli

import (
	"os"
	"strings"
	"testing"
)

// TestHistoryDocs runs the commands of docs/history.md beside the histories that the page speaks of.
func TestHistoryDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/history.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/history")); err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```console\n")[1:]
	if len(blocks) < 4 {
		t.Fatalf("the page has %d transcripts", len(blocks))
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "\n```")
		contractTranscript(t, dir, strings.Split(text, "\n"))
	}
}
