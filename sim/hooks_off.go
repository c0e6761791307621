//go:build !assaysim

package sim

import "testing"

// built says whether this program was built with the overlay.
const built = false

func rtEnabled() bool                        { return false }
func rtConfigure(*config)                    {}
func rtLast(*result)                         {}
func rtFold(uint64)                          {}
func rtSetHost(uint32) uint32                { return 0 }
func rtClock(uint32, int64, int64)           {}
func rtCrash(uint32) int                     { return 0 }
func rtChoose(uint32) uint32                 { return 0 }
func rtDisk(uint32, uint64) (uint32, uint64) { return 0, 0 }
func rtPin(int32)                            {}
func rtElapsed() int64                       { return 0 }
func rtWaits(*waiter) bool                   { return false }
func rtReserve(int)                          {}
func rtRecord(int, *decision)                {}
func rtDying(func())                         {}
func rtLoad(path string, max int) int        { return -1 }

func rtTemp(dir string)                                                            {}
func rtWrote(i int, pcs *[32]uintptr) string                                       { return "" }
func rtReach(addr, size uintptr, statics, objects, table []uintptr) (uint64, bool) { return 0, false }

func rtHost() uint32 { return 0 }

func testFailed(*testing.T) []uintptr { return nil }
func testHelpers(*testing.T) []string { return nil }

func osFind(func(name string) any) {}
func osHostname(func() string)     {}
func syscallHook(func(trap, a1, a2, a3, a4, a5, a6 uintptr) (r, errno uintptr, done bool)) {
}

func netHost(id, ip uint32, name string)  {}
func netCrash(uint32)                     {}
func netLink(a, b uint32, l *netLinkSpec) {}
func netCut(a, b uint32, cut bool)        {}
func netEnd()                             {}
func netCount(a, b uint32, into *counts)  {}
