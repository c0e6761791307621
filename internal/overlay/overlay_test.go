package overlay

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func toolchain(t *testing.T, cache string) Toolchain {
	t.Helper()
	tc, err := Find(context.Background(), "go", ".", cache)
	if err != nil {
		t.Skip(err)
	}
	return tc
}

func TestEveryAnchor(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	roots := []string{toolchain(t, cache).Root}
	if more := os.Getenv("ASSAY_SIM_GOROOTS"); more != "" { // other versions of Go, if they are here
		roots = append(roots, strings.Split(more, ":")...)
	}
	for _, root := range roots {
		version, err := os.ReadFile(filepath.Join(root, "VERSION"))
		if err != nil {
			t.Fatal(err)
		}
		tc := Toolchain{Version: strings.Fields(string(version))[0], Root: root}
		o, err := Make(tc, cache, Groups()...)
		if root == roots[0] && !strings.HasPrefix(tc.Version, "go1.26") && err != nil {
			t.Log(err) // said to whoever asks for a simulation, and not this test's business
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		t.Logf("%s: %d patches, %d files", tc.Version, o.Patches, o.Files)
	}
}
