package evidence

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncTree makes everything below dir durable with one call, however many files there are.
func syncTree(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Syncfs(int(file.Fd())); err != nil {
		return &os.PathError{Op: "syncfs", Path: dir, Err: err}
	}
	return nil
}
