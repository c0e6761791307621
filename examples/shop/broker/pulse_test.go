package broker

import (
	"testing"
	"time"
)

func TestPulseLeavesASilentServer(t *testing.T) {
	t.Parallel()
	type beat struct {
		at       time.Duration
		answered bool
		leave    bool
	}
	for name, beats := range map[string][]beat{
		"answers":                        {{time.Second, true, false}, {2 * time.Second, true, false}},
		"silent for a while":             {{time.Second, false, false}, {1400 * time.Millisecond, false, false}},
		"silent for long":                {{time.Second, false, false}, {1600 * time.Millisecond, false, true}},
		"the next server gets its time":  {{1600 * time.Millisecond, false, true}, {3 * time.Second, false, false}, {3200 * time.Millisecond, false, true}},
		"one failure after a long quiet": {{time.Minute, false, false}, {61 * time.Second, false, false}, {62 * time.Second, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Unix(0, 0)
			p := newPulse(start)
			for _, b := range beats {
				if got := p.beat(start.Add(b.at), b.answered); got != b.leave {
					t.Errorf("at %v, answered %v: leave %v, want %v", b.at, b.answered, got, b.leave)
				}
			}
		})
	}
}
