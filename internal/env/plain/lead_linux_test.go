package plain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
)

// lead is a service of n programs that note whom they are told to follow, and that are ready unless a file says otherwise.
func lead(n int, after time.Duration) system.Service {
	return system.Service{
		Name: "db", Replicas: n, Ports: []int{7070},
		Process: system.Process{Command: []string{"sh", "-c", `echo "start ${ASSAY_LEADER:+follower} $ASSAY_FOLLOWERS" >>"$ASSAY_DATA/told"; exec sleep 1000`}, Grace: time.Second},
		Ready:   system.Ready{Exec: []string{"test", "!", "-e", "{{data}}/sick"}, Every: 20 * time.Millisecond, Poll: 10 * time.Millisecond},
		Lead: &system.Lead{Port: 7070, After: after,
			Take:     []string{"sh", "-c", `echo "take $ASSAY_FOLLOWERS" >>"$ASSAY_DATA/told"; test ! -e "$ASSAY_DATA/weak"`},
			Follow:   []string{"sh", "-c", `echo "follow ${ASSAY_LEADER##*:}" >>"$ASSAY_DATA/told"`},
			Progress: system.Probe{Exec: []string{"cat", "{{data}}/progress"}, Value: "int(stdout)"}},
	}
}

// A cast is an environment of such programs.
type cast struct {
	t    *testing.T
	env  *plain.Env
	data string

	mu    sync.Mutex
	story []string
}

func newCast(t *testing.T, service system.Service) *cast {
	t.Helper()
	c := &cast{t: t}
	opts := options(t)
	opts.Progress = func(line string) { c.mu.Lock(); defer c.mu.Unlock(); c.story = append(c.story, line) }
	c.data = filepath.Join(opts.StateDir, "data")
	t.Cleanup(func() {
		if t.Failed() {
			c.mu.Lock()
			defer c.mu.Unlock()
			t.Logf("the story is\n%s", strings.Join(c.story, "\n"))
		}
	})
	c.env = startWith(t, of(service), opts)
	for i := range service.Replicas {
		c.write(fmt.Sprintf("db-%d", i+1), "progress", fmt.Sprint(i))
	}
	return c
}

func (c *cast) write(instance, name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.data, instance, name), []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// told waits until the last thing that an instance was told is want.
func (c *cast) told(instance, want string) {
	c.t.Helper()
	eventually(c.t, instance+" is told "+want, func() bool {
		text, _ := os.ReadFile(filepath.Join(c.data, instance, "told"))
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		return strings.TrimSpace(lines[len(lines)-1]) == want
	})
}

// says waits for a line of the story.
func (c *cast) says(want string) {
	c.t.Helper()
	eventually(c.t, "the story says "+want, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return strings.Contains(strings.Join(c.story, "\n"), want)
	})
}

func (c *cast) kill(instance string) {
	c.t.Helper()
	if err := node(c.t, c.env, instance).(system.Killer).Kill(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cast) start(instance string) {
	c.t.Helper()
	if err := node(c.t, c.env, instance).(system.Killer).Start(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// The follower that has most takes over, the other one follows it, and so does the former leader when it comes back.
func TestLeadMoves(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(3, 200*time.Millisecond))
	c.told("db-1", "start  db-2,db-3")
	c.told("db-2", "start follower")
	c.kill("db-1")
	c.says("db-3 takes over from db-1")
	c.told("db-3", "take db-2")
	c.told("db-2", "follow 7070")
	c.start("db-1")
	c.told("db-1", "start follower")
	c.told("db-3", "take db-1,db-2")
}

// Where nobody is to take over, nobody does, however long the leader is gone.
func TestLeadStays(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 0))
	c.kill("db-1")
	plain.Tend(c.env, 3, time.Hour)
	c.start("db-1")
	c.told("db-1", "start  db-2")
	c.told("db-2", "start follower")
}

// Who comes back in time goes on leading.
func TestLeadRestart(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 30*time.Second))
	if err := node(t, c.env, "db-1").(system.Restarter).Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.told("db-1", "start  db-2")
	c.told("db-2", "start follower")
}

// One that takes long to start is on its way, and not gone.
func TestLeadSlowStart(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 30*time.Second))
	c.kill("db-1")
	c.write("db-1", "sick", "")
	started := make(chan error, 1)
	go func() { started <- node(t, c.env, "db-1").(system.Killer).Start(t.Context()) }()
	eventuallyState(t, c.env, "db-1", system.Starting)
	plain.Tend(c.env, 3, time.Hour)
	if err := os.Remove(filepath.Join(c.data, "db-1", "sick")); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	c.told("db-1", "start  db-2")
	c.told("db-2", "start follower")
}

// Where each follower counts, nobody takes over while one of them does not answer.
func TestLeadAll(t *testing.T) {
	t.Parallel()
	service := lead(3, 200*time.Millisecond)
	service.Lead.All = true
	c := newCast(t, service)
	c.write("db-2", "progress", "no number")
	c.kill("db-1")
	c.says("nobody takes over from db-1: db-2: ")
	c.told("db-3", "start follower")
	c.write("db-2", "progress", "7")
	c.told("db-2", "take db-3")
}

// A leader that is paused is left as it is. Continued, it would lead beside the other.
func TestLeadPaused(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 200*time.Millisecond))
	c.write("db-1", "sick", "")
	pauser := node(t, c.env, "db-1").(system.Pauser)
	if err := pauser.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.told("db-2", "take")
	if state, _ := node(t, c.env, "db-1").State(t.Context()); state != system.Paused {
		t.Errorf("db-1 is %s, want paused", state)
	}
	if err := os.Remove(filepath.Join(c.data, "db-1", "sick")); err != nil {
		t.Fatal(err)
	}
	if err := pauser.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.told("db-1", "start follower")
	c.told("db-2", "take db-1")
}

// A leader that hangs by itself is ended before another leads, and started again.
func TestLeadHangs(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 200*time.Millisecond))
	c.write("db-1", "sick", "")
	c.says("db-2 takes over from db-1")
	if err := os.Remove(filepath.Join(c.data, "db-1", "sick")); err != nil {
		t.Fatal(err)
	}
	c.told("db-1", "start follower")
	c.told("db-2", "take db-1")
}

// Taking over is tried again until it works, and one that is not ready to lead says so.
func TestLeadTakeFails(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 200*time.Millisecond))
	c.write("db-2", "weak", "")
	c.kill("db-1")
	c.says("db-2 does not lead yet: sh -c")
	if err := os.Remove(filepath.Join(c.data, "db-2", "weak")); err != nil {
		t.Fatal(err)
	}
	c.says("db-2 leads, followed by nobody")
}

// A follower that is not sure to have all is no candidate: here the new leader dies before the old one follows.
func TestLeadNobodyLeft(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 200*time.Millisecond))
	c.kill("db-1")
	c.says("db-2 leads, followed by nobody")
	c.kill("db-2")
	c.says("nobody takes over from db-2: nobody follows it")
	c.start("db-1")
	c.told("db-1", "start follower")
	c.start("db-2")
	c.told("db-2", "take db-1")
}

// A restore brings back who led at the checkpoint.
func TestLeadRestore(t *testing.T) {
	t.Parallel()
	c := newCast(t, lead(2, 200*time.Millisecond))
	if err := c.env.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.kill("db-1")
	c.told("db-2", "take")
	if err := c.env.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.told("db-1", "start  db-2")
	c.told("db-2", "start follower")
	c.kill("db-1")
	c.told("db-2", "take")
}
