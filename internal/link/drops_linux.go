package link

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// memInfoDrops is the kernel's SK_MEMINFO_DROPS.
const memInfoDrops = 8

// socketDrops reads SO_MEMINFO, for which x/sys has no call.
func socketDrops(fd int) (uint32, error) {
	var info [memInfoDrops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return info[memInfoDrops], nil
}
