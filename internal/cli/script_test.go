package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/toxiproxy"
)

func TestMain(m *testing.M) {
	hold.Main()
	toxiproxy.Main()
	testscript.Main(m, map[string]func(){
		"assay": func() {
			hold.Main()
			toxiproxy.Main()
			os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs the transcripts under testdata/script. Each starts in a
// folder with the register example, a state folder of its own, and no colour.
func TestScripts(t *testing.T) {
	t.Parallel()
	example, err := filepath.Abs("../../examples/gotest")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"punctual": punctual, "stored": stored},
		Setup: func(env *testscript.Env) error {
			copyRegister(t, example, filepath.Join(env.WorkDir, "register"))
			env.Setenv("ASSAY_STATE_DIR", filepath.Join(env.WorkDir, "state"))
			for _, name := range []string{"GOCACHE", "GOPATH", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
				env.Setenv(name, goEnv(t, name))
			}
			return nil
		},
	})
}

// punctual is exec for a command that drives a load: where the driver was late,
// the machine was busy, which is not what a transcript shows, and it runs again.
func punctual(ts *testscript.TestScript, neg bool, args []string) {
	for try := 1; ; try++ {
		err := ts.Exec(args[0], args[1:]...)
		late := strings.Contains(ts.ReadFile("stdout"), "the load driver was overloaded")
		if late && try < 8 {
			continue
		}
		if (err != nil) != neg {
			ts.Fatalf("%v: %v", args, err)
		}
		return
	}
}

func goEnv(t *testing.T, name string) string {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// copyRegister copies the example as a module of its own, which needs nothing.
func copyRegister(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"assay.yaml", "compose.yaml", "experiments/killed.yaml", "register/main.go"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(to, "go.mod"), []byte("module register\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
