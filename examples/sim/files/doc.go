// Package files has simulations of unmodified programs that keep files through package os, on disks that crash.
package files
