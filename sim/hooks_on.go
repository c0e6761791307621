//go:build assaysim

package sim

import (
	_ "net" // the functions below are in the overlay's runtime, net, os, syscall and testing
	_ "os"
	_ "syscall"
	"testing"
	_ "unsafe" // as their own packages name them
)

// built says whether this program was built with the overlay.
const built = true

func rtEnabled() bool
func rtConfigure(c *config)
func rtLast(r *result)
func rtFold(v uint64)
func rtSetHost(h uint32) uint32
func rtHost() uint32
func rtClock(host uint32, ahead, ppm int64)
func rtCrash(host uint32) int
func rtChoose(n uint32) uint32
func rtDisk(n uint32, key uint64) (choice uint32, index uint64)
func rtPin(by int32)
func rtElapsed() int64
func rtWaits(w *waiter) bool
func rtReserve(n int)
func rtRecord(i int, d *decision)
func rtDying(f func())
func rtLoad(path string, max int) int
func rtTemp(dir string)
func rtWrote(i int, pcs *[32]uintptr) string
func rtReach(addr, size uintptr, statics, objects, table []uintptr) (sum uint64, all bool)

func testFailed(t *testing.T) []uintptr
func testHelpers(t *testing.T) []string

func osFind(find func(name string) any)
func osHostname(name func() string)
func syscallHook(f func(trap, a1, a2, a3, a4, a5, a6 uintptr) (r, errno uintptr, done bool))

func netHost(id, ip uint32, name string)
func netCrash(id uint32)
func netLink(a, b uint32, l *netLinkSpec)
func netCut(a, b uint32, cut bool)
func netEnd()
func netCount(a, b uint32, into *counts)
