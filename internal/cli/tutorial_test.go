package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

// A block is one fenced block of a Markdown file: "```go shop/main.go" is a file, "```sh" is what
// a reader types (with "exit=1" where that is how it ends, "skip" where a test cannot), and "```text" what that prints.
type block struct {
	kind, file, exit, text string
}

func blocks(markdown string) []block {
	var all []block
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)[ ]?([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(markdown, -1) {
		b := block{kind: m[1], exit: "0", text: m[3]}
		switch exit, ok := strings.CutPrefix(m[2], "exit="); {
		case ok:
			b.exit = exit
		case b.kind == "sh" && m[2] == "skip":
			continue
		default:
			b.file = m[2]
		}
		all = append(all, b)
	}
	return all
}

// transcript makes a script of a Markdown file's blocks, in their order.
func transcript(markdown string) *txtar.Archive {
	var script strings.Builder
	archive := &txtar.Archive{}
	for i, b := range blocks(markdown) {
		name := fmt.Sprintf(".steps/%d", i)
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(b.text)})
		switch {
		case b.file != "":
			fmt.Fprintf(&script, "place ../%s %s\n", name, b.file)
		case b.kind == "sh":
			fmt.Fprintf(&script, "follow ../%s %s\n", name, b.exit)
		case b.kind == "text":
			fmt.Fprintf(&script, "shows ../%s\n", name)
		}
	}
	archive.Comment = []byte("mkdir tutorial\ncd tutorial\n" + script.String())
	return archive
}

// TestTutorial does what docs/tutorial.md says, in an empty folder, and sees what it says one would see.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("runs real systems")
	}
	t.Parallel()
	markdown, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "tutorial.txtar")
	if err := os.WriteFile(script, txtar.Format(transcript(string(markdown))), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: []string{script},
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"place": place, "follow": follow, "shows": shows},
		Setup: func(env *testscript.Env) error {
			env.Defer(acquireFirst(1))
			env.Setenv("ASSAY_STATE_DIR", filepath.Join(env.WorkDir, ".state"))
			for _, name := range []string{"GOCACHE", "GOPATH", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
				env.Setenv(name, goEnv(t, name))
			}
			return nil
		},
	})
}

// place copies a file and makes its folder.
func place(ts *testscript.TestScript, _ bool, args []string) {
	to := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(to), 0o755))
	ts.Check(os.WriteFile(to, []byte(ts.ReadFile(args[0])), 0o644))
}

// follow types the lines of a block. Where the driver was late, a reader would run it again.
func follow(ts *testscript.TestScript, _ bool, args []string) {
	for try := 1; ; try++ {
		err := ts.Exec("sh", "-e", args[0])
		code := "0"
		if m := regexp.MustCompile(`exit status (\d+)`).FindStringSubmatch(fmt.Sprint(err)); m != nil {
			code = m[1]
		}
		if strings.Contains(ts.ReadFile("stdout"), "the load driver was overloaded") && try < 10 && code != args[1] {
			continue
		}
		if args[1] != "any" && code != args[1] {
			ts.Fatalf("%s exits with %s, want %s", ts.ReadFile(args[0]), code, args[1])
		}
		return
	}
}

// shows looks for the lines of a block in what was printed last, in their order. Numbers, times and the width of
// columns differ, … stands for anything, and a line of it for any lines.
func shows(ts *testscript.TestScript, _ bool, args []string) {
	printed := strings.Split(ts.ReadFile("stdout"), "\n")
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if line = strings.TrimSpace(line); line == "" || line == "…" {
			continue
		}
		i := 0
		for ; i < len(printed) && !like(line).MatchString(strings.TrimSpace(printed[i])); i++ {
		}
		if i == len(printed) {
			ts.Fatalf("the tutorial shows %q, and that was not printed (in this order)", line)
		}
		printed = printed[i+1:]
	}
}

func like(line string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(line)
	pattern = regexp.MustCompile(`\d+(\\\.\d+)*`).ReplaceAllString(pattern, `\d+(\.\d+)*`)
	pattern = regexp.MustCompile(` +`).ReplaceAllString(pattern, ` +`)
	return regexp.MustCompile("^" + strings.ReplaceAll(pattern, "…", ".*") + "$")
}

// What a tutorial shows must be there: another word, verdict or order is not the same.
func TestLike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shown, printed string
		want           bool
	}{
		{"PASS  w: 4 experiments (seed 1)", "PASS  w: 12 experiments (seed 7)", true},
		{"PASS  w: 4 experiments", "FAIL  w: 4 experiments", false},
		{"x-killed  pass  2.0s  …", "x-killed    pass      12.25s   8 of 8 checks hold", true},
		{"x-killed  pass", "x-killed  pass  -", false},
		{"ok  loopback  127.16.0.0/16", "ok  loopback  127.17.0.0/16", true},
		{"a.b", "axb", false},
	} {
		if got := like(c.shown).MatchString(c.printed); got != c.want {
			t.Errorf("%q like %q: got %v, want %v", c.printed, c.shown, got, c.want)
		}
	}
	got := blocks("# T\n```sh skip\nno\n```\n```go a/b.go\nx\n```\ntext\n```sh exit=1\ny\n```\n```text\nz\n```\n")
	if len(got) != 3 || got[0].file != "a/b.go" || got[1].exit != "1" || got[2].text != "z\n" {
		t.Errorf("blocks: %+v", got)
	}
}
