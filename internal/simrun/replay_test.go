package simrun

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A command to replay goes through a shell as it is, whatever names are made of.
func TestReplayCommandInShell(t *testing.T) {
	t.Parallel()
	x := &explorer{o: &Options{Mode: "pct/3/64", Flags: []string{"-tags=a b", "-race"}}}
	command := x.replayCommand(&Failure{Package: "example.org/it's", Test: "TestQuote/it's_$HOME_`w`", Seed: 7})
	out, err := exec.Command("sh", "-c", strings.Replace(command, "assay", `printf '%s\n'`, 1)).Output()
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	want := []string{"sim", "--seed", "7", "--seeds", "1", "--mode", "pct/3/64", "--run", exactly("TestQuote/it's_$HOME_`w`"), "example.org/it's", "--", "-tags=a b", "-race"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %q, %v, want %q", command, got, err, want)
	}
}
