//go:build !linux

package plain

import (
	"errors"
	"net/netip"
	"runtime"
	"syscall"

	"github.com/assay-dev/assay/system"
)

// errSystem is why nothing here works: macOS has one address on loopback until
// each other is configured by root, and no /proc to find processes and sockets in.
var errSystem = errors.New("the environment plain needs Linux for its addresses and processes; " + runtime.GOOS + " is not supported yet")

type signal = syscall.Signal

const (
	sigKill = syscall.SIGKILL
	sigStop = syscall.Signal(17)
	sigCont = syscall.Signal(19)
)

type listener struct {
	Addr  netip.AddrPort
	Inode uint64
}

type pidTable struct{}

type sampler struct{}

func newSampler(*Env) *sampler                     { return nil }
func (s *sampler) look() (map[string]usage, error) { return nil, errSystem }

func prepareHost() error                                    { return errSystem }
func procAttr() *syscall.SysProcAttr                        { return nil }
func (p *process) signalGroup(signal) error                 { return errSystem }
func killGroup(int) error                                   { return errSystem }
func parseSignal(string) (signal, error)                    { return 0, errSystem }
func scan(string, string, map[int]string) ([]Marked, error) { return nil, errSystem }
func setNotRoot(*syscall.SysProcAttr)                       {}

// RemoveShared does nothing here.
func RemoveShared(string) error              { return nil }
func procID(int) (system.ProcID, error)      { return system.ProcID{}, errSystem }
func signalProc(system.ProcID, signal) error { return errSystem }
func listeners() ([]listener, error)         { return nil, errSystem }
func socketsOf(int) map[uint64]bool          { return nil }
func limitsOf(int) map[string]string         { return nil }
func (e *Env) reapOrphans()                  {}
func (e *Env) instanceOf(int) string         { return "" }
func ordinaryPriority()                      {}
func lowPriority()                           {}
