package sim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Swarm says what may go wrong, where, and for how long. The zero value works.
type Swarm struct {
	Kinds []string      // which of [Kinds]; nil is all
	Hosts []*Host       // where; nil is all there are
	For   time.Duration // how long; 0 is 10 s
	Every time.Duration // about how long from one fault to the next; 0 is a tenth of For
	Down  int           // how many hosts may be down or cut off at a time; 0 is less than half of them, or one
}

// Kinds are the kinds of faults that a swarm draws from:
//
//	crash      a host crashes, and starts again
//	partition  some hosts cannot reach the others, in both directions or in one
//	delay      a link takes 20 to 500 ms longer
//	loss       a link loses 2 to 50 % of what is sent
//	reorder    of a link's datagrams, 10 to 50 % are overtaken by others
//	duplicate  of a link's datagrams, 10 to 50 % arrive twice
//	clock      a host's wall clock jumps by up to ten minutes
//	disk       a host's disk fails, is full or slow; of hosts that have used theirs
func Kinds() []string {
	var all []string
	for _, k := range kindsOfFaults() {
		all = append(all, k.name)
	}
	return all
}

// Swarm lets things go wrong for a while, and returns when all that it broke is whole again. Each seed draws which kinds of faults
// it has, and how often each of them strikes. Half of the kinds are left out: a fault that always comes together
// with others, which end what it needs, never shows its own bugs.
//
// What is drawn is told with a failure. Each draw is a decision, 0 where nothing happens: a failure is made small by leaving out faults.
func (s *Sim) Swarm(o Swarm) {
	s.needs("Sim.Swarm")
	w := newSwarm(s, o)
	w.draw()
	for end := s.Now() + w.For; s.Now() < end; {
		pause := w.Every/2 + w.Every*time.Duration(s.Choose(8))/8
		time.Sleep(min(pause, end-s.Now()))
		if left := end - s.Now(); left > 0 {
			w.strike(left)
		}
	}
	w.healing.Wait()
}

// swarm is one at work. Nothing but its goroutine touches it, save for hurt.
type swarm struct {
	Swarm
	s       *Sim
	drawn   []drawn
	total   int
	healing sync.WaitGroup
	hurt    map[*Host]bool // down or cut off; guarded by Sim.pinned
}

type drawn struct {
	kindOfFault
	weight int
}

func newSwarm(s *Sim, o Swarm) *swarm {
	w := &swarm{Swarm: o, s: s, hurt: map[*Host]bool{}}
	if w.Kinds == nil {
		w.Kinds = Kinds()
	}
	if w.Hosts == nil {
		w.Hosts = s.hosts()
	}
	if w.For <= 0 {
		w.For = 10 * time.Second
	}
	if w.Every <= 0 {
		w.Every = w.For / 10
	}
	if w.Down <= 0 {
		w.Down = max(1, (len(w.Hosts)-1)/2)
	}
	for _, name := range w.Kinds {
		if !slices.Contains(Kinds(), name) {
			panic(fmt.Sprintf("sim: no kind of fault is called %q: there are %s", name, strings.Join(Kinds(), ", ")))
		}
	}
	return w
}

// draw decides which kinds of faults this seed has.
func (w *swarm) draw() {
	var words []string
	for _, k := range kindsOfFaults() {
		if !slices.Contains(w.Kinds, k.name) {
			continue
		}
		if often := w.s.Choose(6) - 2; often > 0 { // 0 in half of the seeds
			w.drawn = append(w.drawn, drawn{k, often * often})
			w.total += often * often
			words = append(words, k.name+[]string{"", " rarely", "", " often"}[often])
		}
	}
	text := "none"
	if len(words) > 0 {
		text = strings.Join(words, ", ")
	}
	w.s.Event("faults of this seed: %s", text)
	w.s.pinned(func() { w.s.swarm = text })
}

// strike lets one thing go wrong, or nothing, and heals it later.
func (w *swarm) strike(left time.Duration) {
	n := w.s.Choose(w.total + 1)
	if n == 0 {
		return
	}
	i := 0
	for n > w.drawn[i].weight {
		n -= w.drawn[i].weight
		i++
	}
	what, heal := w.drawn[i].strike(w)
	if heal == nil {
		return // there is nothing of the kind
	}
	if what != "" {
		w.s.Event("%s", what)
	}
	lasts := min(w.lasts(), left)
	w.healing.Go(func() {
		time.Sleep(lasts)
		heal()
		if what != "" {
			w.s.Event("heal: %s", what)
		}
	})
}

// lasts is how long a fault does.
func (w *swarm) lasts() time.Duration { return w.Every * time.Duration(1+w.s.Choose(4)) }
