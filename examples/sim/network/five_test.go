package network

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// Five nodes with raft's own times for two minutes: a partition every five seconds, ten writes a second. bench/sim measures how fast it runs.
func TestRaftFive(t *testing.T) { five(t, true) }

// The same with times that are five times shorter: more messages a second.
func TestRaftFiveQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("longer than the others")
	}
	five(t, false)
}

func five(t *testing.T, defaults bool) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: 2 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.001})
		c := newCluster(t, s, defaults, "n1", "n2", "n3", "n4", "n5")
		var acknowledged []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			acknowledged = c.write(400)
		}()
		for s.Now() < 2*time.Minute {
			time.Sleep(4 * time.Second)
			var side, other []*sim.Host
			for _, n := range c.nodes {
				if s.Choose(2) == 0 {
					side = append(side, n.host)
				} else {
					other = append(other, n.host)
				}
			}
			s.Partition(side, other)
			time.Sleep(time.Second)
			s.Heal()
		}
		<-done
		c.judge(acknowledged)
	})
}
