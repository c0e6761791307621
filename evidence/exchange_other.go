//go:build !linux

package evidence

import "errors"

// exchange says that there is no such thing here.
func exchange(_, _ string) error { return errors.ErrUnsupported }
