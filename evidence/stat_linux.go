package evidence

import (
	"io/fs"
	"syscall"
)

// changed returns when a file's inode last changed, which no program can set back, in nanoseconds.
func changed(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ctim.Nano()
	}
	return 0
}
