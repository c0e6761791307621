// Package hold runs an environment in a process of its own, the holder, so that
// nothing of it outlives the controller that asked for it.
//
//	func main() {
//		hold.Main() // this process may have been started as a holder
//		env, err := hold.Start(ctx, sys, hold.Options{})
//		...
//		err = env.Close(context.WithoutCancel(ctx))
//	}
//
// Three processes can die, at any moment, and nothing may stay:
//
//   - The controller. The holder inherited one end of a socket pair from it; the end of file, or
//     two seconds without a ping, makes the holder heal every fault, tear down and exit.
//   - The holder. The kernel kills its children by their parent-death signal; the controller sees the end of file
//     and sweeps what is left: processes by their mark, files by the ledger.
//   - Both. The next [Recover], in any directory, finds the ledger's lock free and sweeps. Every Start recovers first.
//
// The holder is there before anything else is: it makes the folder, takes the lock,
// writes the ledger, and runs the build too. So there is no moment at which something exists and nobody holds it.
package hold

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

// holderVar is set in the environment of a process that was started as a holder.
const holderVar = "ASSAY_HOLDER"

// Main runs the holder when this process was started as one, and never returns
// then; else it returns at once. Programs and test binaries that start
// environments call it first thing in main or TestMain.
func Main() { mainWith(kinds()) }

func mainWith(kinds map[string]kind) {
	if os.Getenv(holderVar) == "" {
		return
	}
	// A service may itself be a program that calls Main.
	os.Unsetenv(holderVar)
	os.Exit(runHolder(kinds))
}

// Options of a start. The zero value works.
type Options struct {
	ID       string        // of the environment, unique for the user; default: the system's name and a random number
	StateDir string        // default: ledger.State
	LogDir   string        // where instances' output goes; default: the environment's folder, which goes with it
	Progress func(string)  // called with one line for each step of the start; nil is none
	Lease    time.Duration // silence of this process after which the holder tears down; default 2s
}

// filled returns the options with defaults in place and folders absolute, as
// the holder works in another directory.
func (o Options) filled(sys system.System) (Options, error) {
	var err error
	if o.StateDir == "" {
		o.StateDir, err = ledger.State()
	} else {
		o.StateDir, err = filepath.Abs(o.StateDir)
	}
	if err == nil && o.LogDir != "" {
		o.LogDir, err = filepath.Abs(o.LogDir)
	}
	if o.ID == "" {
		o.ID = newID(sys.Name)
	}
	if err == nil && !idForm.MatchString(o.ID) {
		err = fmt.Errorf("environment id %q: want letters, digits, dots, - and _, at most 64", o.ID)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	return o, err
}

// An id names a folder and is part of a mark.
var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func newID(name string) string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	prefix := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, name)
	return strings.TrimPrefix(fmt.Sprintf("%.20s-%s", prefix, hex.EncodeToString(b[:])), "-")
}

// Start starts a holder, builds the system and starts it in the holder, and
// returns the environment as its owner: it lives until Close, or until this
// process dies or is silent for longer than the lease. On an error nothing is left.
func Start(ctx context.Context, sys system.System, opts Options) (*Env, error) {
	return start(ctx, "plain", sys, opts)
}

func start(ctx context.Context, kind string, sys system.System, opts Options) (*Env, error) {
	if os.Getenv(holderVar) != "" {
		return nil, fmt.Errorf("start environment: this program was started as a holder and did not call hold.Main first thing in main")
	}
	opts, err := opts.filled(sys)
	if err != nil {
		return nil, fmt.Errorf("start environment: %w", err)
	}
	recoverFirst(ctx, opts)
	env, err := spawn(ctx, kind, sys, opts)
	if err != nil {
		return nil, fmt.Errorf("start environment %s: %w", opts.ID, err)
	}
	return env, nil
}

// recoverFirst clears what dead holders left. That something cannot be cleared is told, and no reason not to start.
func recoverFirst(ctx context.Context, opts Options) {
	report, err := RecoverIn(ctx, opts.StateDir)
	for _, line := range report.Lines() {
		opts.Progress(line)
	}
	if err != nil {
		opts.Progress("recover: " + err.Error())
	}
}
