package plain_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/system/systemtest"
)

// benchEnv starts the suite's system: one store, and three instances that wait for it.
func benchEnv(b *testing.B, i int) *plain.Env {
	b.Helper()
	dir := b.TempDir()
	env, err := plain.Start(b.Context(), systemtest.Topology(echo()), plain.Options{
		ID: fmt.Sprintf("%s-%d", b.Name(), i), StateDir: filepath.Join(dir, "state"), LogDir: filepath.Join(dir, "log"),
	})
	if err != nil {
		b.Fatal(err)
	}
	return env
}

// What it costs to start four instances until all are ready.
func BenchmarkStart(b *testing.B) {
	for i := range b.N {
		env := benchEnv(b, i)
		b.StopTimer() // Close is measured apart
		closeBench(b, env)
		b.StartTimer()
	}
}

func BenchmarkClose(b *testing.B) {
	for i := range b.N {
		b.StopTimer()
		env := benchEnv(b, i)
		b.StartTimer()
		closeBench(b, env)
	}
}

func BenchmarkRestore(b *testing.B) {
	env := benchEnv(b, 0)
	defer closeBench(b, env)
	if err := env.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := env.Restore(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	env := benchEnv(b, 0)
	defer closeBench(b, env)
	for b.Loop() {
		if _, err := env.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// Addr is asked for each request of a driver, and must cost nothing once it is known.
func BenchmarkAddr(b *testing.B) {
	env := benchEnv(b, 0)
	defer closeBench(b, env)
	for b.Loop() {
		if _, err := env.Addr(b.Context(), system.Client, "web", systemtest.Port); err != nil {
			b.Fatal(err)
		}
	}
}

func closeBench(b *testing.B, env *plain.Env) {
	if err := env.Close(context.WithoutCancel(b.Context())); err != nil {
		b.Fatal(err)
	}
}
