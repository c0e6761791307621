package simrun

import (
	"strings"

	"github.com/assay-dev/assay/internal/overlay"
)

// withAtomics adds the flags by which operations of sync/atomic are places to preempt. The user's own flags of the compiler stay.
func withAtomics(tc overlay.Toolchain, flags []string) ([]string, error) {
	all, err := tc.Atomics("")
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(flags); i++ {
		name, value, set := strings.Cut(flags[i], "=")
		if strings.TrimLeft(name, "-") != "gcflags" {
			all = append(all, flags[i])
			continue
		}
		if !set && i+1 < len(flags) {
			i++
			value = flags[i]
		}
		if own, ok := strings.CutPrefix(value, "all="); ok {
			more, err := tc.Atomics(own)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
			continue
		}
		all = append(all, "-gcflags="+strings.TrimSpace(value+" "+overlay.NoIntrinsics))
	}
	return all, nil
}
