//go:build !linux

package holdtest

import "testing"

// A scene is empty: elsewhere than on Linux nothing can be found by a mark.
type scene struct{ processes, portsMost int }

func watch(t testing.TB, _ string) *scene {
	t.Skip("processes cannot be found by their mark on this system")
	return nil
}

func (*scene) unwatch()                 {}
func (*scene) killHolders() int         { return 0 }
func (*scene) waitUntilClean() []string { return nil }
func (*scene) waitForHolders()          {}

// Leftovers is not supported on this system and says so.
func Leftovers(state, id string) []string {
	return []string{"left-overs cannot be looked for on this system"}
}
