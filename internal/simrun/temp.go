package simrun

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Each process has a folder for temporary files of its own, and its name is the same in all: names come into events and keys of maps, and a
// process with the same seed would differ by them, or the next run of this command from what the last one saved. So the name is a link
// to a file descriptor of whoever follows it.

// tempFD is that file descriptor. Those from 3 on are left to the test.
const tempFD = 100

// tempName is the name, "" where there can be none: then each process has the name of its folder. The link stays, for others that run now or later.
func tempName(cache string) string {
	target := fmt.Sprintf("/proc/self/fd/%d", tempFD)
	if _, err := os.Stat(filepath.Dir(target)); err != nil {
		return ""
	}
	for _, name := range []string{"/tmp/assay-sim", fmt.Sprintf("/tmp/assay-sim-%d", os.Geteuid()), filepath.Join(cache, "tmp")} {
		if linked(name, target) {
			return name
		}
	}
	return ""
}

// linked makes a link, or finds it made. One of another user's is none: he could let it lead elsewhere.
func linked(name, target string) bool {
	if err := os.Symlink(target, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return false
	}
	info, err := os.Lstat(name)
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	to, err := os.Readlink(name)
	return err == nil && to == target && ok && int(owner.Uid) == os.Geteuid()
}

// temporary gives a process an empty folder for temporary files. What it returns is to be closed when the process is over.
func (b *program) temporary(cmd *exec.Cmd, dir string) (*os.File, error) {
	_ = os.RemoveAll(dir) // what another process left would change names that are drawn; where it cannot go, they hardly meet
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	name := dir
	if b.temp != "" {
		name = b.temp
		cmd.ExtraFiles = make([]*os.File, tempFD-2)
		cmd.ExtraFiles[tempFD-3] = f
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+name)
	return f, nil
}
