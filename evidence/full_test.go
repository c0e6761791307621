package evidence

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// The environment variable that makes this test binary fill a small disk.
const constrained = "ASSAY_TEST_EVIDENCE_FULL"

// fillDisk seals one run, writes another until the disk is full, and returns
// what went wrong, or "ok".
func fillDisk(dir string) string {
	store, err := OpenStore(dir)
	if err != nil {
		return err.Error()
	}
	first, err := store.Create(Meta{Seed: 1})
	if err == nil {
		err = errors.Join(first.WriteFile("files/a", []byte("kept")), first.Seal(End{}))
	}
	if err != nil {
		return fmt.Sprint("before the disk was full: ", err)
	}
	second, err := store.Create(Meta{Seed: 2})
	if err != nil {
		return fmt.Sprint("before the disk was full: ", err)
	}
	return fillRun(store, first, second)
}

func fillRun(store *Store, first, second *Run) string {
	var err error
	for i := 0; err == nil; i++ {
		err = second.WriteFile(fmt.Sprintf("files/%d", i), []byte(strings.Repeat("x", 8<<10)))
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "write files/") {
		return fmt.Sprint("the error of a full disk: ", err)
	}
	err = nil
	for i := 0; err == nil; i++ { // the last page too, so that not even a seal fits
		err = second.WriteFile(fmt.Sprintf("files/small-%d", i), []byte("x"))
	}
	if err := second.Seal(End{}); err == nil {
		return "a run was sealed on a full disk"
	}
	if err := first.Verify(); err != nil {
		return fmt.Sprint("earlier evidence: ", err)
	}
	return listed(store)
}

func listed(store *Store) string {
	list, err := store.List()
	if err != nil || len(list) != 2 || list[0].Status != CutShort || list[1].Status != Complete {
		return fmt.Sprintf("the list is %+v, %v", list, err)
	}
	return "ok"
}
