package sim

import (
	"fmt"
	"time"
)

// maxDrift is in millionths: clocks that run at half the speed, or at one and a half times, are the worst there are.
const maxDrift = 500_000

// A clock is a host's: it outlives crashes. Sim.pinned guards it.
type clock struct {
	ahead time.Duration // of the simulation, at since
	since time.Duration
	ppm   int
}

// at is how far it is ahead at an instant of the simulation.
func (c *clock) at(now time.Duration) time.Duration {
	d, ppm := now-c.since, time.Duration(c.ppm)
	return c.ahead + d/1e6*ppm + d%1e6*ppm/1e6
}

// set changes the clock from now on, and tells the runtime of the host's incarnation, if it is up.
func (c *clock) set(id uint32, now, ahead time.Duration, ppm int) {
	c.ahead, c.since, c.ppm = ahead, now, ppm
	if id != 0 {
		rtClock(id, int64(ahead), int64(ppm))
	}
}

// tell is set for an incarnation that begins.
func (c *clock) tell(id uint32, now time.Duration) { c.set(id, now, c.at(now), c.ppm) }

// Clock sets the host's wall clock ahead of the simulation's, or behind. Sleeps, timers and deadlines are not touched, and neither
// is what is between two times of the host: they have a monotonic reading, as ever.
func (h *Host) Clock(ahead time.Duration) {
	h.s.pinned(func() { h.clock.set(h.id.Load(), h.s.Now(), ahead, h.clock.ppm) })
}

// Drift lets the host's clock run fast by so many millionths from now on, or slow: what time.Now shows, and sleeps, timers, tickers and
// deadlines that the host sets from now on. 200 is a bad quartz; half and one and a half times the speed (±500,000) are the limits.
// A wait that this would move by less than half of a quantum stays as it is, since time is no finer.
func (h *Host) Drift(ppm int) {
	if ppm < -maxDrift || ppm > maxDrift {
		panic(fmt.Sprintf("sim: a clock's drift is between -%d and %d millionths, not %d", maxDrift, maxDrift, ppm))
	}
	h.s.pinned(func() { h.clock.set(h.id.Load(), h.s.Now(), h.clock.at(h.s.Now()), ppm) })
}
