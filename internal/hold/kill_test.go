package hold

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/hold/holdtest"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/system/systemtest"
)

// TestSuite: through the holder an environment keeps all that it promises.
func TestSuite(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite takes some seconds")
	}
	t.Parallel()
	systemtest.Run(t, func(t *testing.T, sys system.System) system.Env {
		return mustStart(t, "plain", sys, testOptions(t))
	})
}

// phases of the controller that is killed, in order.
var phases = []string{"spawn", "build", "start", "arm", "hold", "heal", "teardown"}

// TestKillAnywhere kills controller, holder or both in every phase, at a seeded
// moment. By default it picks whom; ASSAY_KILL_ROUNDS=10 does each ten times,
// ASSAY_KILL_SEED picks the moments.
func TestKillAnywhere(t *testing.T) {
	t.Parallel()
	rounds, seed := number(t, "ASSAY_KILL_ROUNDS", 0), number(t, "ASSAY_KILL_SEED", int(time.Now().UnixNano()%1e6))
	t.Logf("seed %d; again with: ASSAY_KILL_SEED=%d ASSAY_KILL_ROUNDS=%d go test -run TestKillAnywhere ./internal/hold", seed, seed, rounds)
	h := holdtest.Harness{Command: killable, Phase: phaseOf, Recover: recoverElsewhere}
	lasted := h.Time(t, t.TempDir())
	t.Logf("undisturbed: %v", lasted)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	var tally tally
	t.Run("rounds", func(t *testing.T) {
		for i, victims := range plan(random, rounds) {
			phase := phases[i%len(phases)]
			after := time.Duration(random.Int64N(int64(lasted[phase]) + 1))
			t.Run(fmt.Sprintf("%d/%s/%s", i/len(phases), phase, victims), func(t *testing.T) {
				t.Parallel()
				tally.add(killOnce(t, h, phase, victims, after))
			})
		}
	})
	tally.log(t)
}

// plan returns whom to kill, for each phase in turn.
func plan(random *rand.Rand, rounds int) []holdtest.Victims {
	const all = int(holdtest.HolderThenController) + 1
	var victims []holdtest.Victims
	if rounds == 0 {
		for range phases {
			victims = append(victims, holdtest.Victims(random.IntN(all)))
		}
	}
	for i := range rounds * all {
		victims = append(victims, slices.Repeat([]holdtest.Victims{holdtest.Victims(i % all)}, len(phases))...)
	}
	return victims
}

// killOnce tries again, earlier, when the controller was faster than it was when it was timed.
func killOnce(t *testing.T, h holdtest.Harness, phase string, victims holdtest.Victims, after time.Duration) holdtest.Round {
	for {
		r := h.Kill(t, phase, victims, after, t.TempDir())
		if testing.Verbose() || t.Failed() {
			t.Log(r)
		}
		if !r.Missed || after < time.Millisecond || t.Failed() {
			return r
		}
		after /= 3
	}
}

// tally sums up the rounds.
type tally struct {
	mu     sync.Mutex
	rounds map[holdtest.Victims][]holdtest.Round
}

func (a *tally) add(r holdtest.Round) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rounds == nil {
		a.rounds = map[holdtest.Victims][]holdtest.Round{}
	}
	a.rounds[r.Victims] = append(a.rounds[r.Victims], r)
}

func (a *tally) log(t *testing.T) {
	for victims, rounds := range a.rounds {
		var clean []time.Duration
		missed, processes := 0, 0
		for _, r := range rounds {
			if r.Missed {
				missed++
				continue
			}
			clean = append(clean, r.Clean)
			processes += r.Processes
		}
		if len(clean) == 0 {
			continue
		}
		slices.Sort(clean)
		t.Logf("%s killed %d times (%d too early or late) with %d processes in all: clean after median %v, longest %v",
			victims, len(clean), missed, processes, clean[len(clean)/2].Round(time.Millisecond), clean[len(clean)-1].Round(time.Millisecond))
	}
}

func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%s: want a number", name, text)
	}
	return n
}

func killable(state string) *exec.Cmd {
	cmd := exec.Command(self())
	cmd.Env = append(os.Environ(), roleVar+"=phases", "ASSAY_STATE_DIR="+state)
	cmd.Stderr = os.Stderr
	return cmd
}

func phaseOf(line string) string {
	phase, ok := strings.CutPrefix(line, "phase ")
	if !ok {
		return ""
	}
	return phase
}

func recoverElsewhere(state string) error {
	cmd := exec.Command(self())
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleVar+"=recover", "ASSAY_STATE_DIR="+state)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// runPhases is the controller that is killed. One that survives its holder says so, closes, and ends well.
func runPhases() {
	fmt.Println("phase spawn")
	ctx := context.Background()
	env, err := start(ctx, "plain", killSystem(), Options{Progress: func(line string) {
		switch {
		case strings.Contains(line, "holds environment"):
			fmt.Println("phase build")
		case strings.Contains(line, "built in"):
			fmt.Println("phase start")
		}
	}})
	if err != nil {
		fmt.Println("start:", err)
		os.Exit(0)
	}
	for _, phase := range []func(context.Context, *Env) error{arm, endure, heal} {
		if err := phase(ctx, env); err != nil {
			fmt.Println("error:", err)
			break
		}
	}
	fmt.Println("phase teardown")
	fmt.Println("close:", env.Close(ctx))
	os.Exit(0)
}

// arm breaks and heals for a while, so that there is time to be killed in between.
func arm(ctx context.Context, env *Env) error {
	fmt.Println("phase arm")
	for until := time.Now().Add(100 * time.Millisecond); time.Now().Before(until); {
		if err := breakIt(ctx, env); err != nil {
			return err
		}
		if err := healIt(ctx, env); err != nil {
			return err
		}
	}
	return breakIt(ctx, env)
}

