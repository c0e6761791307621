package payments

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBookChargesAKeyOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := Charge{ID: "ch-1", Key: "k", AmountCents: 100}
	enter(t, folder, first, first)
	enter(t, folder, Charge{ID: "ch-2", Key: "k", AmountCents: 200}, first) // another process, another amount
	if text, _ := os.ReadFile(filepath.Join(folder, "charges.jsonl")); strings.Count(string(text), "\n") != 1 {
		t.Errorf("the book has %q, want one line", text)
	}
}

func TestBookDropsALineCutShort(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "charges.jsonl")
	if err := os.WriteFile(path, []byte(`{"id":"ch-1","key":"k"}`+"\n"+`{"id":"ch-2","ke`), 0o644); err != nil {
		t.Fatal(err)
	}
	second := Charge{ID: "ch-2", Key: "l"}
	enter(t, folder, second, second)
	enter(t, folder, Charge{ID: "ch-3", Key: "l"}, second)
}

func TestBookRefusesNonsense(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "charges.jsonl")
	if err := os.WriteFile(path, []byte("{}\nnonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v, want an error that names line 2", err)
	}
}

// enter opens the book anew, as a restarted process does.
func enter(t *testing.T, folder string, c, want Charge) {
	t.Helper()
	book, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if got, err := book.Enter(c); err != nil || got != want {
		t.Errorf("Enter(%v) = %v, %v; want %v", c, got, err, want)
	}
}
