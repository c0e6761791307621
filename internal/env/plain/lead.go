package plain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// tendEvery is how often a group is looked after.
const tendEvery = 100 * time.Millisecond

// A group is the instances of a service of which one leads. It decides who does. It sees the processes themselves, past
// the links: a leader that is cut off from the others still leads.
type group struct {
	env   *Env
	lead  system.Lead
	nodes []*node

	mu     sync.Mutex
	now    leading
	golden leading // at the last checkpoint
	said   string  // the last thing that was noted, so that it is noted once
}

// leading is who leads, and whom it has told so.
type leading struct {
	leader    *node
	taken     bool     // it was made to lead
	followers []string // those that have all that it had when it was told of them, sorted; one of them takes over
}

// join puts a node into the group of its service, if it has one.
func (e *Env) join(n *node) {
	if n.svc.Lead == nil {
		return
	}
	i := slices.IndexFunc(e.groups, func(g *group) bool { return g.nodes[0].inst.Service == n.inst.Service })
	if i < 0 {
		i = len(e.groups)
		e.groups = append(e.groups, &group{env: e, lead: *n.svc.Lead, now: leading{leader: n, taken: true}})
	}
	g := e.groups[i]
	n.group, g.nodes = g, append(g.nodes, n)
	if g.now.leader != n {
		g.now.followers = append(g.now.followers, n.inst.Name)
	}
	g.golden = g.now
}

func (g *group) state() leading {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *group) become(now leading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now, g.said = now, ""
}

// keep notes who leads in the data that a checkpoint keeps, and restore goes back to it.
func (g *group) keep() { g.mu.Lock(); defer g.mu.Unlock(); g.golden = g.now }

func (g *group) restore() { g.become(g.golden) }

// leadership returns whom the instance follows and the variables that say so, "" and none where nobody leads.
func (n *node) leadership(ctx context.Context) (follows string, variables []string, err error) {
	if n.group == nil {
		return "", nil, nil
	}
	now := n.group.state()
	variables, err = n.leadVariables(ctx, now.leader, now.followers)
	return now.leader.inst.Name, variables, err
}

func (n *node) leadVariables(ctx context.Context, leader *node, followers []string) ([]string, error) {
	if n == leader {
		return []string{"ASSAY_LEADER=", "ASSAY_FOLLOWERS=" + strings.Join(followers, ",")}, nil
	}
	address, err := n.env.Addr(ctx, n.inst.Name, leader.inst.Name, n.group.lead.Port)
	return []string{"ASSAY_LEADER=" + address}, err
}

// deposed says whether the instance led when it was started, and another one does now.
func (n *node) deposed() bool {
	if n.group == nil {
		return false
	}
	leader := n.group.state().leader
	n.mu.Lock()
	defer n.mu.Unlock()
	return n != leader && n.follows == n.inst.Name
}

// silence is for how long the instance has not been there: since it ended, or since its last good check. It is 0
// while it is there, and while it starts.
func (n *node) silence() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.up || n.state == system.Starting {
		return 0
	}
	return time.Since(n.seen)
}

// watch looks after the group for as long as the environment lives.
func (g *group) watch() {
	for sleep(g.env.life, tendEvery) == nil {
		g.tend()
	}
}

// tend replaces a leader that is gone, and tells everybody who leads. It stands back while all is restored.
func (g *group) tend() {
	release, ok := g.env.tryExclusive()
	if !ok {
		return
	}
	defer release()
	g.round()
}

// round is tend while nothing is restored.
func (g *group) round() {
	ctx, cancel := g.env.alive(context.Background())
	defer cancel()
	old := g.state().leader
	if g.lead.After > 0 && old.silence() >= g.lead.After {
		if err := g.replace(ctx, old); err != nil {
			g.note("nobody takes over from %s: %v", old.inst.Name, err)
		}
	}
	if err := g.arrange(ctx); err != nil {
		g.note("%v", err)
	}
}

// note tells of what the group does, unless it did so last.
func (g *group) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	g.mu.Lock()
	said := g.said
	g.said = text
	g.mu.Unlock()
	if text != said && g.env.life.Err() == nil {
		g.env.note(history.Event{Kind: history.Note, Name: "failover", Target: g.state().leader.inst.Name, Text: text})
		g.env.progress("%s", text)
	}
}

