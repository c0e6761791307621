package simrun

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/assay-dev/assay/sim"
)

// In a plain schedule who was preempted waits behind all others, so that to go from one goroutine to a certain other one takes a
// preemption of each in between; and to leave one of these out sends the rest elsewhere. A directed preemption says who
// runs then. It takes two decisions where the other is not next by itself, and others can be left out around it.

// directedMost is how many units are tried with other ends.
const directedMost = 60

// directed leaves out what it can of directed preemptions. What it finds is kept where it is smaller as recorded.
func (s *shrinker) directed(ctx context.Context) error {
	if !s.named {
		return nil
	}
	s.loose = true
	defer func() { s.loose = false }()
	units := direct(s.best.decisions)
	for before := -1; before != len(units) && s.time(); {
		before = len(units)
		var err error
		if units, err = s.reduce(ctx, units); err != nil {
			return err
		}
		if units, err = s.retarget(ctx, units); err != nil {
			return err
		}
		if units, err = s.sample(ctx, units); err != nil {
			return err
		}
	}
	return nil
}

// direct makes units of decisions: a preemption with the pick after it, another by itself.
func direct(all []sim.Decision) (units [][]sim.Decision) {
	for i := 0; i < len(all); i++ {
		unit := []sim.Decision{all[i]}
		if d := all[i]; d.Kind == "yield" && d.OtherName != 0 {
			pick := sim.Decision{Kind: "pick", Key: key(d.Target, d.Ops) + 1, Target: d.OtherName, AtNS: d.AtNS}
			if i+1 < len(all) && all[i+1].Kind == "pick" && all[i+1].Key == pick.Key {
				i++
			}
			unit = append(unit, pick)
		}
		units = append(units, unit)
	}
	return units
}

// key is the name of a decision, as the runtime makes it: of a goroutine's name and what it has done.
func key(name uint64, ops uint32) uint64 {
	z := name ^ uint64(ops)*0x9fb21c651e98df25
	z += 0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// reduce leaves out units in ever smaller pieces.
func (s *shrinker) reduce(ctx context.Context, units [][]sim.Decision) ([][]sim.Decision, error) {
	for size := (len(units) + 1) / 2; size > 0 && s.time(); size /= 2 {
		for from := 0; s.time(); {
			n := (len(units)+size-1)/size - from
			without := func(i int) [][]sim.Decision {
				end := len(units) - (from+i)*size
				return slices.Delete(slices.Clone(units), max(end-size, 0), end)
			}
			i, err := s.first(ctx, n, func(i int) []sim.Decision { return slices.Concat(without(i)...) })
			if err != nil {
				return units, err
			}
			if i >= n {
				break
			}
			units, from = without(i), from+i
		}
	}
	return units, nil
}

// retarget lets a preemption go at once to where a later one goes, and leaves out those in between.
func (s *shrinker) retarget(ctx context.Context, units [][]sim.Decision) ([][]sim.Decision, error) {
	for s.time() && len(units) <= directedMost {
		var all [][][]sim.Decision
		for span := min(8, len(units)-1); span > 0; span-- {
			for i := 0; i+span < len(units); i++ {
				a, b := units[i], units[i+span]
				if len(a) != 2 || len(b) != 2 || a[1].Target == b[1].Target {
					continue
				}
				pick := a[1]
				pick.Target = b[1].Target
				shorter := slices.Clone(units[:i])
				shorter = append(shorter, []sim.Decision{a[0], pick})
				all = append(all, append(shorter, units[i+span+1:]...))
			}
		}
		i, err := s.first(ctx, len(all), func(i int) []sim.Decision { return slices.Concat(all[i]...) })
		if err != nil || i == len(all) {
			return units, err
		}
		units = all[i]
	}
	return units, nil
}

// sample leaves out some units at random: what hangs together need not lie together.
func (s *shrinker) sample(ctx context.Context, units [][]sim.Decision) ([][]sim.Decision, error) {
	const tries = 200
	rnd := rand.New(rand.NewPCG(uint64(len(units)), 1)) // the same each time
	for s.time() && len(units) > 4 && len(units) <= directedMost {
		var all [][][]sim.Decision
		for i := range tries {
			keep := 0.2 + 0.7*float64(i)/tries
			all = append(all, slices.DeleteFunc(slices.Clone(units), func([]sim.Decision) bool { return rnd.Float64() > keep }))
		}
		i, err := s.first(ctx, len(all), func(i int) []sim.Decision { return slices.Concat(all[i]...) })
		if err != nil || i == len(all) || len(all[i]) == len(units) {
			return units, err
		}
		units = all[i]
	}
	return units, nil
}
