// Package conformance finds the data that others made, which tests hold this project against. It is not part of the project: the
// environment variable ASSAY_CONFORMANCE names its folder, and tests skip where it is absent.
package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder of that name within the conformance data, as an absolute path, or skips the test with the reason.
func Dir(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("ASSAY_CONFORMANCE")
	if root == "" {
		t.Skipf("ASSAY_CONFORMANCE is not set: it names the folder that holds %s", name)
	}
	if !filepath.IsAbs(root) {
		t.Fatalf("ASSAY_CONFORMANCE=%s: not an absolute path, and tests run in the folder of their package", root)
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance data: %v", err)
	}
	return dir
}

// Full reports whether the long forms of tests are asked for, by ASSAY_CONTRACT_FULL.
func Full() bool { return os.Getenv("ASSAY_CONTRACT_FULL") != "" }

// Fewer returns how many of n repetitions a test makes that computes in one goroutine: a fifth under the race detector, which takes five
// times as long and has nothing to find there. make race makes all of them without it.
func Fewer(n int) int {
	if race && !Full() {
		return max(n/5, 1)
	}
	return n
}
