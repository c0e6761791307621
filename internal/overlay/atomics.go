package overlay

import (
	"os"
	"path/filepath"
	"strings"
)

// NoIntrinsics is the flag of the compiler by which a package calls the functions of sync/atomic, instead of having
// instructions in their place.
const NoIntrinsics = "-d=ssa/intrinsics/off"

// Atomics are the flags of the go command that give it to the packages of a test and to what they import, with more flags
// of the compiler. The standard library is built as ever: parts of it cannot be built in another way.
//
// Its packages are told by their paths, not as "std": Go 1.27rc1 does not know yet, where a package is imported by tests alone, that
// it is one of the standard library.
func (tc Toolchain) Atomics(more string) ([]string, error) {
	more = strings.TrimSpace(more)
	flags := []string{"-gcflags=all=" + strings.TrimSpace(NoIntrinsics+" "+more)}
	for _, parent := range []string{"", "vendor/"} { // "vendor/..." alone says nothing to the go command
		dirs, err := os.ReadDir(filepath.Join(tc.Root, "src", parent))
		if err != nil && parent == "" {
			return nil, err
		}
		for _, d := range dirs {
			if d.IsDir() {
				flags = append(flags, "-gcflags="+parent+d.Name()+"/...="+more)
			}
		}
	}
	return flags, nil
}