func breakIt(ctx context.Context, env *Env) error {
	links := []system.Link{{From: system.Client, To: "svc-1"}, {From: "svc-1", To: system.Client}}
	if err := env.SetRule(ctx, "slow", links, system.Rule{Kind: system.Delay, Delay: 50 * time.Millisecond}); err != nil {
		return err
	}
	return env.Nodes()[1].(system.Pauser).Pause(ctx)
}

func healIt(ctx context.Context, env *Env) error {
	if err := env.ClearRule(ctx, "slow"); err != nil {
		return err
	}
	return env.Nodes()[1].(system.Pauser).Resume(ctx)
}

// endure keeps traffic on a broken link.
func endure(ctx context.Context, env *Env) error {
	fmt.Println("phase hold")
	addr, err := env.Addr(ctx, system.Client, "svc-1", servicePort)
	if err != nil {
		return err
	}
	for until := time.Now().Add(150 * time.Millisecond); time.Now().Before(until); {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break // the holder's end is noticed by the next call
		}
		io.ReadAll(conn)
		conn.Close()
	}
	_, err = env.Snapshot(ctx)
	return err
}

func heal(ctx context.Context, env *Env) error {
	fmt.Println("phase heal")
	for range 3 {
		if err := healIt(ctx, env); err != nil {
			return err
		}
		if err := breakIt(ctx, env); err != nil {
			return err
		}
	}
	if err := healIt(ctx, env); err != nil {
		return err
	}
	return env.Nodes()[0].(system.Restarter).Restart(ctx)
}

const servicePort = 7071

// killSystem is a system that is hard to get rid of: its build leaves a process
// of its own session, and each instance leaves a daemonised child that takes no SIGTERM and listens, and one that is stopped.
func killSystem() system.System {
	return system.System{Name: "hard", Dir: os.TempDir(), Seed: 1, Services: []system.Service{{
		Name: "svc", Replicas: 2, Ports: []int{servicePort},
		Process: system.Process{
			Build:   roleVar + "=builder exec " + self(),
			Command: []string{self()},
			Env:     map[string]string{roleVar: "service", "LISTEN": fmt.Sprintf("{{ip}}:%d", servicePort), "DAEMON": fmt.Sprintf("{{ip}}:%d", servicePort+1)},
			Grace:   200 * time.Millisecond,
		},
		Ready: system.Ready{TCP: servicePort, Poll: 10 * time.Millisecond},
	}}}
}

// runBuilder is a compiler with a server of its own, as some have.
func runBuilder() {
	spawnRole("sleeper", true)
	time.Sleep(150 * time.Millisecond) // it compiles
	os.Exit(0)
}

// runService serves one line to each connection.
func runService() {
	spawnRole("daemon", true)
	stopped := spawnRole("sleeper", false)
	stopped.Process.Signal(syscall.SIGSTOP)
	listener, err := net.Listen("tcp", os.Getenv("LISTEN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		fmt.Fprintln(conn, "hello")
		conn.Close()
	}
}

// runDaemon holds a port and does not end when asked.
func runDaemon() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
	if _, err := net.Listen("tcp", os.Getenv("DAEMON")); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	select {}
}

func spawnRole(role string, session bool) *exec.Cmd {
	cmd := exec.Command(self())
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return cmd
}

// ignoredSignals returns the mask of the classic signals that a process ignores.
// The C library's own, 32 and 33, are left out: make starts everything with them ignored.
func ignoredSignals(status string) uint64 {
	_, rest, found := strings.Cut(status, "\nSigIgn:\t")
	mask, err := strconv.ParseUint(rest[:min(len(rest), 16)], 16, 64)
	if !found || err != nil {
		return ^uint64(0)
	}
	return mask & (1<<31 - 1)
}

// Services have neither the holder's sockets and lock, nor its signals.
func TestServicesInheritNothing(t *testing.T) {
	t.Parallel()
	env := mustStart(t, "plain", killSystem(), testOptions(t))
	inspection, err := env.Nodes()[0].(system.Inspector).Inspect(t.Context())
	if err != nil || len(inspection.Processes) != 3 {
		t.Fatalf("got %+v, %v; want three processes", inspection, err)
	}
	pid := inspection.Processes[0].ID.PID
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if ignored := ignoredSignals(string(status)); err != nil || ignored != 0 {
		t.Errorf("ignored signals: %x, %v", ignored, err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || strings.Contains(string(environ), holderVar+"=") {
		t.Errorf("environment: %q, %v", environ, err)
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	for _, fd := range fds {
		target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if strings.HasSuffix(target, "/lock") || strings.Contains(target, "ledger") {
			t.Errorf("fd %s is the holder's %s", fd.Name(), target)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// The harness would see what stays: it is shown a process and a folder that nobody clears.
func TestLeftoversAreSeen(t *testing.T) {
	t.Parallel()
	state, dir := deadEnvironment(t, "start", nil)
	id := filepath.Base(dir)
	child := exec.Command(self())
	child.Env = append(os.Environ(), roleVar+"=sleeper", plain.Mark(id))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	left := holdtest.Leftovers(state, id)
	if len(left) != 2 || !strings.HasPrefix(left[0], fmt.Sprintf("process %d ", child.Process.Pid)) || left[1] != dir {
		t.Errorf("got %q, want process %d and folder %s", left, child.Process.Pid, dir)
	}
	if report, err := RecoverIn(t.Context(), state); err != nil || !report.Clean() {
		t.Errorf("recover: %+v, %v", report, err)
	}
	if left := holdtest.Leftovers(state, id); len(left) != 0 {
		t.Errorf("after the recovery: %q", left)
	}
}
