package cli

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestInit runs what init writes, on real systems: nothing that it makes may be for show.
func TestInit(t *testing.T) {
	if testing.Short() {
		t.Skip("runs real systems")
	}
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/init",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"punctual": punctual},
		Condition: func(condition string) (bool, error) {
			found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
			return condition == "postgres" && len(found) > 0, err
		},
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
