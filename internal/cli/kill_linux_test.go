package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// killMark is in the environment of the controller and of all that it starts,
// the daemonised and the stopped included, so leftovers cannot hide.
const killMark = "KILL_ANYWHERE_MARK"

// killPhases are lines of the story after which, within half a second, a process is killed.
var killPhases = []struct{ name, marker string }{
	{"build", "holds environment"},
	{"start", "register built"},
	{"arm", "A register keeps"},
	{"hold", "kill(register) on register-1"},
	{"heal", "healing kill(register)"},
	{"teardown", "stopping the system"},
	{"store", "stopping the system"},
}

// TestKillAnywhere kills the controller, the holder, or both at once, at a seeded
// moment of each phase of a run, and looks for what is left. ASSAY_KILL_ROUNDS=10 makes ten rounds of each
// phase and victim; the default is one round of each phase, the victims in turn.
func TestKillAnywhere(t *testing.T) {
	t.Parallel()
	take(t, 1)
	rounds, _ := strconv.Atoi(os.Getenv("ASSAY_KILL_ROUNDS"))
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ASSAY_KILL_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("ASSAY_KILL_SEED=%d ASSAY_KILL_ROUNDS=%d", seed, rounds)
	binary := filepath.Join(t.TempDir(), "assay")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/assay").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	victims := []string{"controller", "holder", "both"}
	for i, phase := range killPhases {
		for v, victim := range victims {
			for round := range max(rounds, 1) {
				if rounds == 0 && v != i%len(victims) {
					continue
				}
				key := uint64(i)<<16 | uint64(v)<<8 | uint64(round)
				t.Run(fmt.Sprintf("%s/%s/%d", phase.name, victim, round), func(t *testing.T) {
					k := &killing{t: t, binary: binary, dir: t.TempDir(), mark: fmt.Sprintf("%s=%d-%d", killMark, seed, key)}
					k.run(phase.marker, victim, rand.New(rand.NewPCG(seed, key)), phase.name == "store")
				})
			}
		}
	}
}

type killing struct {
	t      *testing.T
	binary string
	dir    string
	mark   string
}

// killCompose runs the register beside a child that left its group and one that is stopped.
const killCompose = `services:
  register:
    image: example/register
    expose: ["8080"]
    environment: {LISTEN: "{{ip}}:8080", DATA: "{{data}}"}
    x-assay:
      process:
        build: go build -o bin/register ./register
        command: [sh, -c, "setsid sleep 600 & sleep 600 & kill -STOP $$!; exec bin/register"]
      ready: {http: "8080/healthz"}
`

func (k *killing) run(marker, victim string, random *rand.Rand, late bool) {
	t := k.t
	example, err := filepath.Abs("../../examples/gotest")
	if err != nil {
		t.Fatal(err)
	}
	copyRegister(t, example, filepath.Join(k.dir, "register"))
	if err := os.WriteFile(filepath.Join(k.dir, "register", "compose.yaml"), []byte(killCompose), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := k.command("run", "register")
	story, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.waitFor(story, marker)
	wait := time.Duration(random.Int64N(int64(400 * time.Millisecond)))
	if late { // teardown takes about 100 ms, and storing some tens more
		wait = 50*time.Millisecond + wait*3/8
	}
	time.Sleep(wait) // the moment of the kill is what is tested, not waited for
	k.kill(cmd.Process.Pid, victim)
	if victim == "holder" {
		k.finish(cmd)
	} else {
		cmd.Wait()
	}
	k.clean(victim, wait)
}

// command returns assay in the test's folder, with a state folder of its own and the mark.
func (k *killing) command(args ...string) *exec.Cmd {
	cmd := exec.Command(k.binary, args...)
	cmd.Dir = k.dir
	cmd.Env = append(os.Environ(), k.mark, "ASSAY_STATE_DIR="+filepath.Join(k.dir, "state"))
	return cmd
}

// waitFor reads the story up to a line with the marker, and lets the rest flow.
func (k *killing) waitFor(story io.Reader, marker string) {
	lines := bufio.NewScanner(story)
	for lines.Scan() {
		if strings.Contains(lines.Text(), marker) {
			go io.Copy(io.Discard, story)
			return
		}
	}
	k.t.Errorf("the story ended before %q", marker)
}

// kill ends the victim by SIGKILL. The holder is the marked process that was started as one.
func (k *killing) kill(controller int, victim string) {
	var pids []int
	if victim != "controller" {
		for _, p := range k.marked() {
			if strings.Contains(p.environ, "\x00ASSAY_HOLDER=") {
				pids = append(pids, p.pid)
			}
		}
	}
	if victim != "holder" {
		pids = append(pids, controller)
	}
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// finish waits for a controller whose holder died: it must end by itself, and not with a pass it has not earned.
func (k *killing) finish(cmd *exec.Cmd) {
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(90 * time.Second):
		cmd.Process.Kill()
		k.t.Error("the controller hangs after its holder died")
	}
}

type markedProcess struct {
	pid     int
	environ string
	command string
}

// marked returns the living processes that carry this round's mark.
func (k *killing) marked() []markedProcess {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		k.t.Fatal(err)
	}
	var found []markedProcess
	for _, dir := range dirs {
		environ, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil || !bytes.Contains(environ, []byte(k.mark+"\x00")) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		found = append(found, markedProcess{pid, "\x00" + string(environ), strings.ReplaceAll(string(command), "\x00", " ")})
	}
	return found
}

// clean waits until nothing is left. Where the holder died with the controller,
// the next assay, in another folder, does the rest.
func (k *killing) clean(victim string, wait time.Duration) {
	begin := time.Now()
	if victim == "both" {
		recovery := k.command("recover")
		recovery.Dir = k.t.TempDir()
		if out, err := recovery.CombinedOutput(); err != nil {
			k.t.Errorf("recover: %v\n%s", err, out)
		}
	}
	var left []string
	for time.Since(begin) < time.Minute {
		if left = k.left(); len(left) == 0 {
			k.t.Logf("killed %s after %v, clean %v later", victim, wait, time.Since(begin).Round(time.Millisecond))
			k.readable()
			return
		}
		time.Sleep(10 * time.Millisecond) // polls a condition
	}
	k.t.Errorf("left after a minute: %v", left)
	for _, p := range k.marked() {
		syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

func (k *killing) left() []string {
	var left []string
	for _, p := range k.marked() {
		left = append(left, fmt.Sprintf("process %d: %s", p.pid, p.command))
	}
	for _, pattern := range []string{"state/envs/*", "register/bin/*.tmp"} {
		files, _ := filepath.Glob(filepath.Join(k.dir, pattern))
		left = append(left, files...)
	}
	return left
}

// readable says whether evidence stored before the kill can be listed and read.
func (k *killing) readable() {
	if _, err := os.Stat(filepath.Join(k.dir, ".assay")); err != nil {
		return // killed before anything was stored
	}
	store, err := evidence.OpenStore(filepath.Join(k.dir, ".assay"))
	if err != nil {
		k.t.Fatal(err)
	}
	runs, err := store.List()
	if err != nil {
		k.t.Errorf("list: %v", err)
	}
	for _, r := range runs {
		if r.Status != evidence.Complete && r.End != nil && r.End.Verdict == verdict.Pass {
			k.t.Errorf("a run that was cut passes: %+v", r)
		}
	}
}
