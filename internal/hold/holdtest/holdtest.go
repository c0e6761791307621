// Package holdtest kills controllers and holders, and looks for what is left.
//
//	h := holdtest.Harness{
//		Command: func(state string) *exec.Cmd { … },             // a controller; it finds state in $ASSAY_STATE_DIR
//		Phase:   func(line string) string { … },                 // the phase that a line of its output begins, or ""
//		Recover: func(state string) error { … },                 // assay recover, in a process of its own
//	}
//	round := h.Kill(t, "arm", holdtest.Both, 30*time.Millisecond, state)
//
// What belongs to an environment is found by its mark and by what the kernel
// says that its processes hold, never by what assay believes.
package holdtest

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"testing"
	"time"
)

// Victims says who is killed.
type Victims int

// Whom a round kills. Both come in two orders, as the survivor of a few
// microseconds may have begun to clean up.
const (
	Controller Victims = iota
	Holder
	ControllerThenHolder
	HolderThenController
)

// String returns the victims as they show in the name of a test.
func (v Victims) String() string {
	return [...]string{"controller", "holder", "controller then holder", "holder then controller"}[v]
}

// patience is how long anything may take before it counts as left over.
const patience = 45 * time.Second

// A Harness says how to run the controller that is killed.
type Harness struct {
	// Command returns a controller that is not started, whose state directory is state. Its standard output is read.
	Command func(state string) *exec.Cmd
	// Phase returns the phase that begins with a line of the controller's output, "" for none.
	Phase func(line string) string
	// Recover does what the next start would, in a process of its own and another directory.
	Recover func(state string) error
}

// A Round is what happened when something was killed.
type Round struct {
	Phase     string
	Victims   Victims
	After     time.Duration // since the phase began
	Processes int           // of the environment, the most that were seen at once before the kill
	Ports     int           // that it listened on, likewise
	Clean     time.Duration // from the kill until nothing was left
	Missed    bool          // there was no holder any more, or not yet
	Output    []string      // of the controller
}

// String returns one line for a log.
func (r Round) String() string {
	if r.Missed {
		return fmt.Sprintf("%s killed in %s after %v: there was no holder", r.Victims, r.Phase, r.After)
	}
	return fmt.Sprintf("%s killed in %s after %v, up to %d processes and %d ports: clean %v later",
		r.Victims, r.Phase, r.After, r.Processes, r.Ports, r.Clean.Round(time.Millisecond))
}

// Kill runs a controller until after a phase has begun, kills the victims, and waits until nothing is
// left. When both were killed it recovers first; when one survives, that one must have
// cleaned up by itself. What is left fails the test.
func (h Harness) Kill(t testing.TB, phase string, victims Victims, after time.Duration, state string) Round {
	t.Helper()
	r := Round{Phase: phase, Victims: victims, After: after}
	c := h.run(t, state)
	defer c.end(t)
	scene := watch(t, state)
	if !c.reach(phase) {
		scene.unwatch()
		t.Fatalf("the controller ended before phase %s; it said %q", phase, c.said)
	}
	timer := time.NewTimer(after)
	<-timer.C // the moment of the kill is the parameter of the test
	began := time.Now()
	r.Missed = !victims.kill(c.cmd, scene)
	scene.unwatch()
	r.Processes, r.Ports = scene.processes, scene.portsMost
	if victims == ControllerThenHolder || victims == HolderThenController {
		c.wait()
		scene.waitForHolders()
		if err := h.Recover(state); err != nil {
			t.Errorf("%v: recover: %v", r, err)
		}
	}
	if left := scene.waitUntilClean(); len(left) > 0 {
		t.Errorf("%v\nleft over %v later: %q", r, patience, left)
	}
	r.Clean = time.Since(began)
	c.wait()
	// The controller may have started something after the last look.
	if left := scene.waitUntilClean(); len(left) > 0 {
		t.Errorf("%v\nleft over after the controller had ended: %q", r, left)
	}
	r.Output = c.said
	return r
}

// kill kills whom v says. False means that there was no one to kill any more.
func (v Victims) kill(controller *exec.Cmd, s *scene) bool {
	switch v {
	case Controller:
		return controller.Process.Kill() == nil
	case Holder:
		return s.killHolders() > 0
	case ControllerThenHolder:
		controller.Process.Kill()
		return s.killHolders() > 0
	default:
		killed := s.killHolders() > 0
		controller.Process.Kill()
		return killed
	}
}

// Time runs a controller to its end and returns how long each phase lasted.
func (h Harness) Time(t testing.TB, state string) map[string]time.Duration {
	t.Helper()
	c := h.run(t, state)
	defer c.end(t)
	lasted := map[string]time.Duration{}
	phase, began := "", time.Now()
	for c.next() {
		if next := h.Phase(c.last()); next != "" {
			lasted[phase] = time.Since(began)
			phase, began = next, time.Now()
		}
	}
	lasted[phase] = time.Since(began)
	if err := c.wait(); err != nil {
		t.Fatalf("a controller that nobody killed: %v; it said %q", err, c.said)
	}
	return lasted
}

// A running controller.
type running struct {
	h     Harness
	cmd   *exec.Cmd
	out   io.ReadCloser
	lines *bufio.Scanner
	said  []string
	ended bool
	err   error
}

func (h Harness) run(t testing.TB, state string) *running {
	t.Helper()
	c := &running{h: h, cmd: h.Command(state)}
	var err error
	if c.out, err = c.cmd.StdoutPipe(); err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		t.Fatalf("start the controller: %v", err)
	}
	c.lines = bufio.NewScanner(c.out)
	return c
}

func (c *running) next() bool {
	if !c.lines.Scan() {
		return false
	}
	c.said = append(c.said, c.lines.Text())
	return true
}

func (c *running) last() string { return c.said[len(c.said)-1] }

func (c *running) reach(phase string) bool {
	for c.next() {
		if c.h.Phase(c.last()) == phase {
			return true
		}
	}
	return false
}

// wait returns when the controller has ended.
func (c *running) wait() error {
	if !c.ended {
		for c.next() {
		}
		c.err = c.cmd.Wait()
		c.ended = true
	}
	return c.err
}

// end makes sure that the controller has ended, however the test ends.
func (c *running) end(t testing.TB) {
	if c.ended {
		return
	}
	c.cmd.Process.Kill()
	c.wait()
}
