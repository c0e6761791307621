package retry_test

import (
	"testing"

	"github.com/assay-dev/assay/examples/shop/retry"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		earn, most float64
		requests   int
		wishes     int // for retries after each request
		want       int // of them granted
	}{
		{"few fail: as many as are wished", 1, 10, 100, 1, 100},
		{"all fail: what was saved, and one a request", 1, 10, 100, 3, 10 - 1 + 100},
		{"half a retry a request", 0.5, 10, 100, 3, 10 - 1 + 50},
		{"nothing earned", 0, 10, 100, 3, 10},
		{"the zero value", 0, 0, 100, 3, 0},
	} {
		b := retry.NewBudget(c.earn, c.most)
		got := 0
		for range c.requests {
			b.Request()
			for range c.wishes {
				if b.Retry() {
					got++
				}
			}
		}
		if diff := got - c.want; diff < 0 || diff > 1 {
			t.Errorf("%s: %d retries, want %d", c.name, got, c.want)
		}
	}
}
