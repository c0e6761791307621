package disk_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/assay-dev/assay/sim/disk"
)

// A file is saved as many programs do it: written anew, then renamed. Nothing was synced, so a crash may leave a name
// without its bytes.
func Example() {
	d := disk.New(disk.Options{})
	d.WriteFile("settings", []byte("old"), 0o644)
	f, _ := d.Open("settings")
	f.Sync()
	d.SyncDir("/")

	d.WriteFile("settings.tmp", []byte("new"), 0o644)
	d.Rename("settings.tmp", "settings")

	states, all := d.States(100)
	fmt.Println("all states:", all)
	seen := map[string]bool{}
	for _, s := range states {
		b, _ := s.ReadFile("settings")
		seen[string(b)] = true
	}
	fmt.Printf("%q\n", slices.Sorted(maps.Keys(seen)))

	decide := rand.New(rand.NewPCG(1, 9)) // one seed, one crash
	for _, loss := range d.Crash(decide.IntN) {
		fmt.Println(loss)
	}
	// Output:
	// all states: true
	// ["" "\x00\x00\x00" "new" "old"]
	// .: create settings.tmp was lost
	// settings: 0 bytes long, was 3
}
