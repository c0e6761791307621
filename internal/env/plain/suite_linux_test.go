package plain_test

import (
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/system/systemtest"
)

// TestSuite is the promise of every environment.
func TestSuite(t *testing.T) {
	t.Parallel()
	systemtest.Run(t, func(t *testing.T, sys system.System) system.Env {
		dir := t.TempDir()
		env, err := plain.Start(t.Context(), sys, plain.Options{
			ID: t.Name(), StateDir: filepath.Join(dir, "state"), LogDir: filepath.Join(dir, "log"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return env
	})
}
