package hold

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/internal/ledger"
)

// maxSocketPath is what fits sockaddr_un everywhere: 108 bytes on Linux, 104 on macOS.
const maxSocketPath = 100

// listen opens the environment's socket. Where its folder's path is too long for one, the
// socket gets a folder of its own under the temporary directory; either is written to the ledger first.
func listen(log *ledger.Log, id string) (net.Listener, error) {
	path := filepath.Join(log.Dir(), "holder.sock")
	if len(path) > maxSocketPath {
		dir := filepath.Join(os.TempDir(), "assay-"+id)
		seq, err := log.Intend("dir", pathArgs{Path: dir})
		if err != nil {
			return nil, err
		}
		// Not MkdirAll: a folder that someone else made there is not ours to use, nor to remove.
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("folder for the socket: %w", err), log.Done(seq))
		}
		path = filepath.Join(dir, "s")
	}
	if _, err := log.Intend("socket", pathArgs{Path: path}); err != nil {
		return nil, err
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the holder's socket: %w", err)
	}
	return socket, nil
}
