//go:build !linux

package link

import "errors"

var errGate = errors.New("closing a front's gate is not supported on this system")

// isAborted is not known on this system: the next write tells.
func isAborted(uintptr) bool { return false }

func (f *front) silence() error              { return errGate }
func (f *front) refuseDials() error          { return errGate }
func (f *front) listenAgain() error          { return nil }
func (f *front) kernelDrops() (uint32, bool) { return 0, false }