// replace makes the follower that has most of the data lead. Nobody starts or continues the old leader meanwhile.
func (g *group) replace(ctx context.Context, old *node) error {
	release, ok := old.tryTake()
	if !ok {
		return nil // it is being started, stopped or continued just now
	}
	defer release()
	silence := old.silence()
	if silence < g.lead.After {
		return nil
	}
	candidate, why, err := g.candidate(ctx)
	if err != nil {
		return err
	}
	hangs := old.running() != nil && !old.isPaused()
	if hangs {
		if err := old.kill(ctx); err != nil { // it may come to itself, and then there would be two
			return err
		}
	}
	g.become(leading{leader: candidate})
	g.note("%s takes over from %s, which was gone for %v%s", candidate.inst.Name, old.inst.Name, silence.Round(10*time.Millisecond), why)
	if hangs {
		g.env.work.Go(func() {
			if err := old.Start(g.env.life); err != nil && g.env.life.Err() == nil {
				g.note("%v", err)
			}
		})
	}
	return nil
}

// candidate returns the follower that has most of the data, the first of equals, and what was compared.
func (g *group) candidate(ctx context.Context) (best *node, why string, err error) {
	now := g.state()
	var most float64
	var missing, compared []string
	for _, name := range now.followers {
		n := g.env.byName[name]
		has, err := n.progress(ctx)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		compared = append(compared, fmt.Sprintf("%s has %.0f", name, has))
		if best == nil || has > most {
			best, most = n, has
		}
	}
	switch {
	case len(now.followers) == 0:
		return nil, "", errors.New("nobody follows it")
	case best == nil || g.lead.All && len(missing) > 0:
		return nil, "", errors.New(strings.Join(missing, "; "))
	}
	return best, ": " + strings.Join(append(compared, missing...), ", "), nil
}

// progress returns how much of the leader's data the instance has.
func (n *node) progress(ctx context.Context) (float64, error) {
	if !n.pickable() {
		state, _ := n.State(ctx)
		return 0, fmt.Errorf("it is %s", state)
	}
	value, err := n.evaluate(ctx, n.rank)
	if err != nil {
		return 0, err
	}
	switch value := value.(type) {
	case int64:
		return float64(value), nil
	case float64:
		return value, nil
	}
	return 0, fmt.Errorf("its progress is %v, and should be a number", value)
}

// arrange makes those that are there follow the leader, and the leader know who does.
func (g *group) arrange(ctx context.Context) error {
	now := g.state()
	var follow []string
	for _, n := range g.nodes {
		if n == now.leader || !n.pickable() {
			continue
		}
		obeys, err := n.obey(ctx, now.leader)
		if err != nil {
			return err
		}
		if obeys {
			follow = append(follow, n.inst.Name)
		}
	}
	slices.Sort(follow)
	if now.taken && (len(follow) == 0 || slices.Equal(follow, now.followers)) || !now.leader.pickable() {
		return nil
	}
	release, ok := now.leader.tryTake()
	if !ok {
		return nil
	}
	defer release()
	variables, err := now.leader.leadVariables(ctx, now.leader, follow)
	if err == nil {
		err = now.leader.order(ctx, now.leader.launch.Take, variables)
	}
	if err != nil {
		return fmt.Errorf("%s does not lead yet: %w", now.leader.inst.Name, err)
	}
	g.become(leading{leader: now.leader, taken: true, followers: follow})
	g.note("%s leads, followed by %s", now.leader.inst.Name, orNobody(follow))
	return nil
}

func orNobody(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}

// obey makes a running instance follow leader, and says whether it does.
func (n *node) obey(ctx context.Context, leader *node) (bool, error) {
	n.mu.Lock()
	follows := n.follows
	n.mu.Unlock()
	if follows == leader.inst.Name {
		return true, nil
	}
	release, ok := n.tryTake()
	if !ok {
		return false, nil
	}
	defer release()
	variables, err := n.leadVariables(ctx, leader, nil)
	if err == nil {
		err = n.order(ctx, n.launch.Follow, variables)
	}
	if err != nil {
		return false, fmt.Errorf("%s does not follow %s: %w", n.inst.Name, leader.inst.Name, err)
	}
	n.mu.Lock()
	n.follows = leader.inst.Name
	n.mu.Unlock()
	return true, nil
}

// order runs a command of the group on the instance.
func (n *node) order(ctx context.Context, argv, variables []string) error {
	out, code, err := n.run(ctx, argv, variables...)
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: exit status %d: %s", strings.Join(argv, " "), code, lastLine(out))
	}
	return err
}
