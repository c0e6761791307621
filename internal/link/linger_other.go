//go:build !linux

package link

import "os"

// isTaken cannot be known here: the other end has until lingerLimit.
func isTaken(*os.File) bool { return false }
