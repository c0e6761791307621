package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// State returns the folder under which all environments of this user keep their
// state: $ASSAY_STATE_DIR, else $XDG_STATE_HOME/assay, else ~/.local/state/assay.
func State() (string, error) {
	if dir := os.Getenv("ASSAY_STATE_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	// The XDG specification says to ignore a relative path.
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "assay"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the state directory (set ASSAY_STATE_DIR to choose one): %w", err)
	}
	return filepath.Join(home, ".local", "state", "assay"), nil
}

// Dir returns the folder of environment id under the state directory.
func Dir(state, id string) string { return filepath.Join(state, "envs", id) }

// Dirs returns the folders of all environments under the state directory,
// running or not, sorted. No state directory means none.
func Dirs(state string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(state, "envs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	var dirs []string
	for _, entry := range entries {
		if entry.IsDir() {
			dirs = append(dirs, Dir(state, entry.Name()))
		}
	}
	return dirs, nil
}

// Free returns the folders of environments under the state directory whose lock
// is free because the owner is dead, sorted.
func Free(state string) ([]string, error) {
	dirs, err := Dirs(state)
	if err != nil {
		return nil, err
	}
	var free []string
	var errs error
	for _, dir := range dirs {
		held, err := Held(dir)
		if errs = errors.Join(errs, err); err == nil && !held {
			free = append(free, dir)
		}
	}
	return free, errs
}
