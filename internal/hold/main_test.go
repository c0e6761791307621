package hold

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/system"
)

// roleVar makes the test binary another process than the tests.
const roleVar = "HOLD_TEST_ROLE"

func TestMain(m *testing.M) {
	mainWith(testKinds())
	role := os.Getenv(roleVar)
	if role == "" {
		os.Exit(runTests(m))
	}
	run, ok := roles()[role]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such role:", role)
		os.Exit(2)
	}
	run()
}

// roles are the processes that the test binary can be; none returns.
func roles() map[string]func() {
	return map[string]func(){
		"sleeper": func() { select {} }, "controller": runController, "recover": runRecover,
		"phases": runPhases, "builder": runBuilder, "service": runService, "daemon": runDaemon,
	}
}

// runTests also finds the data races of holders, whose output nobody sees.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hold-races")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	// Without the first option every process of the race detector sleeps a second before it exits.
	os.Setenv("GORACE", "atexit_sleep_ms=0 log_path="+filepath.Join(dir, "race"))
	status := m.Run()
	reports, _ := filepath.Glob(filepath.Join(dir, "race*"))
	for _, report := range reports {
		text, _ := os.ReadFile(report)
		fmt.Fprintf(os.Stderr, "%s\n", text)
		status = 1
	}
	return status
}

// limit is how long a test waits for what should take milliseconds.
const limit = time.Minute

// eventually waits until ok. It may be called from any goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("not after %v: %s", limit, what)
			return
		}
	}
}

func testSystem(t *testing.T, services ...string) system.System {
	sys := system.System{Name: "shop", Dir: t.TempDir(), Seed: 1}
	for _, name := range services {
		sys.Services = append(sys.Services, system.Service{Name: name, Owner: "team-" + name, Replicas: 1})
	}
	return sys
}

func testOptions(t *testing.T) Options { return Options{StateDir: t.TempDir()} }

func mustStart(t *testing.T, kind string, sys system.System, opts Options) *Env {
	t.Helper()
	env, err := start(t.Context(), kind, sys, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { env.Close(context.Background()) })
	return env
}

// wantNothing fails when anything of the environment is left.
func wantNothing(t *testing.T, info Info) {
	t.Helper()
	if left := leftovers(info); len(left) > 0 {
		t.Errorf("left over: %s", strings.Join(left, "; "))
	}
}

// leftovers returns what is there of an environment.
func leftovers(info Info) []string {
	var left []string
	processes, err := plain.Processes(info.ID, plainDir(info.Dir))
	if err != nil {
		left = append(left, err.Error())
	}
	for _, p := range processes {
		left = append(left, fmt.Sprintf("process %d %s", p.PID, p.Command))
	}
	for _, path := range []string{info.Dir, info.Socket} {
		if path != "" && exists(path) {
			left = append(left, path)
		}
	}
	return left
}

func journal(t *testing.T, sys system.System) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sys.Dir, "journal"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func wantJournal(t *testing.T, sys system.System, want ...string) {
	t.Helper()
	if got := strings.TrimSpace(journal(t, sys)); got != strings.Join(want, "\n") {
		t.Errorf("the environment was asked:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// runController is a controller that starts an environment, breaks it, says so,
// and makes one more call for each line it reads.
func runController() {
	ctx := context.Background()
	if program := os.Getenv("HOLD_TEST_REMOVE"); program != "" {
		os.Remove(program)
	}
	sys := system.System{Name: "shop", Dir: os.Getenv("HOLD_TEST_DIR"), Services: []system.Service{{Name: "a"}, {Name: "child"}}}
	env, err := start(ctx, "fake", sys, Options{})
	if err == nil {
		err = env.SetRule(ctx, "slow", []system.Link{{From: "a-1", To: "b-1"}}, system.Rule{Kind: system.Cut})
	}
	if err == nil {
		err = env.Nodes()[0].(system.Pauser).Pause(ctx)
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_, err := env.Snapshot(ctx)
		fmt.Println("call:", err)
	}
	fmt.Println("close:", env.Close(ctx))
	os.Exit(0)
}

func runRecover() {
	report, err := Recover(context.Background())
	for _, line := range report.Lines() {
		fmt.Println(line)
	}
	if err != nil {
		fmt.Println("error", err)
	}
	os.Exit(report.ExitCode())
}

// A controller is a child process that owns an environment.
type controller struct {
	cmd   *exec.Cmd
	in    interface{ Write([]byte) (int, error) }
	lines *bufio.Scanner
	sys   system.System
	state string
	info  Info
}

func startController(t *testing.T) *controller {
	t.Helper()
	c := &controller{sys: testSystem(t), state: t.TempDir()}
	c.cmd = exec.Command(self())
	c.cmd.Env = append(os.Environ(), roleVar+"=controller", "HOLD_TEST_DIR="+c.sys.Dir, "ASSAY_STATE_DIR="+c.state)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		RecoverIn(context.Background(), c.state)
	})
	c.in, c.lines = in, bufio.NewScanner(out)
	if line := c.line(); line != "ready" {
		t.Fatalf("controller: %q", line)
	}
	running, err := EnvironmentsIn(c.state)
	if err != nil || len(running) != 1 {
		t.Fatalf("environments: %v, %v; want one", running, err)
	}
	c.info = running[0]
	return c
}

func (c *controller) line() string {
	c.lines.Scan()
	return c.lines.Text()
}

func (c *controller) signal(sig syscall.Signal) { c.cmd.Process.Signal(sig) }

// kill kills the holder of an environment and waits until the kernel has freed its lock.
func killHolder(t *testing.T, info Info) {
	t.Helper()
	if err := syscall.Kill(info.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func waitFree(t *testing.T, dir string) {
	t.Helper()
	eventually(t, "the lock is free", func() bool {
		held, err := ledger.Held(dir)
		return err == nil && !held
	})
}

func dialRaw(t *testing.T, socket string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// self returns this test binary, also for a process that works elsewhere.
func self() string {
	path, err := executable()
	if err != nil {
		panic(err)
	}
	return path
}
