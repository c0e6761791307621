package plain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// RemoveShared removes segments of System V shared memory that killed programs left behind, and that are known
// by a folder below dir: their key is its inode number, as Postgres makes keys, and nobody is attached.
func RemoveShared(dir string) error {
	unused, err := unusedSegments()
	if err != nil || len(unused) == 0 {
		return err
	}
	var errs error
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil // what is gone has no segment any more, or had none
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		if id, ok := unused[int32(stat.Ino)]; ok {
			if _, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIDRM) {
				errs = errors.Join(errs, fmt.Errorf("remove shared memory %d of %s: %w", id, path, err))
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(errs, err)
}

// unusedSegments returns the ids of this user's segments that nobody is attached to, by key.
func unusedSegments() (map[int32]int, error) {
	text, err := os.ReadFile("/proc/sysvipc/shm")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without them
	}
	if err != nil {
		return nil, err
	}
	unused := map[int32]int{}
	for line := range strings.Lines(string(text)) {
		// key shmid perms size cpid lpid nattch uid …
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[6] != "0" || fields[7] != strconv.Itoa(os.Geteuid()) {
			continue
		}
		key, err1 := strconv.ParseInt(fields[0], 10, 64)
		id, err2 := strconv.Atoi(fields[1])
		if err1 == nil && err2 == nil && key != 0 {
			unused[int32(key)] = id
		}
	}
	return unused, nil
}
