//go:build !linux

package evidence

import "io/fs"

// changed is not known here: what was remembered of a run is never believed, and it is read again.
func changed(fs.FileInfo) int64 { return 0 }
