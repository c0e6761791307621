package toxiproxy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/assay-dev/assay/internal/ledger"
)

// A Place is the folder of one group of proxies: what is kept of them, and the sockets of their holder while it runs.
type Place struct {
	ID  string `json:"id"`
	Dir string `json:"dir"`
}

// PlaceOf returns the place of an id under the user's state folder. It need not exist.
func PlaceOf(id string) (Place, error) {
	state, err := ledger.State()
	if err != nil {
		return Place{}, err
	}
	if id == "" || id != IDOf(id) {
		return Place{}, fmt.Errorf("id %q: want letters, digits, dots, - and _, at most 64", id)
	}
	return Place{ID: id, Dir: filepath.Join(state, "proxy", id)}, nil
}

// IDOf turns a text, such as the address of an API, into an id.
func IDOf(text string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, text)
	return strings.TrimLeft(id[:min(len(id), 64)], ".")
}

// Places returns all places of this user, with and without a holder, sorted by id.
func Places() ([]Place, error) {
	state, err := ledger.State()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(state, "proxy"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []Place
	for _, entry := range entries {
		if entry.IsDir() {
			all = append(all, Place{ID: entry.Name(), Dir: filepath.Join(state, "proxy", entry.Name())})
		}
	}
	return all, err
}

// Running says whether a holder lives there.
func (p Place) Running() (bool, error) { return ledger.Held(p.Dir) }

// Remove deletes what is kept, where no holder runs.
func (p Place) Remove() error {
	free, err := ledger.Lock(p.Dir)
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(p.Dir), free())
}

// maxSocketPath is what fits sockaddr_un everywhere: 108 bytes on Linux, 104 on macOS.
const maxSocketPath = 100

// The sockets of a holder: the API itself, and what only this program asks.
const (
	apiSocket     = "api.sock"
	controlSocket = "ctl.sock"
)

// sockets returns the folder of the sockets: the place's own, or where its path is too long for one, a
// private one in the folder of temporary files. It need not exist.
func (p Place) sockets() string {
	if len(filepath.Join(p.Dir, apiSocket)) <= maxSocketPath {
		return p.Dir
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("assay-proxy-%x", sha256.Sum256([]byte(p.Dir)))[:12+16])
}

// own says whether a folder of sockets is there and nobody else's.
func own(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Getuid() || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("%s is not a private folder of this user", dir)
	}
	return nil
}

// removeSockets takes away the sockets of a holder that ends, or that was killed before.
func removeSockets(dir string) error {
	for _, name := range []string{apiSocket, controlSocket} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if strings.HasPrefix(filepath.Base(dir), "assay-proxy-") {
		_ = os.Remove(dir)
	}
	return nil
}
