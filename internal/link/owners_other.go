//go:build !linux

package link

import (
	"errors"
	"net/netip"
)

var errOwners = errors.New("finding the owner of a socket is not supported on this system")

// Owner is not supported on this system: every dialler is unknown.
func (o *Owners) Owner(local, remote netip.AddrPort) (string, bool) { return "", false }

// Leaks is not supported on this system.
func (o *Owners) Leaks() ([]Leak, error) { return nil, errOwners }
