package event

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/contract"
)

// The same seed says the same, from many goroutines at once.
func TestDeterministic(t *testing.T) {
	edited := strings.NewReplacer("minimum: 1", "minimum: 2", "topic: orders,", "topic: other, colour: red,", "[eu, us]", "[eu]").Replace(shop)
	states := strings.Replace(billed, `"OPEN", `, `"OPEN", "LATE", `, 1)
	texts := make([]string, 8)
	var all sync.WaitGroup
	for i := range texts {
		all.Go(func() {
			diff, err := Diff(t.Context(), asyncSource("old", shop, billed), asyncSource("new", edited, states), contract.Options{Seed: 7, Documents: 20})
			if err != nil {
				t.Error(err)
				return
			}
			data, err := json.Marshal(diff)
			if err != nil {
				t.Error(err)
			}
			texts[i] = string(data)
		})
	}
	all.Wait()
	for _, text := range texts {
		if text != texts[0] || text == "" {
			t.Fatalf("two comparisons differ:\n%s\n%s", text, texts[0])
		}
	}
}
