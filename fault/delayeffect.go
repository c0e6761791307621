package fault

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/assay-dev/assay/system"
)

// usual is what a chunk may stay in a link without any fault, on a busy machine.
const usual = 10 * time.Millisecond

// lookDelay calls a delay seen when more than half of the chunks since the
// inject stayed in the link for most of it, 0.8 of the delay.
//
// Residence is counted in buckets that double, so the nearest that can be asked
// is the bucket which 0.8 of the delay falls into: at worst, 0.4 of the delay.
// The text says that number and not the wish. Where chunks stayed as long before the inject
// the buckets cannot tell the fault from the system, and it is not seen.
//
// A delay with a trigger leaves chunks alone by its own choice. It is seen where some were late, and at least twice as many as before.
func (s sight) delay(effect *Effect) {
	from := bucket(s.fault.rule.Delay * 4 / 5)
	grown := s.sinceArmed
	chunks, late := countFrom(grown.Residence, from)
	effect.Measured = amounts("chunks", chunks, "late", late, "late_from_us", bucketFloor(from).Microseconds(), "bytes_in", grown.BytesIn)
	chunksBefore, lateBefore := countFrom(s.before.Residence, from)
	// What rules held up before is no habit of the link, if a rule held up now what came late now.
	if 2*grown.Bent > late {
		held := min(s.before.Bent, lateBefore)
		chunksBefore, lateBefore = chunksBefore-held, lateBefore-held
	}
	seen := fmt.Sprintf("%d of %d chunks stayed %s or longer in %s", late, chunks, bucketFloor(from), effect.Target)
	enough := 2*late > chunks
	asBefore := 2*lateBefore > chunksBefore
	if s.fault.triggered() {
		enough = late > 0
		asBefore = late*chunksBefore < 2*lateBefore*chunks
	}
	switch {
	case chunks == 0 && grown.BytesIn > 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("%d bytes went into %s since the inject, none came out yet", grown.BytesIn, effect.Target)
	case chunks == 0:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes passed on %s since the inject", effect.Target)
	case !enough:
		effect.Idle, effect.Text = s.spared(), "only "+seen
	case s.rule.Hit == 0:
		effect.Idle, effect.Text = s.spared(), seen+", but none for this fault"
	case chunksBefore == 0 && bucketFloor(from) < usual:
		effect.Text = seen + ", which may be usual: nothing passed before the inject to compare with"
	case asBefore:
		effect.Text = fmt.Sprintf("%s, but so did %d of %d before the inject", seen, lateBefore, chunksBefore)
	default:
		effect.Observed, effect.Text = true, seen
	}
}

// bucket returns the bucket of LinkStats.Residence that d falls into.
func bucket(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 1))
	return min(bits.Len64(us)-1, system.ResidenceBuckets-1)
}

// bucketFloor returns the shortest time that bucket i stands for. Bucket 0 reaches down to zero.
func bucketFloor(i int) time.Duration {
	if i == 0 {
		return 0
	}
	return time.Duration(1<<i) * time.Microsecond
}

// countFrom returns all chunks, and those in the buckets from i on.
func countFrom(residence [system.ResidenceBuckets]int64, i int) (all, late int64) {
	for j, n := range residence {
		all += n
		if j >= i {
			late += n
		}
	}
	return all, late
}
