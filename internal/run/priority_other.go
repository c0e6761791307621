//go:build !linux

package run

// prefer does nothing where priorities are of processes: it would raise the services, too.
func prefer() {}
