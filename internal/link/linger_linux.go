package link

import (
	"os"

	"golang.org/x/sys/unix"
)

// isTaken says whether the other end's kernel has all that was written, the end too.
func isTaken(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return true
	}
	left := 0
	outer := raw.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return outer != nil || err != nil || left == 0
}
