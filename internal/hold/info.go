package hold

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/ledger"
)

// infoName is the file in an environment's folder that says what runs there.
const infoName = "env.json"

// An Info names a running environment.
type Info struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`             // of environment: "plain"
	System  string    `json:"system"`           // its name
	Socket  string    `json:"socket,omitempty"` // "" while it starts
	Dir     string    `json:"dir"`
	LogDir  string    `json:"log_dir,omitempty"`
	PID     int       `json:"pid"` // of the holder
	Started time.Time `json:"started"`
	Version int       `json:"version"` // of the protocol
}

// write puts the info into the environment's folder, whole or not at all.
func (i Info) write() error {
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	path := filepath.Join(i.Dir, infoName)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func readInfo(dir string) (Info, error) {
	var i Info
	text, err := os.ReadFile(filepath.Join(dir, infoName))
	if err == nil {
		err = json.Unmarshal(text, &i)
	}
	return i, err
}

// Environments returns the environments of this user whose holder lives, those
// that are still starting too, the oldest first.
func Environments() ([]Info, error) {
	state, err := ledger.State()
	if err != nil {
		return nil, err
	}
	return EnvironmentsIn(state)
}

// EnvironmentsIn is Environments for another state directory.
func EnvironmentsIn(state string) ([]Info, error) {
	dirs, err := ledger.Dirs(state)
	if err != nil {
		return nil, err
	}
	var running []Info
	for _, dir := range dirs {
		held, err := ledger.Held(dir)
		if err != nil {
			return nil, fmt.Errorf("list environments: %w", err)
		}
		// No info means that it is just being made, or is gone since we looked.
		if info, err := readInfo(dir); held && err == nil {
			running = append(running, info)
		}
	}
	slices.SortFunc(running, func(a, b Info) int { return a.Started.Compare(b.Started) })
	return running, nil
}
