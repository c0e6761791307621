package report

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	var h, a, b histogram
	var all []time.Duration
	for i := range 20000 {
		d := time.Duration(math.Exp(random.Float64()*20) * float64(time.Microsecond)) // 1 µs to 8 min
		all = append(all, d)
		h.add(d)
		if i%3 == 0 {
			a.add(d)
		} else {
			b.add(d)
		}
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
		exact := all[max(int(math.Ceil(q*float64(len(all)))), 1)-1]
		got := h.quantile(q)
		if off := math.Abs(float64(got-exact)) / float64(exact); off > 0.016 && got-exact > time.Microsecond {
			t.Errorf("quantile %v: got %v, exactly %v: off by %.2f %%", q, got, exact, 100*off)
		}
	}
	b.merge(&a)
	if b.total != h.total || b.quantile(0.7) != h.quantile(0.7) {
		t.Errorf("merged: %d and %v, want %d and %v", b.total, b.quantile(0.7), h.total, h.quantile(0.7))
	}
	if got := (&histogram{}).quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for cell := range 900 {
		if got := cellOf(valueOf(cell)); got != cell {
			t.Fatalf("the middle of cell %d is in cell %d", cell, got)
		}
	}
}

// Slots that were counted apart and merged are those that were counted together, in whatever order.
func TestSlots(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 2))
	for _, length := range []time.Duration{time.Second, 29 * time.Second, 31 * time.Second, 10 * time.Minute, 40 * time.Hour} {
		var whole slots
		parts := make([]slots, 3)
		for range 3000 {
			t := time.Duration(random.Int64N(int64(length)))
			whole.at(t).ok++
			parts[random.IntN(3)].at(t).ok++
		}
		var merged slots
		for _, i := range []int{2, 0, 1} {
			merged.merge(&parts[i])
		}
		if !reflect.DeepEqual(counts(merged), counts(whole)) || merged.width != whole.width {
			t.Errorf("%v: %d stretches of %v, want %d of %v", length, len(merged.list), merged.width, len(whole.list), whole.width)
		}
		if len(whole.list) > mostPoints {
			t.Errorf("%v: %d points", length, len(whole.list))
		}
		points := whole.points(100)
		var total int64
		for _, p := range points {
			total += p.Count()
		}
		if total != 3000 || len(points) > 100 {
			t.Errorf("%v: %d operations in %d points", length, total, len(points))
		}
	}
}

func counts(s slots) []int64 {
	var list []int64
	for i := range s.list {
		list = append(list, s.list[i].ok)
	}
	return list
}
