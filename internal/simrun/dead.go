package simrun

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// A test that takes its process with it, by a panic on a host or a deadlock, takes the tests that come after it, too. So the same seed is
// run again without it, as often as there are such tests.

// rest runs what a process did not come to with its last seed, once or twice to see whether both are the same.
func (x *explorer) rest(ctx context.Context, s start, p *process, twice bool) error {
	j := job{from: s.seed}
	s.count, s.step = 1, 0
	var dead []string
	for {
		name := p.dead(s.seed)
		if name == "" || slices.Contains(dead, exactly(name)) || x.stopped() {
			return nil
		}
		dead = append(dead, exactly(name))
		j.had = append(j.had, p.with(s.seed)...)
		s.skip = strings.Join(dead, "|")
		var err error
		if p, err = x.bin.run(ctx, s); err != nil {
			return err
		}
		x.take(p, j)
		if twice {
			second := s
			second.name = "b"
			q, err := x.bin.run(ctx, second)
			if err != nil {
				return err
			}
			x.twice(p, q)
		}
		if _, err := x.failures(ctx, p, j); err != nil {
			return err
		}
	}
}

// with are the tests of which a process says something with a seed.
func (p *process) with(seed uint64) (names []string) {
	for _, r := range p.all() {
		if r.Seed == seed {
			names = append(names, r.Test)
		}
	}
	return names
}

// dead is the test that ended a process before its time, "" where it came to its end, or nobody says which one it was.
func (p *process) dead(seed uint64) string {
	if !p.died() {
		return ""
	}
	if p.lost != nil {
		return p.lost.Test
	}
	for _, r := range slices.Backward(p.reports) { // when its simulation was over
		if r.Failed && r.Seed == seed {
			return r.Test
		}
	}
	if names := p.failedTests(); len(names) > 0 {
		return names[len(names)-1]
	}
	return ""
}

// died says whether a process ended before its time: a test binary's last word is FAIL or PASS.
func (p *process) died() bool {
	return p.failed && !regexp.MustCompile(`(?m)^(FAIL|PASS)\r?$`).MatchString(p.output)
}

// withSkip are the flags of a test binary with one to leave out tests, beside those that the user leaves out.
func withSkip(flags []string, skip string) []string {
	if skip == "" {
		return flags
	}
	flags = slices.Clone(flags)
	for i, flag := range flags {
		if users, ok := strings.CutPrefix(flag, "-test.skip="); ok {
			flags[i] = "-test.skip=" + users + "|" + skip
			return flags
		}
	}
	return append([]string{"-test.skip=" + skip}, flags...)
}
