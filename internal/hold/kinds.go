package hold

import (
	"context"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

// A kind is one sort of environment that a holder can hold.
type kind struct {
	// build makes what start runs. Its processes carry the environment's mark.
	build func(ctx context.Context, sys system.System, progress func(string)) error
	// start starts the system. An effect outside the process is written to the
	// log before it happens. On an error it may leave things behind: the holder sweeps.
	start func(ctx context.Context, sys system.System, p place) (system.Env, error)
}

// A place is where an environment lives.
type place struct {
	ID       string
	State    string      // the state directory of all environments
	LogDir   string      // where instances' output goes
	Ledger   *ledger.Log // in the environment's own folder, which the holder removes with all that is in it
	Progress func(string)
}

// kinds returns the environments that there are, by name.
func kinds() map[string]kind {
	return map[string]kind{"plain": {build: plain.Build, start: startPlain}}
}

// plainDir is the state folder of a plain environment in the folder that the holder keeps for it.
func plainDir(dir string) string { return filepath.Join(dir, "data") }

func startPlain(ctx context.Context, sys system.System, p place) (system.Env, error) {
	env, err := plain.Start(ctx, sys, plain.Options{
		ID: p.ID, StateDir: plainDir(p.Ledger.Dir()), LogDir: p.LogDir, Ledger: p.Ledger, Progress: p.Progress,
		Client: os.Getppid(), // the controller that started this holder
	})
	if err != nil {
		return nil, err // not a nil *plain.Env in an interface
	}
	return env, nil
}
