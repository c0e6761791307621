package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestContractDocs runs the commands of docs/contracts.md in a copy of the shop, in their order. The lines that the page shows are in what they print,
// in that order; … stands for the rest of a line.
func TestContractDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/contracts.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := shopInGit(t)
	blocks := strings.Split(string(page), "```console\n")[1:]
	if len(blocks) < 3 {
		t.Fatalf("the page has %d transcripts", len(blocks))
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "\n```")
		contractTranscript(t, dir, strings.Split(text, "\n"))
	}
}

// shopInGit copies what contracts need of the shop into a repository with one commit.
func shopInGit(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"contracts", "paymentspb", "experiments", "assay.yaml", "compose.yaml", "gate.yaml"} {
		from, to := filepath.Join("../../examples/shop", name), filepath.Join(dir, name)
		if info, err := os.Stat(from); err == nil && info.IsDir() {
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, content, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// contractTranscript runs the lines that begin with "$ ", and looks for the others in what the last one printed.
func contractTranscript(t *testing.T, dir string, lines []string) {
	t.Helper()
	bin, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out string
	code := 0
	for _, line := range lines {
		command, isCommand := strings.CutPrefix(line, "$ ")
		begin, cut := strings.CutSuffix(line, "…")
		switch {
		case isCommand:
			out, code = shell(t, dir, bin, command)
		case strings.HasPrefix(line, "[exit "):
			if want := strings.Trim(line, "[exit]"); strings.TrimSpace(want) != string(rune('0'+code)) {
				t.Errorf("exit %d, the page says %s\n%s", code, line, out)
			}
		default:
			at := strings.Index("\n"+out, "\n"+begin)
			if at < 0 || !cut && !strings.HasPrefix(out[at+len(begin):], "\n") {
				t.Errorf("the page shows %q, which is not next in\n%s", line, out)
				continue
			}
			out = out[at+len(begin):]
		}
	}
}

// shell runs a command, in which assay is this program.
func shell(t *testing.T, dir, bin, command string) (string, int) {
	t.Helper()
	tools := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(tools, "assay")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+tools+string(filepath.ListSeparator)+os.Getenv("PATH"))
	var out, story bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &story
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", command, err)
	}
	if story.Len() > 0 && cmd.ProcessState.ExitCode() > 1 {
		t.Errorf("%s: %s", command, story.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
