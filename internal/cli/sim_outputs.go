package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/simrun"
)

// checkOutputs tries whether what a search is to write can be written: it may take an hour, and what it found would be lost.
func checkOutputs(o simrun.Options) error {
	if o.HTML != "" {
		if info, err := os.Stat(o.HTML); err == nil && info.IsDir() {
			return &run.UsageError{Msg: fmt.Sprintf("--html: %s is a folder: name a file", o.HTML)}
		}
		if err := canWrite(filepath.Dir(o.HTML)); err != nil {
			return &run.UsageError{Msg: "--html: the picture cannot be written: " + err.Error()}
		}
	}
	if o.Events != "" {
		dir, err := nearestFolder(o.Events)
		if err == nil {
			err = canWrite(dir)
		}
		if err != nil {
			return &run.UsageError{Msg: "--events: the events cannot be written: " + err.Error()}
		}
	}
	return nil
}

// nearestFolder is a folder, or the one above it that is there, in which it can be made.
func nearestFolder(path string) (string, error) {
	for {
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			return "", fmt.Errorf("%s is no folder", path)
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path):
			return "", err
		}
		path = filepath.Dir(path)
	}
}

// canWrite makes a file in a folder, and takes it away again.
func canWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".assay-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
